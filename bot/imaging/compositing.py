"""Pasting one picture into another through a matte."""

from __future__ import annotations

import numpy as np

from bot.imaging.photo import Matte, Photo

STRIP_ROWS = 256
"""Rows processed at a time, to bound memory."""


def composite(original: Photo, filled: Photo, matte: Matte) -> Photo:
    """Paste `filled` over `original` through a matte.

    Args:
        original: The photo.
        filled: Another photo of the same size.
        matte: (H, W) uint8; 0 keeps the original's pixel bit for bit, 255 takes the other's, other values mix both.

    Returns:
        The original with the mixed pixels; alpha, profile and format are kept.

    Raises:
        ValueError: The sizes differ (numpy would silently repeat a single row or column).
    """
    if not original.pixels.shape[:2] == filled.pixels.shape[:2] == matte.shape:
        raise ValueError(f"different size: {original.pixels.shape[:2]}, {filled.pixels.shape[:2]}, {matte.shape}")
    pixels = original.pixels.copy()
    for top in range(0, pixels.shape[0], STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        alpha = matte[rows]
        if not alpha.any():
            continue
        weight = alpha[..., None].astype(np.uint16)
        mixed = pixels[rows] * (255 - weight) + filled.pixels[rows] * weight + np.uint16(127)
        # Equals mixed // 255 for these 16-bit values, without a division per pixel.
        np.copyto(
            pixels[rows], (mixed + np.uint16(1) + (mixed >> 8)) >> 8, where=alpha[..., None] > 0, casting="unsafe"
        )
    return original.with_pixels(pixels)
