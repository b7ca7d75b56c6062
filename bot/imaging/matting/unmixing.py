"""Unmixing: a pixel's coverage from its colour, where the subject's and the background's colours differ."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Mask, Pixels

_Floats = NDArray[np.float32]

SHRINK = 4
"""Factor by which the picture is scaled down to measure the two sides' colours, which change slowly."""

SEPARABLE = 40.0
"""Fisher's separation (squared standard deviations) of the two sides' colours at which the confidence is one half.

At 30 a lemur's fur is matted as well and streets lose .001 of boundary F; at 60 the fur loses .004 of its error.
"""

_NOISE = 1e-3
"""Added to the variance of a side's colours (0 … 1): a uniform wall is not full evidence."""

_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Unmixing:
    """Coverage and confidence of each pixel.

    Attributes:
        coverage: (H, W) float32, 0 … 1: the pixel's position between the two sides' mean colours.
        confidence: (H, W) float32, 0 … 1: how clearly the two sides' colours differ; 0 where one side is out of reach.
    """

    coverage: _Floats
    confidence: _Floats


def unmix(picture: Pixels, colours: _Floats, front: Mask, back: Mask, reach: int) -> Unmixing:
    """Compare each pixel with the known subject and the known background around it.

    Both sides' colours in a window are modelled as normal distributions with one covariance. A pixel's position between
    their means is measured along Fisher's linear discriminant, whose squared length is the separation of the sides.

    Args:
        picture: (H, W, 3) uint8 RGB.
        colours: The same as float32, 0 … 1.
        front: (H, W) uint8, 255 = certainly subject.
        back: (H, W) uint8, 255 = certainly background.
        reach: Half side of the windows in pixels.
    """
    height, width = front.shape
    size = (max(2, width // SHRINK), max(2, height // SHRINK))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    radius = max(2, round(reach / SHRINK))
    near, far = (
        _side(small, np.asarray(cv2.resize(side, size, interpolation=cv2.INTER_AREA)), radius) for side in (front, back)
    )
    apart = near[0] - far[0]
    axis = _solve((near[1] + far[1]) / np.float32(2), apart)
    separation = (axis * apart).sum(-1)
    separation[near[2] | far[2]] = 0
    axis /= np.maximum(separation, 1e-3)[..., None]
    offset = -(axis * far[0]).sum(-1)
    confidence = 1 - 1 / (1 + (separation / SEPARABLE) ** 2)
    model = np.dstack([axis, offset, confidence]).astype(np.float32)
    large = np.asarray(cv2.resize(model, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    coverage = np.asarray(cv2.transform(large[..., :3] * colours, np.ones((1, 3), np.float32)), np.float32)
    coverage += large[..., 3]
    return Unmixing(np.clip(coverage, 0, 1), np.ascontiguousarray(large[..., 4]))


def _side(small: _Floats, side: Mask, radius: int) -> tuple[_Floats, _Floats, NDArray[np.bool_]]:
    """Mean (h, w, 3) and covariance (h, w, 6) of one side's colours around each pixel, and where it is absent."""
    window = (2 * radius + 1,) * 2
    weight = (side == 255).astype(np.float32)
    count = np.asarray(cv2.blur(weight, window), np.float32)
    share = np.asarray(1 / (count + np.float32(1e-6)), np.float32)
    mean = np.asarray(cv2.blur(small * weight[..., None], window), np.float32) * share[..., None]
    spread = np.empty((*weight.shape, 6), np.float32)
    for index, (i, j) in enumerate(_PAIRS):
        product = cv2.blur(small[..., i] * small[..., j] * weight, window)
        spread[..., index] = product * share - mean[..., i] * mean[..., j]
    return np.asarray(mean, np.float32), spread, np.asarray(count < 0.5 / window[0] ** 2, np.bool_)


def _solve(spread: _Floats, right: _Floats) -> _Floats:
    """Solve a symmetric 3 × 3 system per pixel, (h, w, 6) and (h, w, 3), by its adjugate."""
    xx, xy, xz, yy, yz, zz = (
        spread[..., index] + np.float32(_NOISE if i == j else 0) for index, (i, j) in enumerate(_PAIRS)
    )
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    x, y, z = (right[..., index] for index in range(3))
    whole = xx * a + xy * b + xz * c
    solved = np.stack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z], -1) / whole[..., None]
    return np.asarray(solved, np.float32)
