"""From a small matte to one of the photo's size that follows the photo's edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Mask, Matte, Pixels

_STRIP = 256
"""Rows worked at a time: bounds the memory for photos of any size."""


def shrink(picture: Pixels, long_side: int) -> Pixels:
    """The picture with its long side at most `long_side` pixels; itself where it is small enough."""
    height, width = picture.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    while max(picture.shape[:2]) > 8 * long_side:
        # INTER_AREA reads every pixel with a slow general kernel; whole-number strides first keep 48 MP quick.
        picture = picture[::2, ::2]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def upsample(matte: NDArray[np.float32], small: Pixels, picture: Pixels) -> Matte:
    """Carry a small matte up to the photo's size along the photo's edges.

    The fast guided filter (He, Sun: Fast Guided Filter, 2015): a local linear model from colour to alpha is fitted on
    the small picture and applied to the large one, in strips. Only near the matte's edge; elsewhere it is as it was.

    Args:
        matte: (h, w) float32, 0 … 1.
        small: (h, w, 3) uint8 RGB, the photo shrunk to the matte's size.
        picture: (H, W, 3) uint8 RGB, the photo.

    Returns:
        (H, W) uint8.
    """
    height, width = picture.shape[:2]
    rows, columns = matte.shape
    scale = max(height / rows, width / columns)
    if scale <= 1:
        return _to_bytes(matte)
    slope, offset = _local_models(matte, small)
    band = _band(matte)
    model = np.dstack([slope, offset, matte, band]).astype(np.float32)
    answer = np.empty((height, width), np.uint8)
    step_x, step_y = columns / width, rows / height
    for top in range(0, height, _STRIP):
        part = picture[top : top + _STRIP]
        place = np.array([[step_x, 0, 0.5 * step_x - 0.5], [0, step_y, (top + 0.5) * step_y - 0.5]])
        fine = _sample(model, place, (width, part.shape[0]))
        guided = np.clip((fine[..., :3] * (part.astype(np.float32) / 255)).sum(-1) + fine[..., 3], 0, 1)
        answer[top : top + _STRIP] = _to_bytes(fine[..., 4] + (guided - fine[..., 4]) * fine[..., 5])
    return answer


def to_mask(matte: Matte) -> Mask:
    """The pixels that are more in than out."""
    mask: Mask = np.where(matte > 127, np.uint8(255), np.uint8(0))
    return mask


def _sample(model: NDArray[np.float32], place: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear samples of a many-channelled picture (OpenCV warps four channels at most at a time)."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    parts = [
        cv2.warpAffine(np.ascontiguousarray(model[..., at : at + 3]), place, size, None, flags, cv2.BORDER_REPLICATE)
        for at in range(0, model.shape[2], 3)
    ]
    return np.concatenate(parts, 2)


def _to_bytes(matte: NDArray[np.float32]) -> Matte:
    return (np.clip(matte, 0, 1) * 255 + 0.5).astype(np.uint8)


def _band(matte: NDArray[np.float32]) -> NDArray[np.float32]:
    solid = (matte > 0.5).astype(np.uint8)
    around = np.ones((7, 7), np.uint8)
    near = cv2.dilate(solid, around) - cv2.erode(solid, around, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.blur(near.astype(np.float32), (5, 5)), np.float32)


def _local_models(
    matte: NDArray[np.float32], small: Pixels, radius: int = 4, smooth: float = 1e-4
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope (h, w, 3) and offset (h, w) of the best linear model from colour to alpha around each pixel."""
    guide: NDArray[np.float32] = small.astype(np.float32) / np.float32(255)
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT), np.float32)

    colour, alpha = mean(guide), mean(matte)
    spread = np.empty((*matte.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            spread[..., i, j] = mean(guide[..., i] * guide[..., j]) - colour[..., i] * colour[..., j]
            spread[..., j, i] = spread[..., i, j]
        spread[..., i, i] += smooth
    joint = mean(guide * matte[..., None]) - colour * alpha[..., None]
    slope = np.linalg.solve(spread, joint[..., None])[..., 0].astype(np.float32)
    offset = alpha - (slope * colour).sum(-1)
    return mean(slope), mean(offset)
