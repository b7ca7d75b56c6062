"""Masks from taps, boxes and scribbles."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from bot.segmentation import Tap
from bot.segmentation.hints import select_by_hints
from tests.unit.segmentation.scenes import GREEN, RED, discs, overlap

LEFT, RIGHT = (0.28, 0.5, 0.17, RED), (0.72, 0.5, 0.17, GREEN)


def test_a_tap_takes_the_object_under_it_and_no_other() -> None:
    photo, left = discs(480, 320, LEFT, RIGHT)
    _, right = discs(480, 320, RIGHT)
    assert overlap(select_by_hints(photo, (Tap(0.28 * 480, 160),)), left) > 0.9
    assert overlap(select_by_hints(photo, (Tap(0.72 * 480, 160),)), right) > 0.9


def test_a_second_tap_adds_an_object() -> None:
    photo, left = discs(480, 320, LEFT, RIGHT)
    _, right = discs(480, 320, RIGHT)
    both = select_by_hints(photo, (Tap(0.28 * 480, 160), Tap(0.72 * 480, 160)))
    assert overlap(both, left | right) > 0.85


def test_an_unwanted_tap_removes_the_part_that_it_hits() -> None:
    """Two halves of unlike colour that touch: one object until one half is unwanted."""
    photo, _ = discs(480, 320, (0.5, 0.5, 0.3, RED), (0.56, 0.5, 0.16, GREEN))
    refused = (round(0.56 * 480), 160)
    kept = Tap(0.34 * 480, 160)
    mask = select_by_hints(photo, (kept, Tap(*refused, keep=False)))
    assert mask[160, round(0.34 * 480)] == 255
    assert mask[refused[1], refused[0]] == 0


def test_only_taps_off_objects_select_nothing() -> None:
    photo, _ = discs(480, 320, LEFT)
    assert not select_by_hints(photo, (Tap(100, 100, keep=False),)).any()
    assert not select_by_hints(photo, ()).any()


def test_a_box_takes_what_is_in_it() -> None:
    photo, left = discs(480, 320, LEFT, RIGHT)
    mask = select_by_hints(photo, (), box=(70, 95, 200, 225))
    assert overlap(mask, left) > 0.9
    outside = np.ones(mask.shape, bool)
    outside[95:225, 70:200] = False
    assert not mask[outside].any()


@pytest.mark.parametrize("box", [(-50, -50, 900, 900), (0, 0, 480, 320)])
def test_a_box_as_large_as_the_photo_or_larger_still_finds_the_object(box: tuple[float, ...]) -> None:
    photo, truth = discs(480, 320, (0.5, 0.5, 0.3, RED))
    left, top, right, bottom = box
    assert overlap(select_by_hints(photo, (), box=(left, top, right, bottom)), truth) > 0.5


@pytest.mark.parametrize("box", [(10, 10, 10, 50), (900, 900, 950, 950), (50, 50, 20, 20)])
def test_an_empty_box_selects_nothing(box: tuple[float, float, float, float]) -> None:
    photo, _ = discs(480, 320, LEFT)
    assert not select_by_hints(photo, (), box=box).any()


def test_a_scribble_takes_what_it_is_on() -> None:
    photo, left = discs(480, 320, LEFT, RIGHT)
    scribble = np.zeros((320, 480), np.uint8)
    scribble[155:165, 110:160] = 255
    before = scribble.copy()
    assert overlap(select_by_hints(photo, (), scribble=scribble), left) > 0.9
    assert np.array_equal(scribble, before)


def test_the_same_hints_give_the_same_mask() -> None:
    photo, _ = discs(300, 200, LEFT, RIGHT)
    taps = (Tap(84, 100), Tap(150, 20, keep=False))
    assert np.array_equal(select_by_hints(photo, taps), select_by_hints(photo, taps))
    assert np.array_equal(
        select_by_hints(photo, (), box=(40, 60, 130, 140)), select_by_hints(photo, (), box=(40, 60, 130, 140))
    )


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 2), (500, 3), (3, 500), (20, 12)])
def test_tiny_and_long_pictures_give_a_mask_of_their_size(width: int, height: int) -> None:
    photo, _ = discs(width, height, (0.5, 0.5, 0.3, RED))
    for mask in (
        select_by_hints(photo, (Tap(width / 2, height / 2),)),
        select_by_hints(photo, (), box=(0, 0, width, height)),
        select_by_hints(photo, (Tap(width * 5, -3),)),
    ):
        assert mask.shape == (height, width)
        assert set(np.unique(mask)) <= {0, 255}


def test_twelve_megapixels_are_worked_on_in_bounded_memory() -> None:
    photo, truth = discs(4000, 3000, LEFT)
    tracemalloc.start()
    mask = select_by_hints(photo, (Tap(0.28 * 4000, 1500),))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert overlap(mask, truth) > 0.95
    assert peak < 150e6
