"""Pasting one picture into another through a matte."""

from __future__ import annotations

import numpy as np

from bot.imaging.photo import Matte, Photo

BAND = 256
"""Rows at a time: the arithmetic's copies stay small however large the photo is."""


def composite(original: Photo, filled: Photo, matte: Matte) -> Photo:
    """Paste `filled` over `original`.

    Args:
        original: The photo.
        filled: Another of the same size.
        matte: (H, W) uint8; 0: the original's pixel, bit for bit; 255: the other's; between: the mix, rounded.

    Returns:
        The original with other pixels; its alpha is kept.

    Raises:
        ValueError: They are not all of one size (numpy would repeat a single row or column without a word).
    """
    if not original.pixels.shape[:2] == filled.pixels.shape[:2] == matte.shape:
        raise ValueError(f"of one size? {original.pixels.shape[:2]}, {filled.pixels.shape[:2]}, {matte.shape}")
    pixels = original.pixels.copy()
    for top in range(0, pixels.shape[0], BAND):
        rows = slice(top, top + BAND)
        alpha = matte[rows]
        if not alpha.any():
            continue
        weight = alpha[..., None].astype(np.uint16)
        mixed = pixels[rows] * (255 - weight) + filled.pixels[rows] * weight + np.uint16(127)
        # Exactly mixed // 255 for what sixteen bits hold here, without a division a pixel.
        np.copyto(
            pixels[rows], (mixed + np.uint16(1) + (mixed >> 8)) >> 8, where=alpha[..., None] > 0, casting="unsafe"
        )
    return original.with_pixels(pixels)
