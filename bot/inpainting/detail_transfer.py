"""Scaling a fill from working size to the photo's size, with texture from the photo.

The low band is the enlarged small fill. The high band is the detail that the small picture lost, taken from where each
part of the fill was copied from. Without it the fill is a blurred patch in a sharp photo.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.inpainting.patches import Flags, Floats, Indices
from bot.inpainting.synthesis import Synthesis

_STRIP_PIXELS = 400_000
"""Pixels processed at a time, to bound memory."""


def transfer_detail(crop: Pixels, hole: Flags, small: Floats, fill: Synthesis) -> Pixels:
    """Fill a crop from the fill of its small copy.

    Args:
        crop: (H, W, 3) uint8.
        hole: (H, W) bool, the pixels to fill.
        small: (h, w, 3) float32, the crop scaled down (area means).
        fill: The fill of the small copy.

    Returns:
        (H, W, 3) uint8, bit for bit the crop outside the hole.
    """
    filled = crop.copy()
    if crop.shape == small.shape:
        filled[hole] = np.clip(fill.picture[hole] + 0.5, 0, 255).astype(np.uint8)
        return filled
    rows, columns = np.nonzero(hole)
    for begin in range(0, len(rows), _STRIP_PIXELS):
        part = slice(begin, begin + _STRIP_PIXELS)
        detail = _source_detail(crop, small, fill, rows[part], columns[part])
        colours = _sample_enlarged(fill.picture, crop.shape, rows[part], columns[part]) + detail
        filled[rows[part], columns[part]] = np.clip(colours + 0.5, 0, 255).astype(np.uint8)
    return filled


def _source_detail(crop: Pixels, small: Floats, fill: Synthesis, rows: Indices, columns: Indices) -> Floats:
    """Return (N, 3), the photo's high band at the sources of these pixels.

    Each pixel lies between four small ones. If these have different sources, their bands are blended across the seam
    and divided by the norm of the weights: a plain mean of unrelated textures loses contrast (Heitz, Neyret 2018).
    """
    height, width = crop.shape[:2]
    small_height, small_width = small.shape[:2]
    down, across = height / small_height, width / small_width
    y = np.clip((rows + 0.5) / down - 0.5, 0, small_height - 1)
    x = np.clip((columns + 0.5) / across - 0.5, 0, small_width - 1)
    top = np.minimum(y.astype(np.intp), max(0, small_height - 2))
    left = np.minimum(x.astype(np.intp), max(0, small_width - 2))
    ramp_y, ramp_x = _narrow_ramp(y - top), _narrow_ramp(x - left)
    total = np.zeros((len(rows), 3), np.float32)
    corners: list[tuple[Indices, Floats]] = []
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        cell_rows = np.minimum(top + dy, small_height - 1)
        cell_columns = np.minimum(left + dx, small_width - 1)
        step_rows = fill.rows[cell_rows, cell_columns] - cell_rows
        step_columns = fill.columns[cell_rows, cell_columns] - cell_columns
        weight = np.asarray((ramp_y if dy else 1 - ramp_y) * (ramp_x if dx else 1 - ramp_x), np.float32)
        # A cell outside the hole is its own source; its offset would make the hole a source of its neighbours.
        own = (step_rows == 0) & (step_columns == 0)
        weight[own] = 0
        corners.append((step_rows * small_width * 4 + step_columns, weight))
        there = np.flatnonzero(weight > 0)
        from_rows = np.clip(rows[there] + np.rint(step_rows[there] * down).astype(np.intp), 0, height - 1)
        from_columns = np.clip(columns[there] + np.rint(step_columns[there] * across).astype(np.intp), 0, width - 1)
        band = crop[from_rows, from_columns] - _sample_enlarged(small, crop.shape, from_rows, from_columns)
        total[there] += weight[there, None] * band
    energy = np.zeros(len(rows), np.float32)
    for place, weight in corners:
        for other, other_weight in corners:
            energy += weight * other_weight * (place == other)
    return np.asarray(total / np.sqrt(np.maximum(energy, 1e-4))[:, None], np.float32)


def _narrow_ramp(ramp: NDArray[np.floating]) -> Floats:
    """Steepen a ramp so that it blends over the middle half of a small pixel only."""
    return np.asarray(np.clip(2 * ramp - 0.5, 0, 1), np.float32)


def _sample_enlarged(small: Floats, shape: tuple[int, ...], rows: Indices, columns: Indices) -> Floats:
    """Return (N, 3), the cubic enlargement of a small picture at some pixels of the large one."""
    at_x = ((columns + 0.5) * (small.shape[1] / shape[1]) - 0.5).astype(np.float32)
    at_y = ((rows + 0.5) * (small.shape[0] / shape[0]) - 0.5).astype(np.float32)
    # OpenCV's maps may not be longer than 32767.
    side = int(np.ceil(np.sqrt(max(1, len(rows)))))
    grid_x, grid_y = (np.resize(at, (side, side)) for at in (at_x, at_y))
    values = cv2.remap(small, grid_x, grid_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values.reshape(-1, 3)[: len(rows)], np.float32)
