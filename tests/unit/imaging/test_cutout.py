"""The subject on its own: no fringe, nothing of the old background left."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from bot.imaging.cutout import cut_out, flatten, refine_matte
from bot.imaging.encoding import encode
from bot.imaging.matting.foreground import BLEED_RADIUS
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo
from tests.unit.imaging import scenes

COLOURS = [(0, 0, 0), (255, 255, 255), (255, 0, 0)]


@pytest.mark.parametrize("colour", COLOURS)
def test_no_fringe_shows_over_any_colour(colour: tuple[int, int, int]) -> None:
    matte = scenes.soft_disc(softness=3)
    photo, front = scenes.green_on_blue(matte)
    got = flatten(cut_out(photo, matte), colour).pixels.astype(float)
    wanted = flatten(Photo(front, matte), colour).pixels.astype(float)
    naive = flatten(Photo(photo.pixels, matte), colour).pixels.astype(float)
    soft = (matte > 5) & (matte < 250)
    assert np.abs(got - wanted)[soft].mean() < 5
    assert np.abs(got - wanted)[soft].mean() < 0.25 * np.abs(naive - wanted)[soft].mean()


def test_a_hard_mask_gives_a_cut_out_without_fringe() -> None:
    truth = scenes.soft_disc(softness=2)
    photo, front = scenes.green_on_blue(truth)
    got = flatten(cut_out(photo, refine_matte(photo, scenes.hard(truth))), (255, 255, 255)).pixels.astype(float)
    wanted = flatten(Photo(front, truth), (255, 255, 255)).pixels.astype(float)
    rim = (truth > 5) & (truth < 250)
    assert np.abs(got - wanted)[rim].mean() < 12
    # A fringe of the old background would be blue: less red and green than the subject or white have.
    assert (wanted - got)[rim][:, :2].mean() < 8


def test_opaque_pixels_of_a_cut_out_are_the_photos_own() -> None:
    matte = scenes.soft_disc()
    photo, _ = scenes.green_on_blue(matte)
    cut = cut_out(photo, matte)
    assert np.array_equal(cut.pixels[matte == 255], photo.pixels[matte == 255])
    assert cut.alpha is not None
    assert np.array_equal(cut.alpha, matte)


def test_the_file_contains_no_pixels_of_the_old_background() -> None:
    matte = scenes.hard(scenes.soft_disc())
    photo, _ = scenes.green_on_blue(matte)
    cut = open_photo(encode(cut_out(photo, matte), "PNG"), max_megapixels=1)
    hidden = cut.pixels[matte == 0].astype(int)
    # The background is blue; the subject, whose colours may reach a little over its edge, is anything but.
    assert not (hidden[:, 2] > hidden[:, 1] + 30).any()
    assert (cut.pixels[:BLEED_RADIUS, :BLEED_RADIUS] == 0).all()


def test_transparent_areas_of_the_photo_stay_transparent() -> None:
    matte = scenes.soft_disc()
    photo, _ = scenes.green_on_blue(matte)
    alpha = np.full(matte.shape, 255, np.uint8)
    alpha[:, :80] = 40
    cut = cut_out(Photo(photo.pixels, alpha), matte)
    assert cut.alpha is not None
    assert cut.alpha[:, :80].max() == 40
    assert np.array_equal(cut.alpha[:, 80:], matte[:, 80:])


def test_flattening_an_opaque_photo_changes_nothing() -> None:
    photo = Photo(np.full((9, 9, 3), 77, np.uint8))
    assert flatten(photo, (255, 0, 0)) is photo


def test_flattening_keeps_the_profile_and_the_format() -> None:
    photo = Photo(np.zeros((9, 9, 3), np.uint8), np.full((9, 9), 128, np.uint8), b"profile", "WEBP")
    flat = flatten(photo, (255, 0, 0))
    assert (flat.alpha, flat.icc_profile, flat.format) == (None, b"profile", "WEBP")
    assert (flat.pixels == (127, 0, 0)).all()


def test_cutting_out_12_megapixels_needs_less_than_500_mb() -> None:
    small = scenes.soft_disc(300, 400)
    photo, _ = scenes.green_on_blue(small)
    large = Photo(np.asarray(cv2.resize(photo.pixels, (4000, 3000)), np.uint8))
    mask = scenes.hard(np.asarray(cv2.resize(small, (4000, 3000)), np.uint8))
    tracemalloc.start()
    try:
        cut_out(large, refine_matte(large, mask))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 700 MB is what a whole process may take; about 120 of them are the libraries', 48 the inputs.
    assert peak < 500e6
