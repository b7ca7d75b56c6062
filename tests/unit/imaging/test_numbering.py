"""Numbered objects on a picture: every number stands on its own object, and is seen."""

from __future__ import annotations

import numpy as np
import pytest

from bot.imaging.numbering import COLOURS, draw_numbered_outlines
from bot.imaging.photo import Mask

HEIGHT, WIDTH = 300, 400


def box(left: int, top: int, right: int, bottom: int) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


def discs(objects: list[Mask], pixels: np.ndarray | None = None) -> list[tuple[int, int]]:
    """The middle (x, y) of every number's disc: where most of its colour is."""
    shown = draw_numbered_outlines(np.full((HEIGHT, WIDTH, 3), 128, np.uint8) if pixels is None else pixels, objects)
    middles = []
    for index in range(len(objects)):
        rows, columns = np.nonzero((shown == COLOURS[index]).all(axis=2))
        inner = np.hypot(rows - np.median(rows), columns - np.median(columns)) < 40
        middles.append((int(columns[inner].mean()), int(rows[inner].mean())))
    return middles


def test_a_badge_lies_on_its_own_mask() -> None:
    objects = [box(20, 20, 120, 280), box(250, 40, 380, 120)]
    for shape, (x, y) in zip(objects, discs(objects), strict=True):
        assert shape[y, x] == 255


def test_badges_of_nested_masks_do_not_overlap() -> None:
    objects = [box(40, 40, 360, 260), box(60, 60, 110, 110)]
    (x1, y1), (x2, y2) = discs(objects)
    assert objects[1][y2, x2] == 255
    assert objects[1][y1, x1] == 0, "the larger one's number stands on the part that is its alone"
    assert np.hypot(x1 - x2, y1 - y2) > 24, "no number covers another"


def test_badges_of_equal_masks_do_not_overlap() -> None:
    (x1, y1), (x2, y2) = discs([box(40, 40, 360, 260)] * 2)
    assert np.hypot(x1 - x2, y1 - y2) > 20


def test_the_area_outside_all_masks_is_darker_and_masks_keep_their_colours() -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    shown = draw_numbered_outlines(pixels, [box(100, 50, 300, 250)])
    assert (shown[:40] < 120).all()
    assert (shown[60:90, 110:140] == 200).all()
    assert (pixels == 200).all(), "the picture itself is left alone"


@pytest.mark.parametrize("size", [(8, 8), (3, 500), (500, 3)])
def test_tiny_and_narrow_pictures_are_numbered(size: tuple[int, int]) -> None:
    mask = np.zeros(size, np.uint8)
    mask[size[0] // 2, size[1] // 2] = 255
    assert draw_numbered_outlines(np.zeros((*size, 3), np.uint8), [mask]).shape == (*size, 3)
