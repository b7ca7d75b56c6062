"""Refining a coarse matte to a fine matte: hair, fur, blur and partial coverage."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.matting import joint_upsampling, unmixing
from bot.imaging.photo import Mask, Matte, Photo, Pixels

WORK_SIDE = 1024
"""Long side in pixels at which the edge is solved; for larger photos the solution is upsampled along their edges."""

BAND_HALF_WIDTH = 0.012
"""Half width of the unknown band as a share of the long side: about 2 % in all (docs/local-engine.md#mattes)."""

UNCERTAIN_BAND_HALF_WIDTH = 0.03
"""Half width where the given matte itself is uncertain: hair, spokes, glass."""

CERTAINTY_MARGIN = 12
"""Of 255: a matte value closer to 0 or 255 than this is certain."""

SAMPLE_REACH = 3
"""Reach, in band half widths, within which the colours of subject and background are sampled."""

GUIDE_RADIUS = 0.007
"""Radius of the guided filter's windows as a share of the long side: 5 pixels of 680. Wider ones round thin parts."""

GUIDE_EPSILON = 1e-2
"""The guided filter's regulariser (colours 0 … 1): a tenth of it lets the photo's texture into the matte."""

COLOUR_WEIGHT = 0.6
"""Weight of the unmixed coverage against the given matte in the filter's input, where the colours are reliable."""

CONFIDENCE_EXPONENT = 8
"""Exponent of the confidence with which the colours override the given matte. A mask four pixels too wide around a red
block keeps 0.14 of its error, without this term 0.44; a lemur's fur has an error of .054 against .057."""

EDGE_CONTRAST = 2.5
"""Contrast factor for the given matte: a network's ramp is several pixels wide, a photo's edge one or two."""

PASS_CLIP = 0.02
"""Coverage clipped to 0, and likewise to 1, after each pass of the guided filter."""

FINAL_CLIP = 0.03
"""The same after the last pass: a guided filter leaves a faint glow around the subject, most visible over red."""


def refine(photo: Photo, matte: Matte) -> Matte:
    """Refine a coarse matte's edge along the photo's own edges. Only a band around the edge changes.

    Where the colours of subject and background differ, they determine a pixel's coverage; a guided filter (He, Sun,
    Tang: Guided Image Filtering, 2013) spreads it along the photo's edges. Where both sides look alike, as over a crowd
    or foliage, the given edge stays. The band is narrow where the given matte is certain, and as wide as its ramp
    elsewhere.

    Args:
        photo: The photo.
        matte: (H, W) uint8, a mask or a soft matte that is correct except at its edge.

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
    radius = max(5, round(BAND_HALF_WIDTH * long_side))
    box = _box(unknown, (1 + SAMPLE_REACH) * radius)
    alpha = (hard / np.float32(255)).astype(np.float32)
    drawn = _solve_band(small[box], rough[box], hard[box], depth[box], long_side)
    np.copyto(alpha[box], drawn, where=unknown[box] > 0)
    if size is None:
        return _to_bytes(alpha)
    return joint_upsampling.upsample(alpha, small, photo.pixels, _widen(unknown > 0, 1))


def _band(rough: Matte, hard: Mask) -> tuple[Mask, NDArray[np.float32]]:
    """Return (h, w) 0 or 1 where alpha is unknown, and (h, w) each pixel's distance from the given edge."""
    framed = cv2.copyMakeBorder(hard, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3) + cv2.distanceTransform(255 - framed, cv2.DIST_L2, 3)
    depth = np.asarray(depth[1:-1, 1:-1], np.float32)
    soft = cv2.dilate(cv2.inRange(rough, CERTAINTY_MARGIN, 255 - CERTAINTY_MARGIN), np.ones((5, 5), np.uint8)) > 0
    long_side = max(hard.shape)
    near, far = max(5, round(BAND_HALF_WIDTH * long_side)), max(8, round(UNCERTAIN_BAND_HALF_WIDTH * long_side))
    return ((depth <= near) | (soft & (depth <= far))).astype(np.uint8), depth


def _box(where: Mask, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of the nonzero area, with a margin."""
    left, top, across, down = cv2.boundingRect(where)
    return (
        slice(max(0, top - margin), top + down + margin),
        slice(max(0, left - margin), left + across + margin),
    )


def _solve_band(
    picture: Pixels, rough: Matte, hard: Mask, depth: NDArray[np.float32], long_side: int
) -> NDArray[np.float32]:
    """Solve (h, w) alpha of a crop; valid in the unknown band only."""
    colours = np.multiply(picture, np.float32(1 / 255), dtype=np.float32)
    # Sharpen the given edge: a network's blur comes from its small size, not from the photo.
    steep = np.clip((np.arange(256, dtype=np.float32) / 255 - 0.5) * EDGE_CONTRAST + 0.5, 0, 1)
    prior = np.asarray(cv2.GaussianBlur(cv2.LUT(rough, steep), (0, 0), 1), np.float32)
    deep = depth > max(5, round(BAND_HALF_WIDTH * long_side))
    sure = cv2.inRange(rough, 255 - CERTAINTY_MARGIN, 255) & np.where(deep, np.uint8(255), np.uint8(0))
    none = cv2.inRange(rough, 0, CERTAINTY_MARGIN) & np.where(deep, np.uint8(255), np.uint8(0))
    unmixed = unmixing.unmix(picture, colours, sure, none, SAMPLE_REACH * max(5, round(BAND_HALF_WIDTH * long_side)))
    guide = cv2.ximgproc.createGuidedFilter(colours, max(3, round(GUIDE_RADIUS * long_side)), GUIDE_EPSILON)
    trust = unmixed.confidence * (COLOUR_WEIGHT + (1 - COLOUR_WEIGHT) * unmixed.confidence**CONFIDENCE_EXPONENT)
    alpha = prior + trust * (unmixed.coverage - prior)
    for _ in range(2):
        followed = np.clip((guide.filter(alpha) - PASS_CLIP) / (1 - 2 * PASS_CLIP), 0, 1)
        alpha = prior + unmixed.confidence * (followed - prior)
    alpha = np.clip((alpha - FINAL_CLIP) / (1 - 2 * FINAL_CLIP), 0, 1)
    # Far from the edge a faint matte value is uncertainty, not hair: the colours alone do not make it subject.
    given = np.multiply(rough, np.float32(1 / 255), dtype=np.float32)
    held = np.clip(alpha, 2.5 * given - 1.25, 2.5 * given - 0.25)
    near, far = max(5, round(BAND_HALF_WIDTH * long_side)), max(8, round(UNCERTAIN_BAND_HALF_WIDTH * long_side))
    fade = np.clip((depth - near) / (far - near), 0, 1)
    return np.asarray(alpha + np.minimum(1, 4 * fade) * (held - alpha) + fade * ((hard > 0) - held), np.float32)


def _shrink(pixels: Pixels) -> tuple[Pixels, tuple[int, int] | None]:
    """Scale to working size; returns that size (width, height), or None if the picture is no larger."""
    height, width = pixels.shape[:2]
    scale = WORK_SIDE / max(height, width)
    if scale >= 1:
        return pixels, None
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), size


def _widen(where: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return np.asarray(cv2.dilate(where.astype(np.uint8), kernel), np.uint8) > 0


def _to_bytes(alpha: NDArray[np.float32]) -> Matte:
    return (np.clip(alpha, 0, 1) * 255 + 0.5).astype(np.uint8)
