"""Tiles of a large picture that need processing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Pixels: temporary arrays of one tile stay in the processor's cache."""


def nonzero_tiles(where: NDArray[np.uint8]) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of each tile in which `where` (H, W) is not all 0, from the top left."""
    height, width = where.shape
    for top in range(0, height, SIDE):
        rows = slice(top, min(height, top + SIDE))
        for left in range(0, width, SIDE):
            columns = slice(left, min(width, left + SIDE))
            if where[rows, columns].any():
                yield rows, columns


def transform_to(rows: slice, columns: slice, across: float, down: float) -> NDArray[np.float64]:
    """(2, 3) map from a tile's pixels to those of a smaller picture, for `cv2.warpAffine` with WARP_INVERSE_MAP.

    Args:
        rows: The tile's rows.
        columns: The tile's columns.
        across: Width of the smaller picture divided by the larger one's.
        down: Height of the smaller picture divided by the larger one's.
    """
    left, top = (columns.start + 0.5) * across - 0.5, (rows.start + 0.5) * down - 0.5
    return np.array([[across, 0, left], [0, down, top]])


def size(rows: slice, columns: slice) -> tuple[int, int]:
    """Return a tile's width and height."""
    return columns.stop - columns.start, rows.stop - rows.start
