"""The thing that a person points at: by taps, by a box, by a scribble."""

from __future__ import annotations

import cv2
import numpy as np

from bot.engines import Tap
from bot.engines.local import grabcut, saliency, saliency_regions
from bot.engines.local.boxed import Box, find_in_box
from bot.engines.local.grabcut import Bools
from bot.engines.local.saliency_regions import Floats, Regions
from bot.engines.local.scaling import enlarge, shrink
from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Photo, Pixels

_LONG_SIDE = 400


def select(photo: Photo, taps: tuple[Tap, ...], box: Box | None = None, scribble: Mask | None = None) -> Mask:
    """Find the thing that taps, a box or a scribble point at.

    Pure and synchronous: meant for a worker process.

    Args:
        photo: The photo.
        taps: Points on the thing (`keep`) and off it, in photo pixels.
        box: Left, top, right, bottom around the thing, in photo pixels; nothing outside it is selected.
        scribble: (H, W) uint8 of the photo's size, 255 = painted on the thing.

    Returns:
        (H, W) uint8 mask of the photo's size; all 0 where nothing fits the hints.
    """
    if box is not None and not taps and scribble is None:
        return from_matte(find_in_box(photo.pixels, box))
    small = shrink(photo.pixels, _LONG_SIDE)
    height, width = small.shape[:2]
    scale = width / photo.width, height / photo.height
    inside = np.zeros((height, width), bool)
    outside = np.zeros((height, width), bool)
    for tap in taps:
        dot = np.zeros((height, width), np.uint8)
        cv2.circle(dot, (int(tap.x * scale[0]), int(tap.y * scale[1])), 2, 1, -1)
        (inside if tap.keep else outside)[dot > 0] = True
    if scribble is not None:
        inside |= cv2.resize(scribble, (width, height), interpolation=cv2.INTER_AREA) > 127
    if box is not None:
        left, top, right, bottom = (round(value * scale[index % 2]) for index, value in enumerate(box))
        frame = np.ones((height, width), bool)
        frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
        outside |= frame
    if box is None and not inside.any():
        return np.zeros(photo.pixels.shape[:2], np.uint8)
    mask = _grow(small, inside, outside) if inside.any() else _within(small, ~outside)
    return from_matte(enlarge(mask, small, photo.pixels))


def _within(small: Pixels, room: Bools) -> Bools:
    core = cv2.erode(room.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    mask = grabcut.separate(small, np.zeros_like(room), ~room, core, turns=4)
    return grabcut.fill_holes(grabcut.main_pieces(mask, np.ones(mask.shape, np.float32)))


def _grow(small: Pixels, inside: Bools, outside: Bools) -> Bools:
    regions = saliency_regions.cut(small)
    near = _cheapest(regions, regions.mean(inside) > 0)
    far = _cheapest(regions, (regions.rim > 0) | (regions.mean(outside) > 0.5))
    belief = regions.paint(far / np.maximum(near + far, 1e-6))
    mask = grabcut.separate(small, inside, outside | (belief < 0.25), belief > 0.5)
    labels, _ = grabcut.pieces(mask)
    touched = np.unique(labels[inside & mask])
    return grabcut.fill_holes(np.isin(labels, touched[touched > 0]))


def _cheapest(regions: Regions, seeds: Bools) -> Floats:
    """Cheapest colour path from any seed region to each region: (n,)."""
    length = saliency.geodesic(regions, around=False)
    found: Floats = length[seeds].min(0)
    return found
