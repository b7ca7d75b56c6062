"""Smooth fill for a hole with too few sources around it: a soft surface with the photo's grain."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Mask, Pixels
from bot.inpainting.patches import Flags, Floats

_WORK_SIDE = 512
_ITERATIONS = 200
_GREY = 128
_MAX_GRAIN = 8.0
_NORMAL_FIRST_QUARTILE = 0.3186
"""The first quartile of the absolute values of a normal distribution of spread 1."""


def smooth_fill(crop: Pixels, hole: Mask, *, seed: int) -> Pixels:
    """Fill with the smoothest surface through the colours at the hole's rim, with grain as strong as the photo's.

    Args:
        crop: (H, W, 3) uint8.
        hole: (H, W) uint8, 255 = fill.
        seed: Seed of the grain.

    Returns:
        (H, W, 3) uint8, bit for bit the crop outside the hole; grey if the hole is the whole crop.
    """
    known = hole == 0
    if not known.any():
        return np.full_like(crop, _GREY)
    height, width = hole.shape
    scale = min(1.0, _WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    weight = _resized(known.astype(np.float32), size)
    total = _resized(np.where(known[..., None], crop, 0).astype(np.float32), size)
    surface = membrane(total, weight)
    large = cv2.resize(surface, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = _grain(crop, known, np.random.default_rng(seed % (1 << 63)))
    filled = np.clip(large + grain[..., None] + 0.5, 0, 255).astype(np.uint8)
    return np.where(known[..., None], crop, filled)


def membrane(total: Floats, weight: Floats) -> Floats:
    """Interpolate a smooth surface through the known pixels (pull-push on a pyramid, then Jacobi iterations).

    Args:
        total: (H, W, 3) float32, area means times the share of the area that is known.
        weight: (H, W) float32, that share, 0 … 1; not 0 everywhere.

    Returns:
        (H, W, 3) float32; known pixels are unchanged.
    """
    if weight.min() > 0:
        return np.asarray(total / weight[..., None], np.float32)
    height, width = weight.shape
    size = (max(1, width // 2), max(1, height // 2))
    coarse = membrane(_resized(total, size), _resized(weight, size))
    surface = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    is_known = weight[..., None] > 0
    known = total / np.maximum(weight, 1e-6)[..., None]
    surface = np.where(is_known, known, surface)
    for _ in range(_ITERATIONS if max(size) <= 64 else 20):
        surface = np.where(is_known, known, cv2.blur(surface, (3, 3)))
    return np.asarray(surface, np.float32)


def _resized(picture: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32).reshape(
        size[1], size[0], *picture.shape[2:]
    )


def _grain(crop: Pixels, known: Flags, rng: np.random.Generator) -> Floats:
    """Make noise as strong as the photo's in its smoothest quarter, because edges and texture are not grain."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rough = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    strength = min(float(np.quantile(rough[known], 0.25)) / _NORMAL_FIRST_QUARTILE, _MAX_GRAIN)
    noise = rng.standard_normal(known.shape, dtype=np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 0.7)
    return np.asarray(soft * np.float32(strength / max(float(soft.std()), 1e-3)), np.float32)
