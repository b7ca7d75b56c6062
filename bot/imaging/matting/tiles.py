"""Squares of a large picture in which there is work to do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Pixels: the arithmetic's copies of one square stay in the processor's cache."""


def busy(where: NDArray[np.uint8]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of each square in which `where` (H, W) is not all 0, from the top left."""
    height, width = where.shape
    for top in range(0, height, SIDE):
        rows = slice(top, min(height, top + SIDE))
        for left in range(0, width, SIDE):
            columns = slice(left, min(width, left + SIDE))
            if where[rows, columns].any():
                yield rows, columns


def placement(rows: slice, columns: slice, across: float, down: float) -> NDArray[np.float64]:
    """(2, 3) map from a square's pixels to those of a smaller picture, for `cv2.warpAffine` with WARP_INVERSE_MAP.

    Args:
        rows: The square's rows.
        columns: The square's columns.
        across: Width of the smaller picture by the larger one's.
        down: Height of the smaller picture by the larger one's.
    """
    left, top = (columns.start + 0.5) * across - 0.5, (rows.start + 0.5) * down - 0.5
    return np.array([[across, 0, left], [0, down, top]])


def size(rows: slice, columns: slice) -> tuple[int, int]:
    """A square's width and height."""
    return columns.stop - columns.start, rows.stop - rows.start
