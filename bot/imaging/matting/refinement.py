"""From a coarse matte or a trimap to a fine matte: hair, fur, blur and what is half covered."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.matting import closed_form, joint_upsampling, unmixing
from bot.imaging.photo import Mask, Matte, Photo, Pixels

WORK_SIDE = 1024
"""Long side in pixels that the edge is solved at; larger photos take the solution up along their own edges."""

BAND = 0.012
"""Half width of the unknown band as a share of the long side: 2 % in all (facts E6: 1–2 %)."""

WIDE_BAND = 0.03
"""The same where the given matte itself is unsure: hair, spokes, glass."""

UNSURE = 12
"""Of 255: a matte nearer to 0 or 255 than this is sure."""

SIDES = 3
"""Band widths around a pixel within which the colours of subject and background are looked at."""

WINDOW = 0.007
"""Radius of the guided filter's windows as a share of the long side: 5 pixels of 680. Wider ones round thin things."""

SMOOTH = 1e-2
"""The guided filter's regulariser (colours 0 … 1): ten times less lets the photo's texture into the matte."""

COLOURS = 0.6
"""How far the filter starts from what the colours say, where they are believed, instead of from the given matte."""

CLEARLY = 8
"""Power of the belief above which the colours alone decide: a mask drawn four pixels too wide around a red block keeps
0.14 of its error, without it 0.44; a lemur's fur has an error of .054 and .057."""

STEEP = 2.5
"""Contrast that the given matte is raised by: a network's ramp is several pixels wide, a photo's edge one or two."""

SPECK = 0.02
"""Coverage that counts as none, and as whole when so much is missing, after each of the guided filter's passes."""

HAZE = 0.03
"""The same at the end: a guided filter leaves a faint glow around the subject, seen best over red."""


def matte_from_trimap(photo: Photo, trimap: Matte) -> Matte:
    """Solve a trimap's unknown pixels.

    Args:
        photo: The photo.
        trimap: (H, W) uint8: 0 = background, 255 = subject, anything between = unknown.

    Returns:
        (H, W) uint8; 0 and 255 where the trimap knows.
    """
    small, size = _shrink(photo.pixels)
    if size is None:
        return _to_bytes(closed_form.solve(small, trimap))
    known = _known_at(trimap, size)
    band = (known > 0) & (known < 255)
    fine = joint_upsampling.upsample(closed_form.solve(small, known), small, photo.pixels, _widen(band, 1))
    return np.asarray(np.where((trimap == 0) | (trimap == 255), trimap, fine), np.uint8)


