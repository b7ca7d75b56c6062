"""From a coarse matte or a trimap to a fine matte: hair, fur, blur and what is half covered."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging import closed_form, joint_upsampling
from bot.imaging.photo import Mask, Matte, Photo, Pixels

WORK_SIDE = 1024
"""Long side in pixels that the edge is solved at; larger photos take the solution up along their own edges."""

BAND = 0.012
"""Half width of the unknown band as a share of the long side: 2 % in all (facts E6: 1–2 %)."""

WIDE_BAND = 0.025
"""The same where the rim turns out hairy: half transparent right up to the narrow band's end."""

FREE, HELD = 1e-3, 1.0
"""Pull towards the given edge where the two sides' colours differ, and where they do not."""

STEEP = 2.5
"""Contrast that the given matte is raised by: a network's ramp is several pixels wide, a photo's edge one or two."""

SEPARABLE = 10.0
"""Fisher's separation (squared standard deviations) of the two sides' colours at which the pull is half of HELD."""

SPECK = 0.02
"""Coverage that counts as none, and as whole when so much is missing: smoke far out, dimness far in."""


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
    radius = max(5, round(BAND * long_side))
    trimap = _trimap(hard, _widen(soft > 0, 2), radius)
    # The given edge is wanted crisp: a network's blur comes from its small size, not from the photo.
    steep = np.clip((rough.astype(np.float32) / 255 - 0.5) * STEEP + 0.5, 0, 1)
    prior = np.asarray(cv2.GaussianBlur(steep, (0, 0), 1), np.float32)
    pull = _pull(small, trimap, 3 * radius)
    alpha = closed_form.solve(small, trimap, guess=prior, trust=pull)
    hairy = _hairy(alpha, pull, trimap, hard, max(8, round(WIDE_BAND * long_side)))
    if hairy.any():
        trimap = np.where(hairy, 128, trimap).astype(np.uint8)
        alpha = closed_form.solve(small, trimap, guess=prior, trust=_pull(small, trimap, 3 * radius))
    alpha = np.clip((alpha - SPECK) / (1 - 2 * SPECK), 0, 1)
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


def _pull(picture: Pixels, trimap: Matte, radius: int) -> NDArray[np.float32]:
    """How strongly each pixel is held to the given edge: much where the two sides look alike, hardly where they differ.

    The known subject and the known background in a window around each pixel are taken as two normal distributions of
    colours; Fisher's linear discriminant says how far apart they lie. Over a crowd or foliage the closed form finds
    lines of colours that mean nothing and smears; there the given edge is the better witness.

    Returns:
        (H, W) float32, FREE … HELD.
    """
    colours: NDArray[np.float32] = picture.astype(np.float32) / np.float32(255)
    asked = (trimap > 0) & (trimap < 255)
    front, front_spread = _side(colours, trimap == 255, asked, radius)
    back, back_spread = _side(colours, trimap == 0, asked, radius)
    spread = (front_spread + back_spread) / 2 + np.eye(3, dtype=np.float32) * 1e-3
    apart = front - back
    separation = (np.linalg.solve(spread, apart[..., None])[..., 0] * apart).sum(-1)
    pull = np.full(trimap.shape, HELD, np.float32)
    pull[asked] = FREE + (HELD - FREE) / (1 + (separation / SEPARABLE) ** 2)
    return pull


def _side(
    colours: NDArray[np.float32], where: NDArray[np.bool_], asked: NDArray[np.bool_], radius: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean (N, 3) and covariance (N, 3, 3) of the colours of `where` in the window around each of N pixels asked."""
    window = (2 * radius + 1,) * 2
    weight = where.astype(np.float32)
    count = cv2.blur(weight, window)[asked] + 1e-6
    mean = cv2.blur(colours * weight[..., None], window)[asked] / count[:, None]
    spread = np.empty((len(count), 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            product = cv2.blur(colours[..., i] * colours[..., j] * weight, window)[asked] / count
            spread[:, i, j] = spread[:, j, i] = product - mean[:, i] * mean[:, j]
    return mean, spread


def _hairy(
    alpha: NDArray[np.float32], pull: NDArray[np.float32], trimap: Matte, hard: Mask, reach: int
) -> NDArray[np.bool_]:
    """Where the band ended too early: colours tell the sides apart, and the outer rim is still half transparent."""
    unknown = (trimap > 0) & (trimap < 255)
    outer = unknown & _widen((trimap == 0), 2) & (hard == 0)
    open_ended = outer & (alpha > 0.15) & (alpha < 0.9) & (pull < 0.1 * HELD)
    # One stray pixel is noise; hair is many along the rim.
    share = cv2.blur(open_ended.astype(np.float32), (15, 15)) / (cv2.blur(outer.astype(np.float32), (15, 15)) + 1e-3)
    seeds = open_ended & (share > 0.3)
    grown = _widen(seeds, reach) if seeds.any() else seeds
    outside = cv2.distanceTransform(255 - hard, cv2.DIST_L2, 5)
    return np.asarray(grown & (hard == 0) & (outside <= reach) & (trimap == 0), np.bool_)


def _widen(where: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return np.asarray(cv2.dilate(where.astype(np.uint8), kernel), np.uint8) > 0


def _to_bytes(alpha: NDArray[np.float32]) -> Matte:
    return (np.clip(alpha, 0, 1) * 255 + 0.5).astype(np.uint8)
