"""Backdrops behind a subject: clean, blurred, another picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bot.imaging.backdrop import blurred_backdrop, clean_backdrop, picture_backdrop
from bot.imaging.photo import Matte, Photo
from tests.unit.imaging import scenes


def standing(*, shadow: bool = False, bottom: int = 180) -> tuple[Photo, Matte]:
    """A red box on beige ground before a beige wall, with or without its shadow on the ground."""
    pixels = np.full((240, 320, 3), (190, 175, 150), np.uint8)
    if shadow:
        pixels[bottom - 6 : bottom + 14, 110:210] = (95, 88, 75)
    matte = np.zeros((240, 320), np.uint8)
    matte[80:bottom, 120:200] = 255
    pixels[matte > 0] = (220, 20, 20)
    return Photo(pixels), matte


def lightness(photo: Photo) -> np.ndarray:
    """(H, W) float, 0 … 100."""
    return np.asarray(cv2.cvtColor(photo.pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0])


def test_a_seed_determines_the_backdrop() -> None:
    photo, _ = scenes.green_on_blue(scenes.soft_disc())
    matte = scenes.soft_disc()
    first, again, other = (clean_backdrop(photo, matte, seed=seed).pixels.astype(int) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 1


@pytest.mark.parametrize("seed", range(6))
def test_a_backdrop_has_the_backgrounds_hue_and_nothing_of_the_subject(seed: int) -> None:
    matte = scenes.soft_disc()
    photo, _ = scenes.green_on_blue(matte)
    mean = clean_backdrop(photo, matte, seed=seed).pixels.reshape(-1, 3).mean(0)
    # The subject is yellow-green, the background blue.
    assert mean[2] > mean[0] + 5
    assert mean[2] > mean[1]


def test_a_backdrop_is_smooth_for_any_background() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (240, 320, 3), np.uint8)
    _, matte = standing(bottom=120)
    calm = clean_backdrop(Photo(noise), matte, seed=0).pixels.astype(np.float32)
    steps = np.abs(np.diff(cv2.GaussianBlur(calm, (0, 0), 2), axis=0)).max()
    assert steps < 6
    assert 60 < calm.mean() < 245


def test_a_backdrop_has_no_banding() -> None:
    photo, matte = standing()
    large = Photo(cv2.resize(photo.pixels, (1600, 1200)))
    backdrop = clean_backdrop(large, cv2.resize(matte, (1600, 1200)), seed=0).pixels
    row = backdrop[100, :, 1].astype(int)
    # Without dither a slope of 20 steps over 1600 pixels is flat for 80 pixels at a time.
    flat = np.diff(np.flatnonzero(np.diff(row) != 0))
    assert flat.max() < 25
    assert np.abs(np.diff(row)).max() <= 3


def test_a_subject_with_a_shadow_under_it_gets_one_on_the_new_ground() -> None:
    (photo, matte), (bare, _) = standing(shadow=True), standing()
    light, faint = (lightness(clean_backdrop(picture, matte, seed=0)) for picture in (photo, bare))
    under = (slice(180, 186), slice(140, 180))
    assert light[under].mean() < faint[under].mean() - 3
    assert light[under].mean() < light[190:200, 140:180].mean() - 3
    # It is soft: it fades out before the picture's end.
    assert abs(light[230:, 140:180].mean() - faint[230:, 140:180].mean()) < 1


def test_a_subject_that_flies_gets_no_shadow() -> None:
    photo, matte = standing(bottom=120)
    light = lightness(clean_backdrop(photo, matte, seed=0))
    assert abs(light[121:126, 140:180].mean() - light[121:126, 60:100].mean()) < 5


def test_a_subject_that_the_picture_cuts_off_gets_no_shadow() -> None:
    photo, matte = standing(bottom=240)
    light = lightness(clean_backdrop(photo, matte, seed=0))
    assert abs(light[200:, 95:115].mean() - light[200:, 70:90].mean()) < 5


@pytest.mark.parametrize("matte_value", [0, 255])
def test_an_empty_or_full_matte_still_gives_a_backdrop(matte_value: int) -> None:
    photo, _ = standing()
    matte = np.full((240, 320), matte_value, np.uint8)
    assert clean_backdrop(photo, matte, seed=0).pixels.shape == photo.pixels.shape
    assert blurred_backdrop(photo, matte).pixels.shape == photo.pixels.shape


@pytest.mark.parametrize("shape", [(8, 8), (8, 1200), (1200, 9)])
def test_pictures_of_extreme_shapes_get_a_backdrop(shape: tuple[int, int]) -> None:
    photo = Photo(np.full((*shape, 3), 120, np.uint8), icc_profile=b"profile")
    matte = np.zeros(shape, np.uint8)
    matte[shape[0] // 3 : shape[0] // 2, shape[1] // 3 : shape[1] // 2] = 255
    for new in (clean_backdrop(photo, matte, seed=3), blurred_backdrop(photo, matte)):
        assert new.pixels.shape == photo.pixels.shape
        assert new.icc_profile == b"profile"


def test_the_blur_contains_none_of_the_subjects_colours() -> None:
    photo, matte = standing()
    blur = blurred_backdrop(photo, matte).pixels.astype(int)
    assert np.abs(blur - (190, 175, 150)).max() <= 4


def test_the_blur_removes_detail_and_keeps_the_light() -> None:
    y, x = np.mgrid[:240, :320]
    fine = np.where(((x // 2 + y // 2) % 2 == 0)[..., None], (250, 250, 250), (5, 5, 5)).astype(np.uint8)
    matte = np.zeros((240, 320), np.uint8)
    blur = blurred_backdrop(Photo(fine), matte).pixels.astype(float)
    assert blur.std() < 25
    # Half of the points are lit: half the light, which is 186 of 255 in the picture's numbers.
    assert 165 < blur.mean() < 205


def test_another_picture_fills_the_photos_size_without_being_stretched() -> None:
    photo = Photo(np.zeros((100, 150, 3), np.uint8), icc_profile=b"profile", format="WEBP")
    y, x = np.mgrid[:400, :400]
    ring = (np.abs(np.hypot(x - 200, y - 200) - 100) < 8).astype(np.uint8) * 255
    behind = picture_backdrop(photo, Photo(np.dstack([ring] * 3)))
    assert behind.pixels.shape == (100, 150, 3)
    left, top, width, height = cv2.boundingRect((behind.pixels[..., 0] > 100).astype(np.uint8))
    assert abs(width - height) <= 1
    assert abs(left + width / 2 - 75) <= 1
    assert abs(top + height / 2 - 50) <= 1
