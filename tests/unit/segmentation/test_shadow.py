"""The subject's shadow is added to its mask."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Mask, Photo
from bot.playground.scenes import beach
from bot.segmentation.shadow import add_shadow, find_shadow
from tests.unit.segmentation.scenes import GREEN, RED, discs


def shaded(depth: float, wide: int = 60) -> tuple[Photo, Mask, Mask]:
    """A disc on sand, an ellipse of shade on the ground at its foot, and where the shade alone is seen."""
    photo, subject = discs(480, 320, (0.5, 0.45, 0.25, RED))
    shade = np.zeros((320, 480), np.uint8)
    cv2.ellipse(shade, (270, 222), (wide, 12), 0, 0, 360, 255, -1)
    shade[subject > 0] = 0
    pixels = np.where(shade[..., None] > 0, photo.pixels * depth, photo.pixels).astype(np.uint8)
    return Photo(pixels), subject, shade


def test_the_shadow_is_added_with_its_penumbra() -> None:
    photo, subject, shade = shaded(0.55)
    whole = add_shadow(photo, subject)
    assert (whole[subject > 0] == 255).all()
    assert (whole[shade > 0] == 255).mean() > 0.9
    assert np.count_nonzero(whole) < 1.4 * np.count_nonzero(subject | shade)


def test_with_no_shadow_the_mask_is_as_it_was() -> None:
    photo, subject, _ = shaded(1.0)
    assert np.array_equal(add_shadow(photo, subject), subject)


def test_what_is_too_large_is_no_shadow() -> None:
    photo, subject = discs(480, 320, (0.5, 0.45, 0.25, RED))
    pixels = photo.pixels.copy()
    dark = np.zeros((320, 480), bool)
    dark[205:300, 150:330] = True
    dark &= subject == 0
    pixels[dark] = (pixels[dark] * 0.5).astype(np.uint8)
    assert not find_shadow(Photo(pixels), subject).any()


def test_what_stands_behind_the_subject_is_no_shadow() -> None:
    photo, subject = discs(480, 320, (0.5, 0.45, 0.25, RED))
    trousers = np.zeros((320, 480), bool)
    trousers[120:224, 322:394] = True
    trousers[210:224, 270:394] = True  # at the subject's foot
    trousers &= subject == 0

    def shadow_of(dark: np.ndarray) -> Mask:
        return find_shadow(Photo(np.where(dark[..., None], photo.pixels // 2, photo.pixels)), subject)

    assert not shadow_of(trousers).any()
    for top in (190, 168):  # the search begins in row 168
        on_the_ground = trousers.copy()
        on_the_ground[:top] = False
        assert shadow_of(on_the_ground)[on_the_ground].any(), "what does not continue upwards may be one"


def test_an_object_of_another_colour_is_no_shadow() -> None:
    photo, subject = discs(480, 320, (0.5, 0.45, 0.25, RED), (0.5, 0.76, 0.08, GREEN))
    assert not find_shadow(photo, subject).any()


def test_everything_and_nothing_have_no_shadow() -> None:
    photo, subject, _ = shaded(0.55)
    for mask in (np.zeros_like(subject), np.full_like(subject, 255)):
        assert np.array_equal(add_shadow(photo, mask), mask)


def test_the_parasol_s_shadow_on_the_beach_is_added() -> None:
    pixels, subject = beach.paint()
    added = (add_shadow(Photo(pixels), subject) > 0) & (subject == 0)
    # The shadow's oval as it is painted: left of the pole's foot.
    rows, columns = np.mgrid[: subject.shape[0], : subject.shape[1]]
    oval = (np.hypot((columns - 464) / 170, (rows - 806) / 24) < 0.9) & (subject == 0)
    assert added[oval].mean() > 0.9
    assert added.sum() < 2 * oval.sum()
