"""Boxes, taps and scribbles with the real segmenter."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Mask
from bot.segmentation import Tap
from bot.segmentation.hints import select_by_hints
from tests.unit.segmentation.conftest import OpenPhoto
from tests.unit.segmentation.scenes import GREEN, RED, discs, overlap

LEFT, RIGHT = (0.28, 0.5, 0.17, RED), (0.72, 0.5, 0.17, GREEN)


def middle(truth: Mask) -> tuple[float, float]:
    """The deepest point of a mask."""
    row, column = np.unravel_index(int(np.argmax(cv2.distanceTransform(truth, cv2.DIST_L2, 5))), truth.shape)
    return float(column), float(row)


def around(truth: Mask) -> tuple[float, float, float, float]:
    """The box around a mask."""
    left, top, width, height = cv2.boundingRect(truth)
    return left, top, left + width, top + height


@pytest.mark.parametrize("name", ["022_goat", "036_soapbox"])
def test_a_tap_takes_the_object_under_it(name: str, segmenter_folder: Path, open_photo: OpenPhoto) -> None:
    photo, truth = open_photo(name)
    mask = select_by_hints(photo, (Tap(*middle(truth)),), models=segmenter_folder)
    assert overlap(mask, truth) > 0.75
    assert set(np.unique(mask)) <= {0, 255}


@pytest.mark.parametrize("name", ["016_drift-chicane", "012_dance-twirl"])
def test_a_box_takes_what_is_in_it_where_the_net_alone_sees_another_object(
    name: str, segmenter_folder: Path, open_photo: OpenPhoto
) -> None:
    photo, truth = open_photo(name)
    left, top, right, bottom = around(truth)
    mask = select_by_hints(photo, (), box=(left, top, right, bottom), models=segmenter_folder)
    assert overlap(mask, truth) > 0.7
    outside = np.ones(mask.shape, bool)
    outside[int(top) : int(bottom), int(left) : int(right)] = False
    assert not mask[outside].any()


def test_two_taps_take_two_objects_and_an_unwanted_one_removes_its_object(segmenter_folder: Path) -> None:
    photo, left = discs(480, 320, LEFT, RIGHT)
    _, right = discs(480, 320, RIGHT)
    one, other = Tap(0.28 * 480, 160), Tap(0.72 * 480, 160)
    both = select_by_hints(photo, (one, other), models=segmenter_folder)
    assert overlap(both, left | right) > 0.85
    refused = Tap(other.x, other.y, keep=False)
    assert overlap(select_by_hints(photo, (one, refused), models=segmenter_folder), left) > 0.85
    boxed = select_by_hints(photo, (refused,), box=(60, 60, 420, 260), models=segmenter_folder)
    assert boxed[160, 134] == 255
    assert not boxed[150:170, 335:355].any()


def test_an_unwanted_tap_removes_a_part_of_what_the_net_sees_as_one_object(segmenter_folder: Path) -> None:
    photo, _ = discs(480, 320, (0.5, 0.5, 0.3, RED), (0.56, 0.5, 0.16, GREEN))
    refused, kept = (round(0.56 * 480), 160), (round(0.34 * 480), 160)
    mask = select_by_hints(photo, (Tap(*kept), Tap(*refused, keep=False)), models=segmenter_folder)
    assert mask[kept[1], kept[0]] == 255
    assert mask[refused[1], refused[0]] == 0


def test_a_scribble_takes_the_object_it_is_on(segmenter_folder: Path) -> None:
    photo, left = discs(480, 320, LEFT, RIGHT)
    scribble = np.zeros((320, 480), np.uint8)
    scribble[155:165, 110:160] = 255
    assert overlap(select_by_hints(photo, (), scribble=scribble, models=segmenter_folder), left) > 0.85


def test_hints_that_point_at_nothing_select_nothing(segmenter_folder: Path) -> None:
    photo, _ = discs(480, 320, LEFT)
    assert not select_by_hints(photo, (Tap(100, 100, keep=False),), models=segmenter_folder).any()
    assert not select_by_hints(photo, (Tap(5000, -3),), models=segmenter_folder).any()
    assert not select_by_hints(photo, (), box=(900, 900, 950, 950), models=segmenter_folder).any()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (500, 3), (20, 12)])
def test_tiny_and_long_pictures_give_a_mask_of_their_size(width: int, height: int, segmenter_folder: Path) -> None:
    photo, _ = discs(width, height, (0.5, 0.5, 0.3, RED))
    assert select_by_hints(photo, (Tap(width / 2, height / 2),), models=segmenter_folder).shape == (height, width)
    assert select_by_hints(photo, (), box=(0, 0, width, height), models=segmenter_folder).shape == (height, width)
