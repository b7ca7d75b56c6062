"""Finds the distinct objects in a photo, from which a person chooses."""

from __future__ import annotations

import contextlib
from pathlib import Path

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging.photo import Photo, Pixels
from bot.segmentation import FoundObject, scaling
from bot.segmentation.arrays import Bools, overlap
from bot.segmentation.classical import candidates
from bot.segmentation.learned.automatic_map import find_automatic_map
from bot.segmentation.learned.closer_look import SAME_OBJECT, ObjectCandidate, compute_window_maps, rank_objects
from bot.segmentation.learned.net import NoUsableModelError
from bot.segmentation.learned.saliency_maps import SaliencyMaps
from bot.segmentation.subject import MIN_SUBJECT_SHARE, find_subject, is_flat

_COMPARE_SIDE = 640
"""Long side of the copy on which objects are compared."""
_DRAW_SIDE = 1024
"""Long side of the copy on which the chosen objects are drawn."""
_MIN_SCORE = 0.85
"""Score from which an object is offered. Pieces of a crowd, a wall or a fence score 0.5 to 0.8; a second person, a car
or a ramp 0.9 and more."""
_MAX_CLIPPED = 0.06
"""A piece is a part of a larger object if a window clips at least this share of its outline."""
_PART_SHARE = 0.9
"""A clipped piece is a part of a better object if at least this share of it lies within that object."""
_ENOUGH_FROM_NET = 2
"""From this number of objects on, the classical method adds none: its outlines are much poorer."""
_MAX_WITH_CLASSICAL = 4
"""The classical method adds objects until there are this many."""


def find_objects(
    photo: Photo, models: Path | None = None, map_file: Path | None = None, limit: int = 5
) -> list[FoundObject]:
    """Find the objects that a person could mean, best first.

    The automatic subject comes first. Then come the objects that the net sees in windows of the photo and in the photo
    without the subject: other objects, and the subject's parts where it consists of several. The classical method's
    objects come last, where the net sees at most one; without a model it answers alone.

    Args:
        photo: The photo.
        models: As for `find_subject`.
        map_file: As for `find_subject`; the maps of the further passes are cached there, too.
        limit: The largest number of objects.

    Returns:
        At most `limit` objects, none tiny, no two nearly the same; empty where nothing stands out.
    """
    small = scaling.shrink(photo.pixels, _COMPARE_SIDE)
    if limit < 1 or is_flat(small):
        return []
    found: list[FoundObject] = []
    with contextlib.suppress(NothingFoundError):
        found.append(find_subject(photo, models, map_file))
    masks = [_shrink_matte(found[0], small)] if found else []
    if models is not None:
        try:
            with SaliencyMaps(photo.pixels, models, map_file) as maps:
                ranked = _rank_by_net(maps, masks, small)
        except NoUsableModelError:
            ranked = []
        for candidate in ranked:
            is_whole = candidate.score >= _MIN_SCORE and not _is_part(candidate, masks)
            if len(found) < limit and is_whole and _is_new(candidate.mask, masks):
                masks.append(candidate.mask)
                found.append(_draw(candidate, photo.pixels))
    net_masks = list(masks) if models is not None else []
    for mask in _rank_classically(photo.pixels, small) if len(found) < _ENOUGH_FROM_NET else []:
        is_part = any(_share_within(mask, other) >= _PART_SHARE for other in net_masks)
        if len(found) < min(limit, _MAX_WITH_CLASSICAL) and not is_part and _is_new(mask, masks):
            masks.append(mask)
            found.append(FoundObject(scaling.enlarge(mask, small, photo.pixels), False, 0.0, coarse=True))
    return found


def _rank_by_net(maps: SaliencyMaps, subject: list[Bools], small: Pixels) -> list[ObjectCandidate]:
    """The net's objects, best first; a slow net makes no further passes. `subject` holds at most one mask."""
    automatic = find_automatic_map(maps)
    height, width = small.shape[:2]
    window_maps = []
    if not maps.is_slow:
        hidden = subject[0] if subject else np.zeros((height, width), bool)
        window_maps = compute_window_maps(maps, hidden, hide=bool(subject))
    return rank_objects(automatic, window_maps, width, height)


def _draw(candidate: ObjectCandidate, picture: Pixels) -> FoundObject:
    """The candidate at the photo's size."""
    copy = scaling.shrink(picture, _DRAW_SIDE)
    height, width = copy.shape[:2]
    soft = np.asarray(cv2.resize(candidate.soft_mask, (width, height)), np.float32)
    mask = scaling.resize_mask(candidate.mask, width, height)
    return FoundObject(scaling.enlarge_soft(soft, mask, copy, picture), False, round(candidate.strength, 3))


def _rank_classically(picture: Pixels, small: Pixels) -> list[Bools]:
    """The classical method's objects, the one that the others agree with most first."""
    features = candidates.measure(scaling.shrink(picture, candidates.LONG_SIDE))
    return [
        scaling.resize_mask(mask, small.shape[1], small.shape[0])
        for mask in candidates.rank(features, candidates.propose(features))
    ]


def _is_part(candidate: ObjectCandidate, better: list[Bools]) -> bool:
    """Whether a window shows only a part of the object, or a part of an object that is offered already."""
    return candidate.clipped >= _MAX_CLIPPED or any(
        candidate.clipped > 0 and _share_within(candidate.mask, other) >= _PART_SHARE for other in better
    )


def _share_within(mask: Bools, other: Bools) -> float:
    """The share of a mask that lies within another, 0 … 1."""
    return int(np.count_nonzero(mask & other)) / max(1, int(np.count_nonzero(mask)))


def _is_new(mask: Bools, others: list[Bools]) -> bool:
    """Whether a mask is large enough and unlike the others."""
    is_large = int(np.count_nonzero(mask)) >= MIN_SUBJECT_SHARE * mask.size
    return is_large and all(overlap(mask, other) < SAME_OBJECT for other in others)


def _shrink_matte(found: FoundObject, small: Pixels) -> Bools:
    size = small.shape[1], small.shape[0]
    return np.asarray(cv2.resize(found.matte, size, interpolation=cv2.INTER_AREA) >= 128, bool)
