"""The thing that a person points at: by taps, by a box, by a scribble."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Photo
from bot.segmentation import Tap, scaling, tapped
from bot.segmentation.boxed import Box, find_in_box

_DOT = 0.006
"""A tap's radius as a share of the photo's diagonal: about what a fingertip's middle covers on a phone."""


def select(photo: Photo, taps: tuple[Tap, ...], box: Box | None = None, scribble: Mask | None = None) -> Mask:
    """Find the thing that taps, a box or a scribble point at.

    Pure and synchronous: meant for a worker process. Works on a small copy; the same hints give the same mask.

    Args:
        photo: The photo.
        taps: Points on the thing (`keep`) and off it, in photo pixels.
        box: Left, top, right, bottom around the thing, in photo pixels; nothing outside it is selected.
        scribble: (H, W) uint8 of the photo's size, 255 = painted on the thing.

    Returns:
        (H, W) uint8 mask of the photo's size; all 0 where nothing fits the hints.
    """
    keep = np.zeros(photo.pixels.shape[:2], np.uint8) if scribble is None else scribble.copy()
    drop = np.zeros_like(keep)
    radius = max(1, round(_DOT * float(np.hypot(photo.width, photo.height))))
    for tap in taps:
        cv2.circle(keep if tap.keep else drop, (int(tap.x), int(tap.y)), radius, 255, -1)
    if box is not None:
        return from_matte(find_in_box(photo.pixels, box, keep, drop))
    if not keep.any():
        return np.zeros_like(keep)
    small = scaling.shrink(photo.pixels, tapped.LONG_SIDE)
    inside, outside = (scaling.shrink_hint(hint, small) for hint in (keep, drop))
    mask = tapped.separate(small, inside, outside)
    return from_matte(scaling.enlarge(mask, small, photo.pixels))
