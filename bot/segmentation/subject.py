"""The photo's main subject, found without anybody pointing at it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging import masks
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation import Found, candidates, grabcut, see_through
from bot.segmentation.grabcut import Bools
from bot.segmentation.learned import learned_matte
from bot.segmentation.scaling import enlarge, shrink

_LONG_SIDE = 320
_BAND = 4
"""Pixels by which the edge may still move when it is drawn on the larger copy."""
_LEARNED_SIDE = 1024
"""The largest square that a learned segmenter takes: more than that it does not see."""
_SMALLEST_SIDE = 8
_GLIMPSED_PLACES = 4
_SMALLEST_SUBJECT = 0.0015
_FLATTEST = 2.0
_AGREEMENT = 0.35
"""Expected overlap with what is meant below which a find is not sure. Photos of one clear thing lie from 0.48 up; of 40
street scenes seven lie below, four of them wrong or half wrong. Whether the clear thing is meant it cannot tell."""


def find_subject(photo: Photo, models: Path | None = None, maps: Path | None = None) -> Found:
    """Find the photo's main subject.

    Pure and synchronous: meant for a worker process. Works on a small copy, so that time and memory hardly depend on
    the photo's size, and carries the answer up along the photo's edges.

    Args:
        photo: The photo.
        models: Folder of learned models; with none, or none that works, the classical way answers.
        maps: A file that keeps what was seen.

    Returns:
        The matte of the photo's size, and whether the things that stand out agree on it.

    Raises:
        NothingFoundError: Nothing stands out (a flat picture, noise, a picture of a few pixels).
    """
    small = shrink(photo.pixels, _LONG_SIDE)
    if min(small.shape[:2]) < _SMALLEST_SIDE or float(small.std(axis=(0, 1)).max()) < _FLATTEST:
        raise NothingFoundError("nothing-found", why="flat")
    mask, sure = _learned(photo.pixels, models) if models is not None else None, True
    if mask is None:
        mask, sure = _find(small, shrink(photo.pixels, candidates.LONG_SIDE))
    else:
        small = shrink(photo.pixels, _LEARNED_SIDE)
    share = float(mask.mean())
    if not _SMALLEST_SUBJECT < share < 0.95:
        raise NothingFoundError("nothing-found", why="size", share=round(share, 4))
    return Found(enlarge(mask, small, photo.pixels), sure)


def glimpse(photo: Photo, models: Path | None = None) -> Mask | None:
    """About where the main subject is, for what must only keep off it: in half the time, its edge not drawn finely.

    Even a doubtful find is worth more than none: on the open photos it kept a dancer's arms from being copied into the
    crowd, and nothing was the worse for it.

    Args:
        photo: The photo.
        models: As for `find_subject`.

    Returns:
        (H, W) uint8 mask of the photo's size; None where nothing stands out.
    """
    tiny = shrink(photo.pixels, candidates.LONG_SIDE)
    if min(tiny.shape[:2]) < _SMALLEST_SIDE or float(tiny.std(axis=(0, 1)).max()) < _FLATTEST:
        return None
    seen = _learned(photo.pixels, models) if models is not None else None
    if seen is None:
        scene = candidates.look(tiny)
        things = candidates.propose(scene, places=_GLIMPSED_PLACES)
        if not things:
            return None
        seen, _ = candidates.choose(scene, things)
    return masks.scale(np.where(seen, np.uint8(255), np.uint8(0)), photo.width, photo.height)


def _learned(pixels: Pixels, models: Path) -> Bools | None:
    """What the best learned segmenter sees, at the size of its copy; None where there is none that works."""
    seen = learned_matte(shrink(pixels, _LEARNED_SIDE), models)
    return None if seen is None else np.asarray(seen.matte > 0.5, bool)


def _find(small: Pixels, tiny: Pixels) -> tuple[Bools, bool]:
    scene = candidates.look(tiny)
    things = candidates.propose(scene)
    if not things:
        return np.zeros(small.shape[:2], bool), False
    chosen, agreement = candidates.choose(scene, things)
    size = small.shape[1], small.shape[0]
    larger = cv2.resize(chosen.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    drawn = grabcut.fill_holes(grabcut.in_band(small, np.asarray(larger, bool), _BAND))
    return see_through.open_gaps(small, drawn), agreement >= _AGREEMENT
