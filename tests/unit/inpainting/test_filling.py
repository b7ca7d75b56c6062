"""Fills: what they leave alone, what they copy, and that they have the photo's texture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Mask, Photo, Pixels
from bot.inpainting import filling


def lawn(height: int, width: int, *, seed: int = 5, grain: float = 1.2) -> Pixels:
    """A green texture with soft shades and blades about `grain` pixels wide."""
    rng = np.random.default_rng(seed)
    blades = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), grain)
    shades = cv2.GaussianBlur(rng.standard_normal((height // 8 + 2, width // 8 + 2), dtype=np.float32), (0, 0), 4)
    shades = cv2.resize(shades, (width, height), interpolation=cv2.INTER_CUBIC)
    light = 25 * blades / max(blades.std(), 0.01) + 12 * shades / max(shades.std(), 0.01)
    return np.clip(np.float32([70, 120, 50]) + light[..., None], 0, 255).astype(np.uint8)


def disc(height: int, width: int, *, x: int, y: int, radius: int) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, (x, y), radius, 255, -1)
    return mask


def fine_detail(pixels: Pixels, where: Mask, sigma: float = 1.5) -> float:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float((grey - cv2.GaussianBlur(grey, (0, 0), sigma))[where > 0].std())


def filled(pixels: Pixels, mask: Mask, *, seed: int = 0, exclude: Mask | None = None) -> Pixels:
    answer = filling.fill(Photo(pixels), mask, seed=seed, exclude=exclude).pixels
    assert answer.shape == pixels.shape
    assert answer.dtype == np.uint8
    np.testing.assert_array_equal(answer[mask == 0], pixels[mask == 0])
    return answer


def with_object(pixels: Pixels, mask: Mask) -> Pixels:
    """What is to be removed is magenta: no trace of it may be left or copied."""
    return np.where(mask[..., None] > 0, np.uint8([255, 0, 255]), pixels)


def magenta(pixels: Pixels) -> np.ndarray:
    return (pixels[..., 0] > 180) & (pixels[..., 1] < 80) & (pixels[..., 2] > 180)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_masked_object_is_removed_and_the_rest_unchanged(seed: int) -> None:
    mask = disc(300, 400, x=180, y=140, radius=50)
    answer = filled(with_object(lawn(300, 400), mask), mask, seed=seed)
    assert not magenta(answer).any()


def test_the_pixels_under_the_mask_do_not_matter() -> None:
    mask = disc(900, 1000, x=480, y=440, radius=150)
    green = lawn(900, 1000)
    np.testing.assert_array_equal(filled(green, mask), filled(with_object(green, mask), mask))


def test_a_seed_determines_the_fill() -> None:
    mask = disc(240, 320, x=150, y=120, radius=40)
    green = lawn(240, 320)
    first = filled(green, mask, seed=7)
    np.testing.assert_array_equal(first, filled(green, mask, seed=7))
    for seed in (0, 8, 9):
        differing = np.abs(first.astype(int) - filled(green, mask, seed=seed))[mask > 0].mean()
        assert differing > 3


def test_seeds_may_be_large() -> None:
    mask = disc(120, 120, x=60, y=60, radius=15)
    filled(lawn(120, 120), mask, seed=2**80 + 3)


@pytest.mark.parametrize("at", [(0, 150), (399, 150), (200, 0), (200, 299), (0, 0), (399, 299)])
def test_a_hole_at_the_border_of_a_lawn_is_filled_with_lawn(at: tuple[int, int]) -> None:
    green = lawn(300, 400)
    mask = disc(300, 400, x=at[0], y=at[1], radius=60)
    answer = filled(with_object(green, mask), mask)
    assert not magenta(answer).any()
    ring = cv2.dilate(mask, np.ones((61, 61), np.uint8)) & ~mask
    assert np.abs(answer[mask > 0].mean(0) - green[ring > 0].mean(0)).max() < 14
    assert 0.75 < fine_detail(answer, mask) / fine_detail(green, 255 - mask) < 1.3


def test_a_large_photo_is_filled_with_its_own_fine_texture() -> None:
    green = lawn(1500, 2000)
    mask = disc(1500, 2000, x=1000, y=700, radius=300)
    around = disc(1500, 2000, x=1000, y=700, radius=600) & ~mask
    answer = filled(with_object(green, mask), mask)
    inner = disc(1500, 2000, x=1000, y=700, radius=260)
    assert 0.8 < fine_detail(answer, inner) / fine_detail(green, around) < 1.25


def test_a_fill_in_a_large_photo_has_no_step_at_its_rim() -> None:
    across = np.linspace(60, 200, 2400, dtype=np.float32)
    sky = np.broadcast_to(across[None, :, None], (1600, 2400, 3)) + np.float32([0, 10, 30])
    grain = np.random.default_rng(1).standard_normal((1600, 2400, 1), dtype=np.float32) * 2
    sky = np.clip(sky + grain, 0, 255).astype(np.uint8)
    mask = disc(1600, 2400, x=1200, y=800, radius=350)
    answer = filled(with_object(sky, mask), mask)
    wrong = cv2.GaussianBlur(answer.astype(np.float32) - sky, (0, 0), 6)
    assert np.abs(wrong[mask > 0]).max() < 6


@pytest.mark.parametrize("scale", [1, 4])
def test_excluded_pixels_are_not_copied(scale: int) -> None:
    height, width = 320 * scale, 400 * scale
    picture = lawn(height, width)
    objects = disc(height, width, x=300 * scale, y=160 * scale, radius=50 * scale)
    picture[objects > 0] = (230, 20, 20)
    mask = disc(height, width, x=190 * scale, y=160 * scale, radius=62 * scale)
    exclude = cv2.dilate(objects, np.ones((5, 5), np.uint8))
    answer = filled(picture, mask, exclude=exclude)
    red = (answer[..., 0] > 170) & (answer[..., 1] < 70) & (mask > 0)
    assert not red.any()


def test_holes_do_not_copy_from_each_other() -> None:
    mask = disc(300, 800, x=200, y=150, radius=50) | disc(300, 800, x=600, y=150, radius=45)
    assert not magenta(filled(with_object(lawn(300, 800), mask), mask)).any()


def test_each_of_many_holes_is_filled() -> None:
    mask = np.zeros((400, 600), np.uint8)
    for y in range(30, 400, 60):
        for x in range(30, 600, 70):
            cv2.circle(mask, (x, y), 9, 255, -1)
    assert not magenta(filled(with_object(lawn(400, 600), mask), mask)).any()


def test_a_scratch_is_filled_without_a_trace() -> None:
    ramp = np.broadcast_to(np.linspace(40, 200, 500)[None, :, None], (300, 500, 3)).astype(np.uint8)
    mask = np.zeros((300, 500), np.uint8)
    cv2.line(mask, (20, 30), (470, 260), 255, 3)
    answer = filled(with_object(ramp, mask), mask)
    assert np.abs(answer.astype(int) - ramp)[mask > 0].max() <= 6


def test_a_hole_of_four_fifths_of_the_photo_is_filled_smoothly() -> None:
    photo = lawn(300, 400)
    photo[:150] = np.clip(photo[:150] + np.array([60, 20, 120]), 0, 255)
    mask = np.zeros((300, 400), np.uint8)
    mask[15:285, 22:378] = 255
    answer = filled(with_object(photo, mask), mask)
    assert not magenta(answer).any()
    inside = answer[mask > 0].astype(float)
    known = photo[mask == 0].astype(float)
    assert (inside >= known.min(0) - 5).all()
    assert (inside <= known.max(0) + 5).all()
    # Above it looks like above, below like below.
    assert answer[40:80, 60:340, 2].mean() > answer[220:260, 60:340, 2].mean() + 60


@pytest.mark.parametrize(
    ("height", "width"), [(8, 8), (1, 1), (1, 40), (10, 3000), (3000, 10), (13, 13), (7, 200), (64, 64)]
)
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_photos_of_any_size_are_filled(height: int, width: int, share: float) -> None:
    mask = np.zeros((height, width), np.uint8)
    mask[: max(1, round(height * share)), : max(1, round(width * share))] = 255
    filled(lawn(height, width), mask)


def test_one_pixel_is_filled() -> None:
    mask = np.zeros((50, 60), np.uint8)
    mask[20, 30] = 255
    photo = with_object(np.full((50, 60, 3), 90, np.uint8), mask)
    assert np.abs(filled(photo, mask)[20, 30].astype(int) - 90).max() <= 2


def test_an_empty_mask_changes_nothing() -> None:
    photo = Photo(lawn(40, 50))
    answer = filling.fill(photo, np.zeros((40, 50), np.uint8), seed=0)
    np.testing.assert_array_equal(answer.pixels, photo.pixels)


def test_filling_keeps_alpha_profile_and_its_input() -> None:
    mask = disc(100, 120, x=60, y=50, radius=14)
    pixels, alpha = lawn(100, 120), np.full((100, 120), 77, np.uint8)
    before = pixels.copy()
    answer = filling.fill(Photo(pixels, alpha=alpha, icc_profile=b"p", format="PNG"), mask, seed=0)
    assert answer.alpha is alpha
    assert answer.icc_profile == b"p"
    assert answer.format == "PNG"
    np.testing.assert_array_equal(pixels, before)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="mask"):
        filling.fill(Photo(lawn(40, 50)), np.zeros((50, 40), np.uint8), seed=0)
