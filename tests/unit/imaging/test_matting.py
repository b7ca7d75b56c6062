"""Fine mattes from coarse ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bot.imaging.matting import foreground, refinement
from bot.imaging.photo import Photo
from tests.unit.imaging import scenes

CC0 = Path(__file__).parents[4] / "shared" / "photos" / "open" / "cc0"


def test_hairs_missing_in_the_mask_are_recovered() -> None:
    truth = scenes.hairs()
    photo, _ = scenes.green_on_blue(truth)
    given = np.asarray(cv2.morphologyEx(scenes.hard(truth), cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.uint8)
    refined = refinement.refine(photo, given)
    rim = cv2.dilate(given, np.ones((13, 13), np.uint8)) != cv2.erode(given, np.ones((13, 13), np.uint8))
    assert scenes.error(refined, truth, rim) < 0.5 * scenes.error(given, truth, rim)


def test_the_given_edge_stays_where_both_sides_look_alike() -> None:
    matte = scenes.hard(scenes.soft_disc())
    noise = np.random.default_rng(5).integers(0, 256, (*matte.shape, 3), np.uint8)
    refined = refinement.refine(Photo(noise), matte)
    assert scenes.error(refined, matte, np.ones(matte.shape, np.bool_)) < 0.03
    assert float(((refined >= 128) == (matte >= 128)).mean()) > 0.99


def test_a_matte_does_not_change_far_from_its_edge() -> None:
    matte = scenes.hard(scenes.soft_disc(240, 320))
    photo, _ = scenes.green_on_blue(matte)
    refined = refinement.refine(photo, matte)
    depth = cv2.distanceTransform(matte, cv2.DIST_L2, 5) + cv2.distanceTransform(255 - matte, cv2.DIST_L2, 5)
    far = depth > 2 * refinement.UNCERTAIN_BAND_HALF_WIDTH * 320 + 3
    assert np.array_equal(refined[far], matte[far])


@pytest.mark.parametrize("value", [0, 255])
def test_a_matte_without_an_edge_is_unchanged(value: int) -> None:
    photo = Photo(np.full((50, 70, 3), 128, np.uint8))
    matte = np.full((50, 70), value, np.uint8)
    assert np.array_equal(refinement.refine(photo, matte), matte)


def test_a_large_photo_gets_an_edge_at_its_own_resolution() -> None:
    truth = scenes.soft_disc(1500, 2000, softness=1.2)
    photo, _ = scenes.green_on_blue(truth)
    # As a small network gives it: blurred, and off by several pixels of the photo.
    coarse = cv2.resize(cv2.resize(truth, (160, 120), interpolation=cv2.INTER_AREA), (2000, 1500))
    refined = refinement.refine(photo, np.asarray(coarse, np.uint8))
    rim = cv2.dilate(truth, np.ones((31, 31), np.uint8)) != cv2.erode(truth, np.ones((31, 31), np.uint8))
    assert scenes.error(refined, truth, rim) < 0.03
    assert scenes.error(np.asarray(coarse, np.uint8), truth, rim) > 0.05


@pytest.mark.parametrize("shape", [(8, 8), (8, 3000), (2000, 9)])
def test_mattes_of_extreme_shapes_are_refined(shape: tuple[int, int]) -> None:
    matte = np.zeros(shape, np.uint8)
    matte[: shape[0] // 2, : shape[1] // 2] = 255
    photo, _ = scenes.green_on_blue(matte)
    refined = refinement.refine(photo, matte)
    assert refined.shape == shape
    assert refined.dtype == np.uint8


def test_foreground_colours_hold_nothing_of_the_background() -> None:
    matte = scenes.soft_disc(softness=3)
    photo, truth = scenes.green_on_blue(matte)
    soft = (matte > 12) & (matte < 243)
    before = np.abs(photo.pixels.astype(float) - truth)[soft].mean() / 255
    after = np.abs(foreground.estimate(photo.pixels, matte).astype(float) - truth)[soft].mean() / 255
    assert before > 0.15
    assert after < 0.04


@pytest.mark.skipif(not CC0.is_dir(), reason="the open photos are not here")
def test_the_lemurs_matte_error_stays_below_its_known_limit() -> None:
    def read(name: str, flags: int) -> np.ndarray:
        picture = cv2.imread(str(CC0 / name), flags)
        assert picture is not None
        return picture[..., ::-1] if picture.ndim == 3 else picture

    photo = Photo(np.ascontiguousarray(read("lemur.png", cv2.IMREAD_COLOR)))
    truth, trimap = (read(f"lemur_{name}.png", cv2.IMREAD_GRAYSCALE) for name in ("alpha", "trimap"))
    unknown = (trimap > 0) & (trimap < 255)
    assert scenes.error(refinement.refine(photo, scenes.hard(truth)), truth, unknown) <= 0.04
    soft = (truth > 12) & (truth < 243)
    colours = foreground.estimate(photo.pixels, truth).astype(float)
    assert np.abs(colours - read("lemur_foreground.png", cv2.IMREAD_COLOR))[soft].mean() / 255 <= 0.03


@pytest.mark.skipif(not CC0.is_dir(), reason="the open photos are not here")
def test_a_soft_map_gives_a_better_matte_than_its_thresholded_mask() -> None:
    pixels, alpha = cv2.imread(str(CC0 / "lemur.png")), cv2.imread(str(CC0 / "lemur_alpha.png"), cv2.IMREAD_GRAYSCALE)
    trimap = cv2.imread(str(CC0 / "lemur_trimap.png"), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    assert alpha is not None
    assert trimap is not None
    truth = np.asarray(alpha, np.uint8)
    # What a net of 320 × 320 can know at best.
    tiny = cv2.resize(truth, (320, 320), interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.resize(tiny, truth.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    photo, unknown = Photo(np.ascontiguousarray(pixels[..., ::-1])), (trimap > 0) & (trimap < 255)
    led = scenes.error(refinement.refine(photo, soft), truth, unknown)
    assert led < 0.9 * scenes.error(refinement.refine(photo, scenes.hard(soft)), truth, unknown)
    assert led < 0.033


def test_uncertain_pixels_far_from_the_edge_become_background() -> None:
    matte = scenes.hard(scenes.soft_disc(240, 320))
    photo, _ = scenes.green_on_blue(matte)
    doubtful = matte.copy()
    doubtful[:20, :20] = 110
    assert not refinement.refine(photo, doubtful)[:20, :20].any()


@pytest.mark.parametrize("size", [(120, 160), (1500, 2000)])
def test_the_matte_does_not_depend_on_the_number_of_threads(size: tuple[int, int]) -> None:
    truth = scenes.soft_disc(*size, softness=2)
    photo, _ = scenes.green_on_blue(truth)
    threads, answers = cv2.getNumThreads(), []
    try:
        for count in (1, 2, 2):
            cv2.setNumThreads(count)
            matte = refinement.refine(photo, scenes.hard(truth))
            answers.append((matte, foreground.estimate(photo.pixels, matte)))
    finally:
        cv2.setNumThreads(threads)
    for matte, colours in answers[1:]:
        assert np.array_equal(matte, answers[0][0])
        assert np.array_equal(colours, answers[0][1])


def test_pixels_far_from_the_subject_are_black() -> None:
    matte = scenes.soft_disc(1100, 1400, softness=2)
    photo, _ = scenes.green_on_blue(matte)
    colours = foreground.estimate(photo.pixels, matte)
    near = cv2.dilate(matte, np.ones((2 * foreground.BLEED_RADIUS + 1,) * 2, np.uint8)) > 0
    assert not colours[~near].any()
    assert np.array_equal(colours[matte == 255], photo.pixels[matte == 255])
    assert colours[near].any(-1).all()
