"""Missed edges: parts of an object outside the mask that is about to be erased."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bot.imaging import masks
from bot.imaging.photo import Mask, Photo
from bot.segmentation.missed_edges import find_missed_edges

from .scenes import RED, ground


def figure(width: int = 480, height: int = 360, *, leg: bool = True) -> tuple[Photo, Mask, Mask]:
    """A red body with a red leg on sand; the photo, the whole object, and the leg's lower end."""
    whole = np.zeros((height, width), np.uint8)
    cv2.ellipse(whole, (width // 2, height // 2), (width // 8, height // 4), 0, 0, 360, 255, -1)
    body = whole.copy()
    if leg:
        foot = (width // 2 - width // 60, height * 3 // 4 - 8)
        cv2.rectangle(whole, foot, (width // 2 + width // 60, height * 3 // 4 + height // 25), 255, -1)
    grain = np.random.default_rng(1).normal(0, 6, (height, width, 1))
    pixels = np.where(whole[..., None] > 0, np.clip(np.array(RED) + grain, 0, 255), ground(width, height))
    return Photo(pixels.astype(np.uint8)), whole, np.asarray(whole & ~body, np.uint8)


def test_a_complete_mask_gets_nothing() -> None:
    photo, whole, _ = figure()
    assert not find_missed_edges(photo, masks.dilate(whole, 5)).any()


@pytest.mark.parametrize("scale", [1, 4])
def test_a_foot_that_sticks_out_is_found(scale: int) -> None:
    photo, whole, foot = figure(480 * scale, 360 * scale)
    mask = masks.dilate(np.asarray(whole & ~foot, np.uint8), 4 * scale)
    missed = find_missed_edges(photo, mask)
    missing = (foot > 0) & (mask == 0)
    assert missing.any()
    assert (missed > 0)[missing].mean() > 0.9
    assert not (missed & mask).any()
    near = masks.dilate(foot, 4 * scale)
    assert cv2.countNonZero(missed & ~near) <= 0.05 * cv2.countNonZero(missed)


def test_an_edge_that_the_mask_misses_is_found() -> None:
    photo, whole, _ = figure(leg=False)
    mask = np.roll(whole, -5, axis=1)
    missing = (whole > 0) & (mask == 0)
    assert (find_missed_edges(photo, mask) > 0)[missing].mean() > 0.8


def test_another_object_of_the_same_colour_beside_it_stays() -> None:
    photo, whole, _ = figure(leg=False)
    pixels = photo.pixels.copy()
    _, top, right, bottom = masks.bounding_box(whole) or (0, 0, 0, 0)
    cv2.circle(pixels, (right + 14, (top + bottom) // 2), 7, RED, -1)
    assert not find_missed_edges(Photo(pixels), masks.dilate(whole, 5)).any()


def test_background_of_the_objects_own_colour_is_left_alone() -> None:
    """A red object before a red wall: what is unlike the background cannot be told."""
    photo, whole, foot = figure()
    pixels = np.clip(np.array(RED) + np.random.default_rng(2).normal(0, 6, photo.pixels.shape), 0, 255)
    mask = masks.dilate(np.asarray(whole & ~foot, np.uint8), 4)
    assert not find_missed_edges(Photo(pixels.astype(np.uint8)), mask).any()


def test_the_rim_is_bounded() -> None:
    """Half of the object is no missed: then the mask is another one than the object's."""
    photo, whole, _ = figure(leg=False)
    mask = whole.copy()
    mask[: mask.shape[0] // 2] = 0
    missed = find_missed_edges(photo, masks.dilate(mask, 4))
    assert cv2.countNonZero(missed) <= 0.2 * cv2.countNonZero(mask)


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (16, 16), (40, 50)])
@pytest.mark.parametrize("fill", [0, 255])
def test_any_size_and_any_mask_is_answered(shape: tuple[int, int], fill: int) -> None:
    photo = Photo(np.full((*shape, 3), 90, np.uint8))
    mask = np.full(shape, fill, np.uint8)
    assert not find_missed_edges(photo, mask).any()
    mask[0, 0] = 255 - fill
    assert find_missed_edges(photo, mask).shape == shape


def test_the_same_photo_gives_the_same_rim() -> None:
    photo, whole, foot = figure()
    mask = masks.dilate(np.asarray(whole & ~foot, np.uint8), 4)
    np.testing.assert_array_equal(find_missed_edges(photo, mask), find_missed_edges(photo, mask))


def test_a_mask_of_another_size_is_refused() -> None:
    photo, _, _ = figure()
    with pytest.raises(ValueError, match="mask"):
        find_missed_edges(photo, np.zeros((10, 10), np.uint8))
