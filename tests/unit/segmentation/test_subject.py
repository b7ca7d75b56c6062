"""The subject that is found without a hint and without a model file."""

from __future__ import annotations

import numpy as np
import pytest

from bot.errors import NothingFoundError
from bot.imaging.photo import Photo
from bot.segmentation.subject import find_rough_subject, find_subject
from tests.unit.segmentation.scenes import GREEN, RED, discs, overlap


@pytest.mark.parametrize(("x", "radius"), [(0.5, 0.25), (0.35, 0.15), (0.7, 0.1)])
def test_the_one_object_in_the_picture_is_found(x: float, radius: float) -> None:
    photo, truth = discs(480, 320, (x, 0.5, radius, RED))
    assert overlap(find_subject(photo).matte, truth) > 0.9


def test_the_same_photo_gives_the_same_matte() -> None:
    photo, _ = discs(300, 200, (0.4, 0.5, 0.2, RED), (0.8, 0.3, 0.1, GREEN))
    assert np.array_equal(find_subject(photo).matte, find_subject(photo).matte)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (6, 6), (300, 200)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_in_a_flat_picture_nothing_is_found(size: tuple[int, int], grey: int) -> None:
    with pytest.raises(NothingFoundError):
        find_subject(Photo(np.full((*size, 3), grey, np.uint8)))


@pytest.mark.parametrize(("width", "height"), [(24, 16), (1200, 60), (60, 1200), (2000, 100)])
def test_small_and_long_pictures_are_worked_on(width: int, height: int) -> None:
    photo, truth = discs(width, height, (0.5, 0.5, 0.3, RED))
    try:
        found = find_subject(photo).matte
    except NothingFoundError:
        return  # too small a share of the picture: saying so is right
    assert found.shape == truth.shape
    assert found.dtype == np.uint8
    assert overlap(found, truth) > 0.5


def test_the_matte_s_edge_follows_the_photo_s_at_its_full_size() -> None:
    photo, truth = discs(2400, 1600, (0.5, 0.5, 0.25, RED))
    assert overlap(find_subject(photo).matte, truth) > 0.97


def test_where_the_objects_that_stand_out_agree_the_find_is_sure_and_in_clutter_it_is_not() -> None:
    photo, _ = discs(480, 320, (0.5, 0.5, 0.25, RED))
    assert find_subject(photo).sure
    corners = [
        (x, y, 0.09, colour)
        for x, y, colour in ((0.2, 0.3, RED), (0.5, 0.7, GREEN), (0.8, 0.3, RED), (0.8, 0.7, GREEN))
    ]
    crowd, _ = discs(480, 320, *corners)
    assert not find_subject(crowd).sure


def test_the_rough_subject_covers_about_the_subject() -> None:
    photo, truth = discs(1200, 800, (0.4, 0.5, 0.25, RED))
    seen = find_rough_subject(photo)
    assert seen is not None
    assert seen.shape == truth.shape
    assert set(np.unique(seen)) == {0, 255}
    assert overlap(seen, truth) > 0.85
    assert find_rough_subject(Photo(np.full((300, 200, 3), 90, np.uint8))) is None
