"""Fills holes: a crop with context, PatchMatch at a small size, carried up with detail."""

from __future__ import annotations

import cv2
import numpy as np
from patchmatch import inpaint

from bot.imaging.masks import bounding_box
from bot.imaging.photo import Mask, Photo

WORK_SIDE = 640


def fill(photo: Photo, mask: Mask, *, seed: int, exclude: Mask | None = None) -> Photo:
    """Fill what the mask selects; see `Inpainter.inpaint`."""
    box = bounding_box(mask)
    if box is None:
        return photo
    left, top, right, bottom = box
    margin = max(64, round(0.75 * max(right - left, bottom - top)))
    rows = slice(max(0, top - margin), min(photo.height, bottom + margin))
    columns = slice(max(0, left - margin), min(photo.width, right + margin))
    crop, hole = photo.pixels[rows, columns], mask[rows, columns]
    scale = min(1.0, WORK_SIDE / max(crop.shape[:2]))
    size = (max(8, round(crop.shape[1] * scale)), max(8, round(crop.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    small_hole = (cv2.resize(hole, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8) * 255
    filled = np.asarray(inpaint(small, small_hole, patch_size=5), dtype=np.uint8)
    large = cv2.resize(filled, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_CUBIC)
    pixels = photo.pixels.copy()
    pixels[rows, columns] = np.where(hole[..., None] > 0, large, crop)
    return photo.with_pixels(pixels)
