"""What is seen through an object: opened where it looks like what is around, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Pixels
from bot.segmentation.arrays import Bools
from bot.segmentation.classical import see_through

SIZE = 160


def _disc(radius: int, at: tuple[int, int] = (80, 80)) -> Bools:
    return np.asarray(cv2.circle(np.zeros((SIZE, SIZE), np.uint8), at, radius, 1, -1) > 0, bool)


def _painted(shape: Bools, hole: Bools, in_the_hole: tuple[int, int, int]) -> Pixels:
    picture = np.full((SIZE, SIZE, 3), (150, 170, 190), np.int16)
    picture[shape] = (30, 110, 60)
    picture[hole] = in_the_hole
    picture += np.random.default_rng(0).normal(0, 4, picture.shape).astype(np.int16)
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_a_ring_shows_what_is_behind_it() -> None:
    whole, hole = _disc(40), _disc(18)
    opened = see_through.open_gaps(_painted(whole, hole, (150, 170, 190)), whole)
    assert np.count_nonzero(opened ^ (whole & ~hole)) < 0.03 * np.count_nonzero(hole)


@pytest.mark.parametrize("colour", [(190, 40, 30), (240, 240, 230)], ids=["red", "white"])
def test_a_patch_of_a_colour_of_its_own_stays(colour: tuple[int, int, int]) -> None:
    whole = _disc(40)
    assert np.array_equal(see_through.open_gaps(_painted(whole, _disc(18), colour), whole), whole)


def test_a_speck_of_the_surroundings_colour_stays() -> None:
    whole = _disc(40)
    assert np.array_equal(see_through.open_gaps(_painted(whole, _disc(3), (150, 170, 190)), whole), whole)


def test_the_outline_is_not_moved() -> None:
    """A bay that looks like the surroundings is the outline's business."""
    whole, bay = _disc(40), _disc(14, (80, 38))
    assert np.array_equal(see_through.open_gaps(_painted(whole, bay & whole, (150, 170, 190)), whole), whole)


@pytest.mark.parametrize("value", [False, True], ids=["nothing", "everything"])
def test_a_mask_of_nothing_or_everything_stays(value: bool) -> None:
    picture = _painted(_disc(40), _disc(18), (150, 170, 190))
    mask = np.full((SIZE, SIZE), value)
    assert np.array_equal(see_through.open_gaps(picture, mask), mask)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (9, 8)])
def test_pictures_of_a_few_pixels_are_no_trouble(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    mask = np.zeros(shape, bool)
    mask[0, 0] = True
    assert see_through.open_gaps(picture, mask).shape == shape
