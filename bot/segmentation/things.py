"""The distinct things that stand out in a photo, for a person to choose from."""

from __future__ import annotations

import contextlib
from pathlib import Path

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging.photo import Photo, Pixels
from bot.segmentation import Found, scaling
from bot.segmentation.classical import candidates
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.learned import automatic_map, windows
from bot.segmentation.learned.net import NoSegmenterError
from bot.segmentation.learned.views import Views
from bot.segmentation.learned.windows import SAME, Thing, overlap
from bot.segmentation.subject import SMALLEST_SUBJECT, find_subject, is_flat

_LONG_SIDE = 640
"""Of the copy on which things are compared."""
_DRAWN_SIDE = 1024
"""Of the copy on which the chosen ones are drawn."""
_SEEN_WELL = 0.85
"""Score from which a thing is offered. Pieces of a crowd, of a wall or of a fence score 0.5 to 0.8, a second person, a
car or a ramp 0.9 and more."""
_CUT_OFF = 0.06
"""Share of the outline on a window's sides from which a thing is a part of something larger."""
_WITHIN = 0.9
"""Share of a piece within a better thing from which a piece that a window cuts is a part of that thing."""
_ENOUGH = 2
"""From this number of things that the net sees, the classical way adds none: its outlines are much poorer."""
_CLASSICAL = 4
"""The largest number of things where the classical way proposes some."""


def find_things(photo: Photo, models: Path | None = None, maps: Path | None = None, most: int = 5) -> list[Found]:
    """Find the things that a person could mean, best first.

    The automatic subject comes first; then what the net sees in windows of the photo, and in the photo without the
    subject: other things, and the subject's pieces where it is several things. What the classical way proposes comes
    last, where the net sees next to nothing; without a model it answers alone.

    Args:
        photo: The photo.
        models: As for `find_subject`.
        maps: As for `find_subject`; the further looks are kept there, too.
        most: The largest number of things.

    Returns:
        At most `most` things, none tiny, no two nearly the same; empty where nothing stands out.
    """
    small = scaling.shrink(photo.pixels, _LONG_SIDE)
    if most < 1 or is_flat(small):
        return []
    found: list[Found] = []
    with contextlib.suppress(NothingFoundError):
        found.append(find_subject(photo, models, maps))
    masks = [_shrunk(found[0], small)] if found else []
    if models is not None:
        try:
            with Views(photo.pixels, models, maps) as views:
                seen = _seen(views, masks, small)
        except NoSegmenterError:
            seen = []
        for thing in seen:
            worth_it = thing.score >= _SEEN_WELL and not _is_cut_off(thing, masks)
            if len(found) < most and worth_it and _is_new(thing.mask, masks):
                masks.append(thing.mask)
                found.append(_drawn(thing, photo.pixels))
    seen_by_net = list(masks) if models is not None else []
    for mask in _proposed(photo.pixels, small) if len(found) < _ENOUGH else []:
        is_part = any(_share_within(mask, one) >= _WITHIN for one in seen_by_net)
        if len(found) < min(most, _CLASSICAL) and not is_part and _is_new(mask, masks):
            masks.append(mask)
            found.append(Found(scaling.enlarge(mask, small, photo.pixels), False, 0.0, coarse=True))
    return found


def _seen(views: Views, subject: list[Bools], small: Pixels) -> list[Thing]:
    """What the net sees, best first; a slow net is not asked again."""
    automatic = automatic_map.look(views)
    height, width = small.shape[:2]
    looks = []
    if not views.is_slow:
        hidden = subject[0] if subject else np.zeros((height, width), bool)
        looks = windows.look_around(views, hidden, hide=bool(subject))
    return windows.scored(automatic, looks, width, height)


def _drawn(thing: Thing, picture: Pixels) -> Found:
    copy = scaling.shrink(picture, _DRAWN_SIDE)
    size = copy.shape[1], copy.shape[0]
    soft = np.asarray(cv2.resize(thing.soft, size), np.float32)
    mask = np.asarray(cv2.resize(thing.mask.astype(np.float32), size) > 0.5, bool)
    return Found(scaling.enlarge_soft(soft, mask, copy, picture), False, round(thing.strength, 3))


def _proposed(picture: Pixels, small: Pixels) -> list[Bools]:
    """What the classical way grows from salient places, the one that the others agree on first."""
    scene = candidates.look(scaling.shrink(picture, candidates.LONG_SIDE))
    size = small.shape[1], small.shape[0]
    return [
        np.asarray(cv2.resize(mask.astype(np.float32), size) > 0.5, bool)
        for mask in candidates.ranked(scene, candidates.propose(scene))
    ]


def _is_cut_off(thing: Thing, better: list[Bools]) -> bool:
    """Whether a window shows only a part of the thing, or of one that is offered already."""
    return thing.cut >= _CUT_OFF or any(thing.cut > 0 and _share_within(thing.mask, one) >= _WITHIN for one in better)


def _share_within(mask: Bools, other: Bools) -> float:
    """The share of a mask that lies within another, 0 … 1."""
    return int(np.count_nonzero(mask & other)) / max(1, int(np.count_nonzero(mask)))


def _is_new(mask: Bools, others: list[Bools]) -> bool:
    large_enough = int(np.count_nonzero(mask)) >= SMALLEST_SUBJECT * mask.size
    return large_enough and all(overlap(mask, one) < SAME for one in others)


def _shrunk(found: Found, small: Pixels) -> Bools:
    size = small.shape[1], small.shape[0]
    return np.asarray(cv2.resize(found.matte, size, interpolation=cv2.INTER_AREA) >= 128, bool)
