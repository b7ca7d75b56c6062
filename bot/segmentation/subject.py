"""The photo's main subject, found without a hint."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging import masks
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation import Found
from bot.segmentation.classical import candidates, grabcut, see_through
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.learned import automatic_map, windows
from bot.segmentation.learned.confidence import LOOK_CLOSER, find_confidence, is_sure
from bot.segmentation.learned.net import NoSegmenterError
from bot.segmentation.learned.views import Views
from bot.segmentation.scaling import enlarge, enlarge_soft, shrink

_LONG_SIDE = 320
_BAND = 4
"""Pixels by which the edge may still move when it is drawn on the larger copy."""
_LEARNED_SIDE = 1024
"""Long side of the copy on which the learned way draws: the largest square that a learned segmenter takes."""
_LOOKED_AT_SIDE = 640
"""Long side of the copy on which things are compared."""
_SMALLEST_SIDE = 8
_GLIMPSED_PLACES = 4
SMALLEST_SUBJECT = 0.0015
_LARGEST_SUBJECT = 0.95
_FLATTEST = 2.0
_CLEARLY_BETTER = 0.15
"""By how much (of a score of about 0.5 to 2) another thing has to outdo the automatic find to take its place."""
_AGREEMENT = 0.35
"""Expected overlap with what is meant below which a find is not sure. Photos of one clear thing lie from 0.48 up; of 40
street scenes seven lie below, four of them wrong or half wrong. Whether the clear thing is meant it cannot tell."""


def find_subject(photo: Photo, models: Path | None = None, maps: Path | None = None) -> Found:
    """Find the photo's main subject.

    Pure and synchronous: meant for a worker process. Works on a small copy, so that time and memory hardly depend on
    the photo's size, and carries the answer up along the photo's edges.

    Where the learned way sees nothing, or sees it faintly and finds nothing better in a closer look, the classical way
    answers, and the find is not sure.

    Args:
        photo: The photo.
        models: Folder of learned models; with none, or none that works, the classical way answers.
        maps: File in which what the net saw of this photo is kept, so that taps and `find_things` need not look again;
            read where it is there, written where it is not. Its folder exists. None: nothing is kept.

    Returns:
        The matte of the photo's size, and whether it is sure.

    Raises:
        NothingFoundError: Nothing stands out (a flat picture, noise, a picture of a few pixels).
    """
    small = shrink(photo.pixels, _LONG_SIDE)
    if is_flat(small):
        raise NothingFoundError("nothing-found", why="flat")
    if models is not None:
        try:
            with Views(photo.pixels, models, maps) as views:
                found = _learned(photo.pixels, views)
        except NoSegmenterError:
            pass
        else:
            return _classical(photo.pixels, small, sure=False) if found is None else found
    return _classical(photo.pixels, small)


def glimpse(photo: Photo, models: Path | None = None, maps: Path | None = None) -> Mask | None:
    """About where the main subject is, for what must only keep off it: in half the time, its edge not drawn finely.

    Even a doubtful find is worth more than none: on the open photos it kept a dancer's arms from being copied into the
    crowd, and nothing was the worse for it.

    Args:
        photo: The photo.
        models: As for `find_subject`.
        maps: As for `find_subject`; what it keeps of the photo is used, and costs no look.

    Returns:
        (H, W) uint8 mask of the photo's size; None where nothing stands out.
    """
    tiny = shrink(photo.pixels, candidates.LONG_SIDE)
    if is_flat(tiny):
        return None
    seen: Bools | None = None
    if models is not None:
        small = shrink(photo.pixels, _LOOKED_AT_SIDE)
        try:
            with Views(photo.pixels, models, maps) as views:
                automatic = automatic_map.peek(views)
            if not automatic.saw_nothing:
                seen = automatic.mask(small.shape[1], small.shape[0])
        except NoSegmenterError:
            pass
    if seen is None or not seen.any():
        scene = candidates.look(tiny)
        things = candidates.propose(scene, places=_GLIMPSED_PLACES)
        if not things:
            return None
        seen, _ = candidates.choose(scene, things)
    return masks.scale(np.where(seen, np.uint8(255), np.uint8(0)), photo.width, photo.height)


def is_flat(small: Pixels) -> bool:
    """Whether a picture has too few pixels or too little in it for anything to stand out."""
    return min(small.shape[:2]) < _SMALLEST_SIDE or float(small.std(axis=(0, 1)).max()) < _FLATTEST


def _learned(pixels: Pixels, views: Views) -> Found | None:
    """The learned way's find; None where the net saw nothing that is of a subject's size."""
    small = shrink(pixels, _LEARNED_SIDE)
    height, width = small.shape[:2]
    automatic = automatic_map.look(views)
    mask, soft = automatic.mask(width, height), automatic.soft(width, height)
    confidence = find_confidence(automatic, mask)
    confirmed = True
    if confidence < LOOK_CLOSER and not views.is_slow:
        chosen = _closer(automatic, views, mask)
        if chosen is not None:
            size = width, height
            soft = np.asarray(cv2.resize(chosen.soft, size), np.float32)
            closer = np.asarray(cv2.resize(chosen.mask.astype(np.float32), size) > 0.5, bool)
            confirmed = windows.overlap(closer, mask) >= windows.SAME
            mask, confidence = closer, chosen.strength
    if automatic.saw_nothing and confidence < LOOK_CLOSER:
        return None
    if not SMALLEST_SUBJECT < float(mask.mean()) < _LARGEST_SUBJECT:
        return None
    sure = is_sure(confidence, automatic.agreement, confirmed=confirmed)
    return Found(enlarge_soft(soft, mask, small, pixels), sure, round(confidence, 3))


def _closer(automatic: automatic_map.Automatic, views: Views, mask: Bools) -> windows.Thing | None:
    """The best thing of a closer look: the automatic find drawn from nearer, or one that is clearly better seen."""
    across, down = views.size
    scale = min(1.0, _LOOKED_AT_SIDE / max(across, down))
    width, height = max(1, round(across * scale)), max(1, round(down * scale))
    looks = windows.look_around(views, mask, hide=True)
    found = windows.scored(automatic, looks, width, height)
    if not found:
        return None
    own = np.asarray(cv2.resize(mask.astype(np.float32), (width, height)) > 0.5, bool)
    same = [thing.score for thing in found if windows.overlap(thing.mask, own) >= windows.SAME]
    best = found[0]
    return best if not same or best.score in same or best.score >= max(same) + _CLEARLY_BETTER else None


def _classical(pixels: Pixels, small: Pixels, *, sure: bool = True) -> Found:
    mask, agreement = _find(small, shrink(pixels, candidates.LONG_SIDE))
    share = float(mask.mean())
    if not SMALLEST_SUBJECT < share < _LARGEST_SUBJECT:
        raise NothingFoundError("nothing-found", why="size", share=round(share, 4))
    agreed = sure and agreement >= _AGREEMENT
    return Found(enlarge(mask, small, pixels), agreed, round(min(1.0, agreement), 3), coarse=True)


def _find(small: Pixels, tiny: Pixels) -> tuple[Bools, float]:
    scene = candidates.look(tiny)
    things = candidates.propose(scene)
    if not things:
        return np.zeros(small.shape[:2], bool), 0.0
    chosen, agreement = candidates.choose(scene, things)
    size = small.shape[1], small.shape[0]
    larger = cv2.resize(chosen.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    drawn = grabcut.fill_holes(grabcut.in_band(small, np.asarray(larger, bool), _BAND))
    return see_through.open_gaps(small, drawn), agreement