def refine(photo: Photo, matte: Matte) -> Matte:
    """Draw a coarse matte's edge along the photo's, in a band around it only.

    The colours of the two sides say what a pixel of the band is, as far as they differ; a guided filter (He, Sun, Tang:
    Guided Image Filtering, 2013) carries that along the photo's own edges. Over a crowd or foliage, where the sides
    look alike, the given edge stands. The band is narrow where the given matte is sure, and as wide as its own ramp
    where it is not.

    Args:
        photo: The photo.
        matte: (H, W) uint8, a mask or a soft matte that is right but for its edge.

    Returns:
        (H, W) uint8; 0 and 255 away from the edge.
    """
    small, size = _shrink(photo.pixels)
    rough = matte if size is None else np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.uint8)
    hard = np.asarray(cv2.threshold(rough, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    if not hard.any() or hard.all():
        return np.asarray(np.where(matte >= 128, 255, 0), np.uint8)
    unknown, depth = _band(rough, hard)
    long_side = max(hard.shape)
    radius = max(5, round(BAND * long_side))
    box = _box(unknown, (1 + SIDES) * radius)
    alpha = (hard / np.float32(255)).astype(np.float32)
    drawn = _draw(small[box], rough[box], hard[box], depth[box], long_side)
    np.copyto(alpha[box], drawn, where=unknown[box] > 0)
    if size is None:
        return _to_bytes(alpha)
    return joint_upsampling.upsample(alpha, small, photo.pixels, _widen(unknown > 0, 1))


def _band(rough: Matte, hard: Mask) -> tuple[Mask, NDArray[np.float32]]:
    """Where alpha is unknown, (h, w) 0 or 1, and every pixel's distance from the given edge."""
    framed = cv2.copyMakeBorder(hard, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3) + cv2.distanceTransform(255 - framed, cv2.DIST_L2, 3)
    depth = np.asarray(depth[1:-1, 1:-1], np.float32)
    soft = cv2.dilate(cv2.inRange(rough, UNSURE, 255 - UNSURE), np.ones((5, 5), np.uint8)) > 0
    long_side = max(hard.shape)
    near, far = max(5, round(BAND * long_side)), max(8, round(WIDE_BAND * long_side))
    return ((depth <= near) | (soft & (depth <= far))).astype(np.uint8), depth


def _box(where: Mask, margin: int) -> tuple[slice, slice]:
    """Rows and columns of what is not 0, with a margin."""
    left, top, across, down = cv2.boundingRect(where)
    return (
        slice(max(0, top - margin), top + down + margin),
        slice(max(0, left - margin), left + across + margin),
    )


def _draw(picture: Pixels, rough: Matte, hard: Mask, depth: NDArray[np.float32], long_side: int) -> NDArray[np.float32]:
    """Alpha (h, w) of a cutting, right in the unknown band."""
    colours = np.multiply(picture, np.float32(1 / 255), dtype=np.float32)
    # The given edge is wanted crisp: a network's blur comes from its small size, not from the photo.
    steep = np.clip((np.arange(256, dtype=np.float32) / 255 - 0.5) * STEEP + 0.5, 0, 1)
    prior = np.asarray(cv2.GaussianBlur(cv2.LUT(rough, steep), (0, 0), 1), np.float32)
    deep = depth > max(5, round(BAND * long_side))
    sure = cv2.inRange(rough, 255 - UNSURE, 255) & np.where(deep, np.uint8(255), np.uint8(0))
    none = cv2.inRange(rough, 0, UNSURE) & np.where(deep, np.uint8(255), np.uint8(0))
    told = unmixing.unmix(picture, colours, sure, none, SIDES * max(5, round(BAND * long_side)))
    guide = cv2.ximgproc.createGuidedFilter(colours, max(3, round(WINDOW * long_side)), SMOOTH)
    trust = told.belief * (COLOURS + (1 - COLOURS) * told.belief**CLEARLY)
    alpha = prior + trust * (told.coverage - prior)
    for _ in range(2):
        followed = np.clip((guide.filter(alpha) - SPECK) / (1 - 2 * SPECK), 0, 1)
        alpha = prior + told.belief * (followed - prior)
    alpha = np.clip((alpha - HAZE) / (1 - 2 * HAZE), 0, 1)
    # Further from the edge a faint part of the map is a doubt rather than hair: colours alone do not make it subject.
    given = np.multiply(rough, np.float32(1 / 255), dtype=np.float32)
    held = np.clip(alpha, 2.5 * given - 1.25, 2.5 * given - 0.25)
    near, far = max(5, round(BAND * long_side)), max(8, round(WIDE_BAND * long_side))
    fade = np.clip((depth - near) / (far - near), 0, 1)
    return np.asarray(alpha + np.minimum(1, 4 * fade) * (held - alpha) + fade * ((hard > 0) - held), np.float32)


def _shrink(pixels: Pixels) -> tuple[Pixels, tuple[int, int] | None]:
    """The picture at working size, and that size (width, height), or None where it is the picture's own."""
    height, width = pixels.shape[:2]
    scale = WORK_SIDE / max(height, width)
    if scale >= 1:
        return pixels, None
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), size


def _known_at(trimap: Matte, size: tuple[int, int]) -> Matte:
    """A trimap at working size: a small pixel is known only where all of its large ones are and agree."""
    mixed = np.where((trimap == 0) | (trimap == 255), trimap, 128).astype(np.uint8)
    return np.asarray(cv2.resize(mixed, size, interpolation=cv2.INTER_AREA), np.uint8)


def _widen(where: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return np.asarray(cv2.dilate(where.astype(np.uint8), kernel), np.uint8) > 0


def _to_bytes(alpha: NDArray[np.float32]) -> Matte:
    return (np.clip(alpha, 0, 1) * 255 + 0.5).astype(np.uint8)
