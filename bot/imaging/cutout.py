"""Cutting the subject out: matte refinement, foreground colours, flattening."""

from __future__ import annotations

import numpy as np
from PIL import Image

from bot.imaging.matting import foreground, refinement
from bot.imaging.photo import Matte, Photo

VISIBLE = 12
"""Alpha above which a pixel counts as a part of the subject: a faint haze does not widen a crop."""

_STRIP_ROWS = 256
"""Rows processed at a time, to bound memory."""


def refine_matte(photo: Photo, matte: Matte) -> Matte:
    """Refine a matte's edge along the photo's own edges, hair included. Only a band around the edge changes.

    Args:
        photo: The photo.
        matte: (H, W) uint8, a mask or a soft matte of the subject.

    Returns:
        (H, W) uint8; 0 and 255 away from the edge. See `bot.imaging.matting.refinement`.
    """
    return refinement.refine(photo, matte)


def cut_out(photo: Photo, matte: Matte) -> Photo:
    """Cut the subject out with straight alpha.

    Where the matte is soft, the foreground colour is estimated, so no fringe of the old background shows over another
    colour. Outside the matte the pixels hold the subject's colours up to `foreground.BLEED_RADIUS` pixels, then black.

    Args:
        photo: The photo; its own transparency is kept.
        matte: (H, W) uint8, 255 = subject.
    """
    alpha = matte if photo.alpha is None else np.minimum(matte, photo.alpha)
    pixels = foreground.estimate(photo.pixels, matte)
    return Photo(pixels, alpha, photo.icc_profile, photo.format)


def crop(photo: Photo, *, margin: float) -> Photo:
    """Crop a photo with alpha to what is not transparent.

    Args:
        photo: The photo.
        margin: How much stays around it, as a share of its long side; never more than the photo has.
    """
    if photo.alpha is None or not (visible := photo.alpha > VISIBLE).any():
        return photo
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    around = round(margin * max(bottom - top, right - left))
    part = (
        slice(max(0, top - around), min(photo.height, bottom + around)),
        slice(max(0, left - around), min(photo.width, right + around)),
    )
    pixels, alpha = (np.ascontiguousarray(values[part]) for values in (photo.pixels, photo.alpha))
    return Photo(pixels, alpha, photo.icc_profile, photo.format)


def scale_to(photo: Photo, long_side: int) -> Photo:
    """Scale a photo, its alpha too, down or up, so that its long side has this many pixels."""
    scale = long_side / max(photo.width, photo.height)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    alpha = np.full(photo.pixels.shape[:2], 255, np.uint8) if photo.alpha is None else photo.alpha
    # RGBa is RGB multiplied by alpha: the colours of transparent pixels do not count.
    image = Image.fromarray(np.dstack([photo.pixels, alpha]), "RGBA").convert("RGBa")
    scaled = np.asarray(image.resize(size, Image.Resampling.LANCZOS).convert("RGBA"))
    pixels, alpha = np.ascontiguousarray(scaled[..., :3]), np.ascontiguousarray(scaled[..., 3])
    return Photo(pixels, alpha, photo.icc_profile, photo.format)


def flatten(photo: Photo, colour: tuple[int, int, int]) -> Photo:
    """Put a photo with alpha on one colour, so that it is opaque."""
    if photo.alpha is None:
        return photo
    pixels = np.empty_like(photo.pixels)
    behind = np.array(colour, np.uint16)
    for top in range(0, photo.height, _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        shares = photo.alpha[rows, :, None].astype(np.uint16)
        mixed = photo.pixels[rows] * shares + behind * (255 - shares) + np.uint16(127)
        # Equals mixed // 255 for these 16-bit values, without a division per pixel.
        pixels[rows] = (mixed + np.uint16(1) + (mixed >> 8)) >> 8
    return Photo(pixels, None, photo.icc_profile, photo.format)
