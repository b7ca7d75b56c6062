"""Nothing is copied from a subject that stays beside the hole; a hole in the subject is filled with the subject."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Mask, Photo, Pixels
from bot.inpainting.exclusion import exclusion_mask
from bot.inpainting.filling import fill


def spotted(where: Mask, *, seed: int = 2) -> Pixels:
    """Grey ground with dark blots everywhere, and an object with the same blots on red."""
    rng = np.random.default_rng(seed)
    pixels = np.full((*where.shape, 3), 150, np.uint8)
    pixels[where > 0] = (220, 60, 50)
    for x, y in rng.integers(0, where.shape[::-1], (500, 2)):
        cv2.circle(pixels, (int(x), int(y)), 3, (60, 60, 60), -1)
    return (pixels.astype(int) + rng.integers(-6, 7, pixels.shape)).clip(0, 255).astype(np.uint8)


def box(left: int, top: int, right: int, bottom: int) -> Mask:
    mask = np.zeros((240, 320), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


def red(pixels: Pixels) -> np.ndarray:
    return pixels[..., 0].astype(int) - pixels[..., 1] > 60


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_hole_beside_a_subject_copies_nothing_from_it(seed: int) -> None:
    shape = box(170, 40, 260, 200)
    hole = box(110, 80, 172, 160)  # it reaches a little over the object, as a hand does
    excluded = exclusion_mask(hole, shape)
    assert excluded is not None
    assert not (excluded & hole).any()
    filled = fill(Photo(spotted(shape)), hole, seed=seed, exclude=excluded).pixels
    assert not red(filled)[hole > 0].any()


def test_a_stain_on_a_subject_is_filled_with_the_subject() -> None:
    shape, stain = box(60, 30, 260, 210), box(130, 90, 180, 140)
    assert exclusion_mask(stain, shape) is None
    filled = fill(Photo(spotted(shape)), stain, seed=0).pixels
    assert red(filled)[stain > 0].mean() > 0.6, "the rest is blots"


def test_the_rest_of_a_painted_object_is_excluded() -> None:
    shape, painted = box(100, 60, 200, 180), box(90, 50, 192, 190)
    excluded = exclusion_mask(painted, shape)
    assert excluded is not None
    assert (excluded[60:180, 192:200] == 255).all()


def test_without_a_subject_or_a_hole_there_is_no_exclusion_mask() -> None:
    nothing, shape = box(0, 0, 0, 0), box(10, 10, 50, 50)
    assert exclusion_mask(shape, nothing) is None
    assert exclusion_mask(nothing, shape) is None


def test_the_exclusion_is_ignored_when_it_leaves_too_few_sources() -> None:
    """Better its texture than a smear."""
    everything = box(0, 0, 320, 240)
    hole = box(110, 80, 172, 160)
    pixels = spotted(box(0, 0, 0, 0))
    free = fill(Photo(pixels), hole, seed=0).pixels
    assert np.array_equal(fill(Photo(pixels), hole, seed=0, exclude=everything & ~hole).pixels, free)
