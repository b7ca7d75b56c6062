"""Pasting through a matte: outside it the photo stays the photo, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.imaging.compositing import STRIP_ROWS, composite
from bot.imaging.photo import Photo


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Photo, Photo, np.ndarray]:
    """Two pictures of one size and a matte."""
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    pixels = arrays.arrays(np.uint8, (height, width, 3))
    return Photo(draw(pixels)), Photo(draw(pixels)), draw(arrays.arrays(np.uint8, (height, width)))


@given(pairs())
@settings(max_examples=150, deadline=None)
def test_each_pixel_is_the_rounded_mix_of_both(pair: tuple[Photo, Photo, np.ndarray]) -> None:
    original, filled, matte = pair
    whole = composite(original, filled, matte)
    assert np.array_equal(whole.pixels[matte == 0], original.pixels[matte == 0])
    assert np.array_equal(whole.pixels[matte == 255], filled.pixels[matte == 255])
    weight = matte[..., None] / 255
    exact = original.pixels * (1 - weight) + filled.pixels * weight
    assert np.abs(whole.pixels - exact).max() <= 0.5 + 1e-9


@given(pairs())
@settings(max_examples=50, deadline=None)
def test_pasting_a_picture_into_itself_changes_nothing(pair: tuple[Photo, Photo, np.ndarray]) -> None:
    original, _, matte = pair
    assert np.array_equal(composite(original, original, matte).pixels, original.pixels)


def test_a_tall_picture_is_composited_correctly_across_strips() -> None:
    height = 2 * STRIP_ROWS + 37
    original, filled = Photo(noise(height, 9, 1)), Photo(noise(height, 9, 2))
    matte = np.zeros((height, 9), np.uint8)
    matte[STRIP_ROWS - 3 : STRIP_ROWS + 3] = 255
    matte[2 * STRIP_ROWS + 30 :] = 128
    whole = composite(original, filled, matte).pixels
    assert np.array_equal(whole[STRIP_ROWS - 3 : STRIP_ROWS + 3], filled.pixels[STRIP_ROWS - 3 : STRIP_ROWS + 3])
    assert np.array_equal(
        whole[STRIP_ROWS + 3 : 2 * STRIP_ROWS + 30], original.pixels[STRIP_ROWS + 3 : 2 * STRIP_ROWS + 30]
    )
    last = slice(2 * STRIP_ROWS + 30, None)
    mean = (original.pixels[last].astype(int) + filled.pixels[last]) / 2
    assert np.abs(whole[last] - mean).max() <= 1


def test_compositing_does_not_modify_its_inputs() -> None:
    original, filled = Photo(noise(20, 20, 1)), Photo(noise(20, 20, 2))
    composite(original, filled, np.full((20, 20), 90, np.uint8))
    assert np.array_equal(original.pixels, noise(20, 20, 1))
    assert np.array_equal(filled.pixels, noise(20, 20, 2))


def test_compositing_keeps_the_originals_alpha_profile_and_format() -> None:
    alpha = np.arange(400, dtype=np.uint16).reshape(20, 20).astype(np.uint8)
    original = Photo(noise(20, 20, 1), alpha, b"profile", "WEBP")
    whole = composite(original, Photo(noise(20, 20, 2)), np.full((20, 20), 255, np.uint8))
    assert np.array_equal(whole.alpha, alpha)
    assert (whole.icc_profile, whole.format) == (b"profile", "WEBP")


@pytest.mark.parametrize("shape", [(20, 1), (1, 20), (1, 1), (21, 20), (40, 40)])
def test_pictures_of_different_sizes_are_refused(shape: tuple[int, int]) -> None:
    original, matte = Photo(noise(20, 20, 1)), np.full((20, 20), 255, np.uint8)
    with pytest.raises(ValueError, match="size"):
        composite(original, Photo(noise(*shape, 2)), matte)
    with pytest.raises(ValueError, match="size"):
        composite(original, original, np.full(shape, 255, np.uint8))
