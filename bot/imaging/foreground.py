"""A subject's own colours under its soft edge, without the old background mixed in.

Germer, Uelwer, Conrad, Harmeling: Fast Multi-Level Foreground Estimation (2020). A soft pixel shows
``alpha · F + (1 − alpha) · B``; F and B are the smoothest pictures that explain it, found from coarse to fine. The
broad levels are solved whole; above WORK_SIDE only the soft pixels are touched, in strips, so that a photo of any size
costs little more than its own bytes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Matte, Pixels

WORK_SIDE = 1024
"""Long side in pixels up to which foreground and background are solved as whole pictures."""

_Floats = NDArray[np.float32]

_SMOOTHNESS = 1e-5
"""How much neighbours' colours are to agree where alpha does not change (the paper's ε_r)."""
_EDGE_SMOOTHNESS = 1.0
"""The same per difference of alpha (the paper's ω): the soft edge is where smoothness must decide."""
_SMALL = 32
"""Long side up to which a level is iterated to rest."""
_STRIP = 256


def estimate(picture: Pixels, matte: Matte) -> Pixels:
    """The foreground's colours wherever the matte is neither 0 nor 255.

    Args:
        picture: (H, W, 3) uint8.
        matte: (H, W) uint8, straight alpha of the foreground.

    Returns:
        (H, W, 3) uint8: the picture's own colour where the matte is 255, the estimated foreground where it is between,
        and a smooth continuation of the foreground where it is 0 (nothing of the old background is left there).
    """
    height, width = matte.shape
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    alpha = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    front, back = _levels(small, alpha)
    answer = picture.copy()
    for top in range(0, height, _STRIP):
        rows = slice(top, top + _STRIP)
        soft = matte[rows] < 255
        if not soft.any():
            continue
        place = np.array([[size[0] / width, 0, 0.5 * size[0] / width - 0.5], [0, size[1] / height, 0.0]])
        place[1, 2] = (top + 0.5) * size[1] / height - 0.5
        shape = (width, soft.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        fine, behind = (
            cv2.warpAffine(layer, place, shape, None, flags, cv2.BORDER_REPLICATE)[soft] for layer in (front, back)
        )
        own = matte[rows][soft].astype(np.float32)[:, None] / 255
        # One step of the paper's per-pixel solution with the upsampled F and B as the neighbours.
        misfit = picture[rows][soft].astype(np.float32) / 255 - own * fine - (1 - own) * behind
        mended = fine + own * misfit / (own**2 + (1 - own) ** 2 + 1e-3)
        answer[rows][soft] = (np.clip(mended, 0, 1) * 255 + 0.5).astype(np.uint8)
    return answer


def _levels(picture: _Floats, alpha: _Floats) -> tuple[_Floats, _Floats]:
    """Foreground and background, (h, w, 3) float32 each, from one pixel up to the picture's size by doubling."""
    height, width = alpha.shape
    count = max(1, int(np.ceil(np.log2(max(height, width)))))
    front = _weighted_mean(picture, alpha)
    back = _weighted_mean(picture, 1 - alpha)
    for level in range(1, count + 1):
        size = (max(1, round(width ** (level / count))), max(1, round(height ** (level / count))))
        seen = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
        weight = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        front, back = (
            np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_LINEAR), np.float32) for layer in (front, back)
        )
        for _ in range(10 if max(size) <= _SMALL else 3):
            front, back = _relax(seen.reshape(*weight.shape, 3), weight, front, back)
    return front, back


def _weighted_mean(picture: _Floats, weight: _Floats) -> _Floats:
    total = max(float(weight.sum()), 1e-6)
    return np.asarray((picture * weight[..., None]).sum((0, 1), keepdims=True) / total, np.float32)


def _relax(picture: _Floats, alpha: _Floats, front: _Floats, back: _Floats) -> tuple[_Floats, _Floats]:
    """One Jacobi step: each pixel's best F and B given its neighbours' (a 2 × 2 system a pixel, equation 4)."""
    opposite = 1 - alpha
    near_front, near_back = np.zeros_like(front), np.zeros_like(back)
    total = np.zeros_like(alpha)
    framed = np.pad(alpha, 1, mode="edge")
    layers = [np.pad(layer, ((1, 1), (1, 1), (0, 0)), mode="edge") for layer in (front, back)]
    height, width = alpha.shape
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        window = (slice(dy, dy + height), slice(dx, dx + width))
        weight = _SMOOTHNESS + _EDGE_SMOOTHNESS * np.abs(alpha - framed[window])
        total += weight
        near_front += weight[..., None] * layers[0][window]
        near_back += weight[..., None] * layers[1][window]
    near_front += alpha[..., None] * picture
    near_back += opposite[..., None] * picture
    own, cross, other = alpha**2 + total, alpha * opposite, opposite**2 + total
    scale = 1 / (own * other - cross**2)
    new_front = (other[..., None] * near_front - cross[..., None] * near_back) * scale[..., None]
    new_back = (own[..., None] * near_back - cross[..., None] * near_front) * scale[..., None]
    return np.clip(new_front, 0, 1), np.clip(new_back, 0, 1)
