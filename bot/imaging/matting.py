"""From a coarse matte or a trimap to a fine matte: hair, fur, blur and what is half covered."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging import closed_form, joint_upsampling
from bot.imaging.photo import Mask, Matte, Photo, Pixels

WORK_SIDE = 1024
"""Long side in pixels that the edge is solved at; larger photos take the solution up along their own edges."""

BAND = 0.008
"""Half width of the unknown band as a share of the long side: 1–2 % in all (facts E6)."""

WIDE_BAND = 0.02
"""The same where the rim turns out hairy: half transparent right up to the narrow band's end."""

TRUST = 1e-3
"""Pull towards the given matte where the colours of both sides are alike and say nothing about the edge."""


def matte_from_trimap(photo: Photo, trimap: Matte) -> Matte:
    """Solve a trimap's unknown pixels.

    Args:
        photo: The photo.
        trimap: (H, W) uint8: 0 = background, 255 = subject, anything between = unknown.

    Returns:
        (H, W) uint8; 0 and 255 where the trimap knows, but for the one pixel beside the unknown in photos that are
        solved at reduced size.
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

    Args:
        photo: The photo.
        matte: (H, W) uint8, a mask or a soft matte that is right but for its edge.

    Returns:
        (H, W) uint8; 0 and 255 away from the edge.
    """
    small, size = _shrink(photo.pixels)
    rough = matte if size is None else np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.uint8)
    hard = np.where(rough >= 128, 255, 0).astype(np.uint8)
    if not hard.any() or hard.all():
        return np.asarray(np.where(matte >= 128, 255, 0), np.uint8)
    long_side = max(hard.shape)
    # A soft matte of a learned model already says how wide its edge is; a mask's ramp is one pixel.
    soft = ((rough > 12) & (rough < 243)).astype(np.uint8)
    trimap = _trimap(hard, _widen(soft > 0, 2), max(3, round(BAND * long_side)))
    prior = cv2.GaussianBlur(rough.astype(np.float32) / 255, (0, 0), 1.5)
    alpha = closed_form.solve(small, trimap, guess=prior, trust=TRUST)
    hairy = _hairy(alpha, trimap, hard, max(6, round(WIDE_BAND * long_side)))
    if hairy.any():
        trimap = np.where(hairy, 128, trimap).astype(np.uint8)
        alpha = closed_form.solve(small, trimap, guess=prior, trust=TRUST)
    band = (trimap > 0) & (trimap < 255)
    if size is None:
        return _to_bytes(alpha)
    return joint_upsampling.upsample(alpha, small, photo.pixels, _widen(band, 1))


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


def _trimap(hard: Mask, soft: NDArray[np.bool_], radius: int) -> Matte:
    """0, 128 and 255: unknown within `radius` of the mask's edge and where `soft` says so.

    A part of the subject thinner than the band (a leg, a cable) keeps a known core, else nothing would hold it.
    """
    framed = cv2.copyMakeBorder(hard, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inside = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    outside = cv2.distanceTransform(255 - framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    size = (2 * radius + 1,) * 2
    ridge = np.asarray(cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)), np.float32)
    gap = np.asarray(cv2.dilate(outside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)), np.float32)
    front = inside > np.minimum(radius, 0.8 * ridge)
    back = outside > np.minimum(radius, 0.8 * gap)
    trimap = np.where(front & (hard > 0), 255, np.where(back & (hard == 0), 0, 128)).astype(np.uint8)
    trimap[soft & (inside <= radius) & (outside <= radius)] = 128
    return trimap


def _hairy(alpha: NDArray[np.float32], trimap: Matte, hard: Mask, reach: int) -> NDArray[np.bool_]:
    """Where the band ended too early: the solution is still half transparent at its outer rim."""
    unknown = (trimap > 0) & (trimap < 255)
    outer = unknown & _widen((trimap == 0), 2) & (hard == 0)
    open_ended = outer & (alpha > 0.15) & (alpha < 0.9)
    # One stray pixel is noise; hair is many along the rim.
    share = cv2.blur(open_ended.astype(np.float32), (15, 15)) / (cv2.blur(outer.astype(np.float32), (15, 15)) + 1e-3)
    seeds = open_ended & (share > 0.3)
    grown = _widen(seeds, reach) if seeds.any() else seeds
    outside = cv2.distanceTransform(255 - hard, cv2.DIST_L2, 5)
    return grown & (hard == 0) & (outside <= reach) & (trimap == 0)


def _widen(where: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return np.asarray(cv2.dilate(where.astype(np.uint8), kernel), np.uint8) > 0


def _to_bytes(alpha: NDArray[np.float32]) -> Matte:
    return (np.clip(alpha, 0, 1) * 255 + 0.5).astype(np.uint8)
