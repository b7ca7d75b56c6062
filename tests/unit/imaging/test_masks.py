"""Masks: dilation, erosion, feathering, filling, thresholding and the shape check."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.imaging import masks
from bot.imaging.photo import Mask

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@st.composite
def any_masks(draw: st.DrawFn) -> Mask:
    """Masks of any shape and any pattern."""
    return np.where(draw(arrays.arrays(np.bool_, draw(SHAPES))), 255, 0).astype(np.uint8)


def empty(height: int = 100, width: int = 120) -> Mask:
    return np.zeros((height, width), np.uint8)


def block(top: int, left: int, bottom: int, right: int, *, height: int = 100, width: int = 120) -> Mask:
    mask = empty(height, width)
    mask[top:bottom, left:right] = 255
    return mask


@pytest.mark.parametrize("radius", [1, 4, 9])
def test_dilating_one_pixel_gives_a_disc_of_the_radius(radius: int) -> None:
    wide = masks.dilate(block(50, 60, 51, 61), radius)
    assert masks.bounding_box(wide) == (60 - radius, 50 - radius, 61 + radius, 51 + radius)
    y, x = np.mgrid[:100, :120]
    away = np.hypot(y - 50, x - 60)
    assert (wide[away <= radius - 1] == 255).all()
    assert not wide[away > radius + 1].any()


@given(any_masks(), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_dilation_only_adds_and_erosion_only_removes(mask: Mask, radius: int) -> None:
    wide, narrow = masks.dilate(mask, radius), masks.erode(mask, radius)
    assert (wide >= mask).all()
    assert (narrow <= mask).all()
    assert set(np.unique(wide)) | set(np.unique(narrow)) <= {0, 255}
    assert np.array_equal(masks.invert(masks.dilate(masks.invert(mask), radius)), narrow)


def test_a_radius_of_zero_returns_a_copy() -> None:
    mask = block(10, 10, 20, 20)
    for same in (
        masks.dilate(mask, 0),
        masks.erode(mask, 0),
        masks.feather(mask, 0),
        masks.feather_inside(mask, 0),
        masks.keep_main_components(mask),
    ):
        assert np.array_equal(same, mask)
        assert not np.shares_memory(same, mask)


def test_the_pictures_border_does_not_erode_a_mask() -> None:
    narrow = masks.erode(block(0, 0, 100, 60), 5)
    assert np.array_equal(narrow, block(0, 0, 100, 55))


@given(any_masks(), st.floats(0.3, 6))
@settings(max_examples=80, deadline=None)
def test_feathering_inside_leaves_the_outside_0_and_the_inside_above_0(mask: Mask, radius: float) -> None:
    soft = masks.feather_inside(mask, radius)
    assert soft.shape == mask.shape
    assert soft.dtype == np.uint8
    assert not soft[mask == 0].any()
    assert (soft[mask == 255] > 0).all()


def test_feathering_inside_rises_from_the_edge_to_255() -> None:
    soft = masks.feather_inside(block(20, 20, 80, 80), 2.0)
    ramp = soft[50, 20:50].astype(int)
    assert (np.diff(ramp) >= 0).all()
    assert 0 < ramp[0] < 128
    assert (ramp[5:] == 255).all()


def test_feathering_inside_ignores_the_pictures_border() -> None:
    assert (masks.feather_inside(np.full((30, 30), 255, np.uint8), 3) == 255).all()
    assert (masks.feather_inside(block(0, 0, 100, 60), 3)[:, :40] == 255).all()


@pytest.mark.parametrize("thickness", [1, 2, 3, 6])
def test_feathering_inside_keeps_the_middle_of_a_thin_line_selected(thickness: int) -> None:
    soft = masks.feather_inside(block(50, 10, 50 + thickness, 110) | block(10, 10, 30, 30), 2.0)
    assert (soft[50 + thickness // 2, 20:100] >= 250).all()


def test_feathering_inside_treats_a_corner_like_an_edge() -> None:
    soft = masks.feather_inside(block(20, 20, 80, 80), 2.0)
    assert soft[20, 20] == soft[20, 50] < 64


def test_feathering_is_half_at_the_edge_and_unchanged_further_away() -> None:
    mask = block(0, 0, 100, 60)
    soft = masks.feather(mask, 3.0)
    assert abs(int(soft[50, 59]) - 128) < 25
    assert (soft[:, :50] == 255).all()
    assert not soft[:, 70:].any()


def test_enclosed_areas_are_filled_and_open_ones_are_not() -> None:
    ring = block(20, 20, 60, 60)
    ring[30:50, 30:50] = 0
    assert np.array_equal(masks.fill_holes(ring), block(20, 20, 60, 60))
    ring[38:42, 20:30] = 0
    assert np.array_equal(masks.fill_holes(ring), ring)


def test_a_gap_at_the_pictures_border_is_not_filled() -> None:
    mask = block(0, 20, 40, 60)
    mask[0:20, 30:50] = 0
    assert np.array_equal(masks.fill_holes(mask), mask)


@given(any_masks())
@settings(max_examples=60, deadline=None)
def test_filling_holes_is_idempotent_and_only_adds(mask: Mask) -> None:
    filled = masks.fill_holes(mask)
    assert (filled >= mask).all()
    assert np.array_equal(masks.fill_holes(filled), filled)


def test_small_components_are_removed_and_large_ones_kept() -> None:
    main, second, crumb = block(10, 10, 60, 60), block(70, 80, 90, 100), block(5, 100, 9, 104)
    assert np.array_equal(masks.keep_main_components(main | second | crumb), main | second)


def test_a_matte_is_thresholded_inclusively() -> None:
    matte = np.array([[0, 127, 128, 255]], np.uint8)
    assert masks.from_matte(matte).tolist() == [[0, 0, 255, 255]]
    assert masks.from_matte(matte, threshold=200).tolist() == [[0, 0, 0, 255]]


def test_coverage_and_bounding_box_of_simple_masks() -> None:
    assert masks.coverage(empty()) == 0
    assert masks.coverage(block(0, 0, 50, 120)) == 0.5
    assert masks.bounding_box(empty()) is None
    assert masks.bounding_box(block(3, 5, 7, 11)) == (5, 3, 11, 7)
    assert masks.bounding_box(block(99, 119, 100, 120)) == (119, 99, 120, 100)


@pytest.mark.parametrize(
    ("size", "coarse", "radius"),
    [((320, 240), False, 4), ((320, 240), True, 4), ((4000, 3000), False, 24), ((3000, 4000), True, 48)],
)
def test_the_dilation_radius_grows_with_the_photo(size: tuple[int, int], coarse: bool, radius: int) -> None:
    assert masks.dilation_radius(*size, coarse=coarse) == radius


def test_a_disc_in_the_middle_is_plausible() -> None:
    disc = empty()
    cv2.circle(disc, (60, 50), 30, 255, -1)
    assert masks.check_shape(disc).plausible


def test_a_subject_cut_off_by_the_lower_border_is_plausible() -> None:
    assert masks.check_shape(block(20, 30, 100, 90)).plausible


@pytest.mark.parametrize(
    ("mask", "fault"),
    [
        (empty(), "empty"),
        (block(0, 0, 80, 120), "too_much"),
        (np.indices((100, 120)).sum(0) // 20 % 3 == 0, "many_pieces"),
        (masks.invert(block(10, 10, 100, 110)), "touches_everything"),
    ],
)
def test_an_unlikely_shape_is_reported_with_its_fault(mask: Mask, fault: str) -> None:
    verdict = masks.check_shape(np.where(mask, 255, 0).astype(np.uint8))
    assert getattr(verdict, fault)
    assert not verdict.plausible


def test_two_equal_halves_are_many_pieces_but_a_large_and_a_small_one_are_not() -> None:
    assert masks.check_shape(block(20, 10, 80, 50) | block(20, 70, 80, 110)).many_pieces
    assert masks.check_shape(block(20, 10, 80, 70) | block(20, 90, 50, 110)).plausible


def test_the_selection_is_highlighted_on_any_picture() -> None:
    mask = np.zeros((90, 120), np.uint8)
    mask[30:60, 40:80] = 255
    for light in (0, 128, 255):
        shown = masks.highlight_subject(np.full((90, 120, 3), light, np.uint8), mask)
        assert (shown[40:50, 50:70] == light).all(), "the object is as it is"
        assert (shown[5:15, 5:15] == light // 2).all(), "the rest is dark"
        rim = shown[28:32, 50:70]
        assert (rim > 200).all(axis=-1).any(), "the line is seen"
        assert (rim < 40).all(axis=-1).any()
