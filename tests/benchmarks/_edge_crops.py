"""Edges of a cut-out at 100 %: where its outline is highest, furthest left and furthest right, over three colours."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from tests.benchmarks import _sheets

SIDE = 300
"""Pixels of a view; each is one pixel of the photo."""

SOFT = (32, 224)
"""Of 255: edges between these are hair, fur and blur, which a view should show."""


def rows(name: str, photo: Pixels, picture: Pixels | None) -> list[list[Pixels]]:
    """Views of a photo's edges: the photo, the cut-out over black, white and red.

    Args:
        name: The photo's.
        photo: (H, W, 3) uint8.
        picture: (H, W, 4) uint8, the cut-out; None: nothing was found.
    """
    if picture is None or not (picture[..., 3] >= 128).any():
        return []
    pixels, alpha = np.ascontiguousarray(picture[..., :3]), np.ascontiguousarray(picture[..., 3])
    shown = [photo, *(_sheets.over(pixels, alpha, colour) for colour in (_sheets.BLACK, _sheets.WHITE, _sheets.RED))]
    captions = [name, "", "", ""]
    found = []
    for column, row in places(alpha):
        views = [_view(one, column, row) for one in shown]
        found.append([_sheets.cell(one, caption, (SIDE, SIDE)) for one, caption in zip(views, captions, strict=True)])
    return found


def places(alpha: np.ndarray) -> list[tuple[int, int]]:
    """Where to look, as column and row: the three farthest points of the outline, and where most of it is soft."""
    line = np.argwhere(alpha >= 128)
    ends = (line[np.argmin(line[:, 0])], line[np.argmin(line[:, 1])], line[np.argmax(line[:, 1])])
    soft = ((alpha > SOFT[0]) & (alpha < SOFT[1])).astype(np.float32)
    softest = np.unravel_index(np.argmax(cv2.boxFilter(soft, -1, (SIDE // 2, SIDE // 2))), soft.shape)
    chosen: list[tuple[int, int]] = []
    for row, column in (softest, *ends):
        # One view does not show what another shows already.
        if all(max(abs(column - x), abs(row - y)) > SIDE // 2 for x, y in chosen):
            chosen.append((int(column), int(row)))
    return chosen


def _view(pixels: Pixels, column: int, row: int) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = (max(0, min(at - SIDE // 2, side - SIDE)) for at, side in ((column, width), (row, height)))
    return np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])
