"""Cutting the subject out: a finer matte, and colours without the old background in them."""

from __future__ import annotations

import numpy as np

from bot.imaging.matting import foreground, refinement
from bot.imaging.photo import Matte, Photo

BLEED = foreground.BLEED
"""Pixels beyond the subject's edge that keep its colours: a viewer that scales straight alpha mixes them in."""

_STRIP = 256
"""Rows at a time: the arithmetic's copies stay small however large the photo is."""


def refine_matte(photo: Photo, matte: Matte) -> Matte:
    """Draw a matte's edge along the photo's, hair included, in a band around it only.

    Args:
        photo: The photo.
        matte: (H, W) uint8, a mask or a soft matte of the subject.

    Returns:
        (H, W) uint8; 0 and 255 away from the edge. See `bot.imaging.matting`.
    """
    return refinement.refine(photo, matte)


def cut_out(photo: Photo, matte: Matte) -> Photo:
    """The subject with straight alpha, in its own colours.

    Where the matte is soft the colours are estimated free of the old background, so that no fringe of it shows over
    black, white or any colour. Where the subject is not, nothing of the old background is left in the file: a little
    of the subject's colours near it, black beyond.

    Args:
        photo: The photo; where it is transparent itself, it stays so.
        matte: (H, W) uint8, 255 = subject.
    """
    alpha = matte if photo.alpha is None else np.minimum(matte, photo.alpha)
    pixels = foreground.estimate(photo.pixels, matte)
    return Photo(pixels, alpha, photo.icc_profile, photo.format)


def flatten(photo: Photo, colour: tuple[int, int, int]) -> Photo:
    """The photo over one colour, opaque."""
    if photo.alpha is None:
        return photo
    pixels = np.empty_like(photo.pixels)
    behind = np.array(colour, np.uint16)
    for top in range(0, photo.height, _STRIP):
        rows = slice(top, top + _STRIP)
        shares = photo.alpha[rows, :, None].astype(np.uint16)
        mixed = photo.pixels[rows] * shares + behind * (255 - shares) + np.uint16(127)
        # Exactly mixed // 255 for what sixteen bits hold here, without a division a pixel.
        pixels[rows] = (mixed + np.uint16(1) + (mixed >> 8)) >> 8
    return Photo(pixels, None, photo.icc_profile, photo.format)
