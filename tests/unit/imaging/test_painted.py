"""Finding what a person painted onto a photo that a messenger has scaled and encoded again."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bot.errors import PersonError
from bot.imaging.painted import find_painted
from bot.imaging.photo import Mask, Photo, Pixels

REAL = Path(__file__).parents[4] / "shared" / "photos" / "open" / "images"
RED, GREEN, WHITE, BLACK = (230, 30, 40), (40, 200, 60), (255, 255, 255), (0, 0, 0)


@functools.cache
def photograph(width: int = 1600, height: int = 1200, seed: int = 3) -> Photo:
    """Soft colours, some fine grain, some hard edges: what JPEG struggles with."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 215, (height // 100, width // 100, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    pixels += rng.normal(0, 4, (height, width, 1))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    for _ in range(12):
        left, top = int(rng.integers(0, width - 200)), int(rng.integers(0, height - 200))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        cv2.rectangle(pixels, (left, top), (left + 150, top + 90), colour, -1, cv2.LINE_AA)
    pixels.setflags(write=False)
    return Photo(pixels)


def sent_on(pixels: Pixels, *, side: int = 1280, quality: int = 80) -> Photo:
    """What comes out of a messenger."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Photo(np.asarray(Image.open(buffer).convert("RGB")))


def stroke(photo: Photo, colour: tuple[int, int, int], *, opacity: float = 1.0) -> tuple[Pixels, Mask]:
    """A wide bent stroke, painted on a copy; and where it is."""
    mask = np.zeros(photo.pixels.shape[:2], np.uint8)
    width, height = photo.width, photo.height
    points = np.array([(0.3 * width, 0.4 * height), (0.5 * width, 0.55 * height), (0.65 * width, 0.45 * height)])
    cv2.polylines(mask, [points.astype(np.int32)], False, 255, round(0.03 * max(width, height)), cv2.LINE_AA)
    weight = mask[..., None] / 255 * opacity
    pixels = (photo.pixels * (1 - weight) + np.array(colour) * weight + 0.5).astype(np.uint8)
    return pixels, np.where(mask > 127, 255, 0).astype(np.uint8)


def overlap(found: Mask, true: Mask) -> float:
    """Intersection over union."""
    return float((found & true).astype(bool).sum() / (found | true).astype(bool).sum())


def refusal(original: Photo, painted: Photo) -> str:
    with pytest.raises(PersonError) as caught:
        find_painted(original, painted)
    return caught.value.message_id


@pytest.mark.parametrize("colour", [GREEN, WHITE, BLACK])
def test_a_stroke_of_any_colour_is_found(colour: tuple[int, int, int]) -> None:
    photo = photograph()
    pixels, true = stroke(photo, colour)
    found = find_painted(photo, sent_on(pixels))
    assert found.shape == true.shape
    assert set(np.unique(found)) == {0, 255}
    assert overlap(found, true) > 0.75
    assert (found[true == 255] == 255).mean() > 0.97


@pytest.mark.parametrize(("side", "quality"), [(1600, 95), (1280, 87), (1280, 60), (800, 75), (320, 80)])
def test_paint_is_found_after_scaling_and_jpeg_compression(side: int, quality: int) -> None:
    photo = photograph()
    pixels, true = stroke(photo, RED)
    found = find_painted(photo, sent_on(pixels, side=side, quality=quality))
    assert overlap(found, true) > 0.65


def test_a_translucent_marker_is_found() -> None:
    photo = photograph()
    pixels, true = stroke(photo, RED, opacity=0.6)
    assert overlap(find_painted(photo, sent_on(pixels)), true) > 0.6


def test_a_circled_area_counts_as_painted() -> None:
    photo = photograph()
    pixels, true = photo.pixels.copy(), np.zeros(photo.pixels.shape[:2], np.uint8)
    cv2.ellipse(pixels, (800, 600), (300, 200), 0, 0, 360, RED, 30, cv2.LINE_AA)
    cv2.ellipse(true, (800, 600), (315, 215), 0, 0, 360, 255, -1)
    assert overlap(find_painted(photo, sent_on(pixels)), true) > 0.9


def test_two_strokes_are_found_separately() -> None:
    photo = photograph()
    pixels = photo.pixels.copy()
    for left in (200, 1200):
        cv2.line(pixels, (left, 300), (left + 150, 420), GREEN, 40, cv2.LINE_AA)
    count, _ = cv2.connectedComponents(find_painted(photo, sent_on(pixels)))
    assert count - 1 == 2


@pytest.mark.parametrize(("width", "height"), [(900, 1600), (1600, 900), (641, 479)])
def test_the_mask_has_the_originals_size(width: int, height: int) -> None:
    photo = photograph(width, height)
    pixels, true = stroke(photo, RED)
    found = find_painted(photo, sent_on(pixels, side=1280))
    assert found.shape == (height, width)
    assert overlap(found, true) > 0.6


@pytest.mark.parametrize("quality", [95, 50, 30])
def test_an_unpainted_copy_is_refused_as_nothing_painted(quality: int) -> None:
    photo = photograph()
    assert refusal(photo, sent_on(photo.pixels, quality=quality)) == "nothing-painted"


def test_small_tone_shifts_do_not_count_as_paint() -> None:
    photo = photograph()
    brighter = np.clip(photo.pixels * 1.05 + 4, 0, 255).astype(np.uint8)
    assert refusal(photo, sent_on(brighter)) == "nothing-painted"


def test_another_photo_is_refused() -> None:
    assert refusal(photograph(seed=3), sent_on(photograph(seed=4).pixels)) == "not-the-same-photo"


def test_a_cropped_or_rotated_copy_is_refused() -> None:
    photo = photograph()
    assert refusal(photo, sent_on(photo.pixels[:, :1400])) == "not-the-same-photo"
    assert refusal(photo, sent_on(np.rot90(photo.pixels))) == "not-the-same-photo"
    assert refusal(photo, sent_on(photo.pixels[:, ::-1])) == "not-the-same-photo"


def test_a_completely_painted_photo_is_refused() -> None:
    photo = photograph()
    assert refusal(photo, sent_on(np.full_like(photo.pixels, 200))) == "not-the-same-photo"


def test_paint_on_real_photos_is_found() -> None:
    paths = sorted(REAL.glob("*.jpg"))[:40:20]
    if not paths:
        pytest.skip("no photos beside this checkout")
    for path in paths:
        image = Image.open(path).convert("RGB")
        image.thumbnail((1600, 1600))
        photo = Photo(np.asarray(image))
        assert refusal(photo, sent_on(photo.pixels)) == "nothing-painted", path.name
        pixels, true = stroke(photo, RED)
        assert overlap(find_painted(photo, sent_on(pixels)), true) > 0.7, path.name


def test_what_nobody_called_a_copy_is_one_only_if_it_is_sure() -> None:
    photo = photograph()
    for colour in (RED, GREEN, WHITE, BLACK):
        pixels, true = stroke(photo, colour)
        assert overlap(find_painted(photo, sent_on(pixels), sure=True), true) > 0.75
    rng = np.random.default_rng(6)
    noise = rng.integers(0, 255, photo.pixels.shape, np.uint8)
    backdrop = np.full_like(photo.pixels, 240)
    mug, plant = backdrop.copy(), backdrop.copy()  # two products before one white wall
    mug[300:700, 300:700] = cv2.resize(rng.integers(0, 255, (9, 9, 3), np.uint8), (400, 400))
    plant[400:900, 900:1400] = cv2.resize(rng.integers(0, 255, (9, 9, 3), np.uint8), (500, 500))
    for original, other in ((photo, noise), (Photo(mug), plant), (Photo(plant), mug)):
        with pytest.raises(PersonError) as caught:
            find_painted(original, sent_on(other), sure=True)
        assert caught.value.message_id == "not-the-same-photo"
