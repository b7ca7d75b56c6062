"""Joint upsampling: scaling a small matte to the photo's size along the photo's edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.matting import tiles
from bot.imaging.photo import Matte, Pixels

_Floats = NDArray[np.float32]


def upsample(
    matte: _Floats, small: Pixels, picture: Pixels, band: NDArray[np.bool_], *, radius: int = 1, smooth: float = 1e-4
) -> Matte:
    """Scale a small matte up to the photo's size along the photo's edges.

    The fast guided filter (He, Sun: Fast Guided Filter, 2015): a local linear model from colour to alpha is fitted on
    the small picture and applied to the large one, tile by tile, in the band. Elsewhere the matte is scaled linearly.

    Args:
        matte: (h, w) float32, 0 … 1.
        small: (h, w, 3) uint8, the photo shrunk to the matte's size.
        picture: (H, W, 3) uint8, the photo.
        band: (h, w), where the edge is; outside it the small matte is 0 or 1.
        radius: Of the window that a model is fitted in, in small pixels.
        smooth: Regulariser of the fit (colours 0 … 1): the larger, the less the photo's texture shows.

    Returns:
        (H, W) uint8.
    """
    height, width = picture.shape[:2]
    rows, columns = matte.shape
    if (height, width) == (rows, columns):
        return (np.clip(matte, 0, 1) * 255 + 0.5).astype(np.uint8)
    slope, offset = _local_models(matte, small, band, radius, smooth)
    plain_bytes = (np.clip(matte, 0, 1) * 255 + 0.5).astype(np.uint8)
    answer = np.asarray(cv2.resize(plain_bytes, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    near = cv2.resize(band.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    rest = np.dstack([offset, matte])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    ones = np.ones((1, 3), np.float32) / np.float32(255)
    for tile in tiles.nonzero_tiles(np.asarray(near, np.uint8)):
        place, size = tiles.transform_to(*tile, columns / width, rows / height), tiles.size(*tile)
        slopes = cv2.warpAffine(slope, place, size, None, flags, cv2.BORDER_REPLICATE)
        others = cv2.warpAffine(rest, place, size, None, flags, cv2.BORDER_REPLICATE)
        guided = cv2.transform(slopes * picture[tile], ones) + others[..., 0]
        plain = others[..., 1]
        # A model may overshoot where the photo is finer than the small picture: keep it near the linear value.
        held = np.clip(np.clip(guided, plain - np.float32(0.5), plain + np.float32(0.5)), 0, 1)
        np.copyto(answer[tile], (held * 255 + 0.5).astype(np.uint8), where=near[tile] > 0)
    return answer


def _local_models(
    matte: _Floats, small: Pixels, band: NDArray[np.bool_], radius: int, smooth: float
) -> tuple[_Floats, _Floats]:
    """Slope (h, w, 3) and offset (h, w) of the best linear model from colour to alpha around each pixel of the band."""
    guide: _Floats = small.astype(np.float32) / np.float32(255)
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: _Floats) -> _Floats:
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT), np.float32)

    near = cv2.dilate(band.astype(np.uint8), np.ones(window, np.uint8)) > 0
    colour, alpha = mean(guide)[near], mean(matte)[near]
    spread = np.empty((len(alpha), 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            product = mean(guide[..., i] * guide[..., j])[near]
            spread[:, i, j] = spread[:, j, i] = product - colour[:, i] * colour[:, j]
        spread[:, i, i] += smooth
    joint = mean(guide * matte[..., None])[near] - colour * alpha[:, None]
    slope, offset = np.zeros_like(guide), matte.copy()
    slope[near] = np.linalg.solve(spread, joint[..., None])[..., 0]
    offset[near] = alpha - (slope[near] * colour).sum(1)
    return mean(slope), mean(offset)
