"""Estimating a subject's own colours under its soft edge, without the old background.

A soft pixel shows ``alpha · F + (1 − alpha) · B``. F and B are means around the pixel, weighted by alpha and by
1 − alpha, over shrinking windows; after each step the pixel's residual is distributed between the two. (Forte:
Approximate Fast Foreground Colour Estimation, 2021, does this twice and for F alone. Six times and for both is more
accurate than the multi-level solution of Germer et al., 2020: .026 against .028 on a lemur's fur, in a quarter of the
time. See docs/local-engine.md#foreground-colours.)
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.matting import tiles
from bot.imaging.photo import Matte, Pixels

WORK_SIDE = 1024
"""Long side in pixels at which foreground and background are computed."""

BLEED_RADIUS = 8
"""Pixels beyond the edge that keep the foreground's colours, because scaling straight alpha mixes them in."""

_Floats = NDArray[np.float32]

_WIDE_REACHES = (0.088, 0.044, 0.022)
"""Reach of the first means as shares of the long side: 60, 30 and 15 pixels of 680, on a copy _SHRINK times smaller.

They are weighted by the squares of alpha and of 1 − alpha, because nearly opaque pixels show their own colour best.
"""
_CLOSE_REACHES = (0.012, 0.006, 0.003)
"""Reach of the last means: 8, 4 and 2 pixels of 680."""
_SHRINK = 4
_MIN_WEIGHT = 1e-5
"""Weight of a side's current colour, which stays where that side is out of reach."""


def estimate(picture: Pixels, matte: Matte) -> Pixels:
    """Estimate the foreground's colours where the matte is below 255.

    Args:
        picture: (H, W, 3) uint8.
        matte: (H, W) uint8, straight alpha of the foreground.

    Returns:
        (H, W, 3) uint8: the picture's own colour where the matte is 255, the estimated foreground where it is between
        and up to BLEED_RADIUS pixels (along rows and columns) beyond, and black elsewhere.
    """
    near = np.asarray(cv2.dilate(matte, np.ones((2 * BLEED_RADIUS + 1,) * 2, np.uint8)), np.uint8)
    answer = np.zeros_like(picture)
    cv2.copyTo(picture, near, answer)
    wanted = cv2.bitwise_and(near, cv2.inRange(matte, 0, 254))
    left, top, across, down = cv2.boundingRect(wanted)
    if not across:
        return answer
    height, width = matte.shape
    long_side = max(height, width)
    margin = round(_WIDE_REACHES[0] * long_side) + 1
    box = (
        slice(max(0, top - margin), min(height, top + down + margin)),
        slice(max(0, left - margin), min(width, left + across + margin)),
    )
    _fill(answer[box], picture[box], matte[box], np.asarray(wanted, np.uint8)[box], long_side)
    return answer


def _fill(answer: Pixels, picture: Pixels, matte: Matte, wanted: Matte, long_side: int) -> None:
    """Write the foreground's colours into `answer` where `wanted` is not 0."""
    height, width = matte.shape
    scale = min(1.0, WORK_SIDE / long_side)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small, alpha = (_at_size(part, size) for part in (picture, matte))
    front, back = _solve(small, alpha, long_side * scale)
    if size == (width, height):
        np.copyto(answer, _to_bytes(front), where=wanted[..., None] > 0)
        return
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for tile in tiles.nonzero_tiles(wanted):
        place = tiles.transform_to(*tile, size[0] / width, size[1] / height)
        shape = tiles.size(*tile)
        fine, behind = (
            np.asarray(cv2.warpAffine(layer, place, shape, None, flags, cv2.BORDER_REPLICATE), np.float32)
            for layer in (front, back)
        )
        own = _at_size(matte[tile], shape)
        corrected, _ = _distribute_residual(_at_size(picture[tile], shape), own, fine, behind)
        np.copyto(answer[tile], _to_bytes(corrected), where=wanted[tile][..., None] > 0)


def _solve(picture: _Floats, alpha: _Floats, long_side: float) -> tuple[_Floats, _Floats]:
    """Foreground and background, (h, w, 3) float32 each, 0 … 1."""
    height, width = alpha.shape
    size = (max(1, width // _SHRINK), max(1, height // _SHRINK))
    tiny, weight = (
        np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32) for part in (picture, alpha)
    )
    front, back = tiny, tiny
    for reach in _WIDE_REACHES:
        radius = max(1, round(reach * long_side / _SHRINK))
        means = _mean(front, weight * weight, radius), _mean(back, (1 - weight) * (1 - weight), radius)
        front, back = _distribute_residual(tiny, weight, *means)
    front, back = (
        np.asarray(cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        for layer in (front, back)
    )
    for reach in _CLOSE_REACHES:
        radius = max(1, round(reach * long_side))
        means = _mean(front, alpha, radius), _mean(back, 1 - alpha, radius)
        front, back = _distribute_residual(picture, alpha, *means)
    return front, back


def _mean(layer: _Floats, weight: _Floats, radius: int) -> _Floats:
    """Mean of a side's colours in a window, weighted by its share of each pixel; unchanged where it is absent."""
    window = (2 * radius + 1,) * 2
    summed = np.asarray(cv2.blur(layer * weight[..., None], window), np.float32)
    summed += np.float32(_MIN_WEIGHT) * layer
    summed /= (cv2.blur(weight, window) + np.float32(_MIN_WEIGHT))[..., None]
    return summed


def _distribute_residual(picture: _Floats, alpha: _Floats, front: _Floats, back: _Floats) -> tuple[_Floats, _Floats]:
    """Return the F and B closest to the given ones that reproduce each pixel."""
    own = alpha[..., None]
    other = 1 - own
    residual = picture - own * front - other * back
    residual /= own * own + other * other + np.float32(1e-3)
    return np.clip(front + own * residual, 0, 1), np.clip(back + other * residual, 0, 1)


def _at_size(part: Pixels | Matte, size: tuple[int, int]) -> _Floats:
    if part.shape[1::-1] != size:
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.multiply(part, np.float32(1 / 255), dtype=np.float32)


def _to_bytes(colours: _Floats) -> Pixels:
    return (colours * np.float32(255) + np.float32(0.5)).astype(np.uint8)
