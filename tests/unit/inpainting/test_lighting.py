"""The light of a fill: it is the place's own, not the one of where its texture comes from."""

from __future__ import annotations

import cv2
import numpy as np

from bot.inpainting.lighting import correct_lighting


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A wall in soft light, with grain, and a hole in it."""
    light = np.linspace(110, 170, 320, dtype=np.float32)[None, :, None]
    grain = np.random.default_rng(3).normal(0, 4, (240, 320, 1)).astype(np.float32)
    hole = np.zeros((240, 320), bool)
    hole[60:180, 100:220] = True
    return np.broadcast_to(light + grain, (240, 320, 3)).astype(np.float32), hole


def low(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 8)


def test_a_shade_copied_onto_a_plain_wall_is_corrected() -> None:
    wall, hole = scene()
    copied = np.where(hole[..., None], wall - np.float32(40), wall)
    evened = correct_lighting(copied, wall, hole, ~hole)
    middle = (slice(90, 150), slice(130, 190))
    assert np.abs(low(evened - wall)[middle]).mean() < 0.4 * 40
    np.testing.assert_array_equal(evened[~hole], copied[~hole])


def test_lighting_correction_keeps_the_texture() -> None:
    wall, hole = scene()
    evened = correct_lighting(np.where(hole[..., None], wall - np.float32(40), wall), wall, hole, ~hole)
    fine = (evened - low(evened))[90:150, 130:190]
    np.testing.assert_allclose(fine, (wall - low(wall))[90:150, 130:190], atol=2)


def test_pixels_that_are_not_sources_are_ignored() -> None:
    wall, hole = scene()
    sources = ~hole
    sources[:, 220:] = False
    painted = wall.copy()
    painted[:, 220:] = (255, 0, 255)
    np.testing.assert_array_equal(
        correct_lighting(wall, painted, hole, sources)[hole], correct_lighting(wall, wall, hole, sources)[hole]
    )


def test_the_correction_is_weak_between_bright_and_dark_areas() -> None:
    """A bright sky over dark trees: the surface between them is a smudge, the edge that was copied is right."""
    picture = np.full((240, 320, 3), 235, np.float32)
    picture[120:] = 25
    hole = scene()[1]
    changed = np.abs(correct_lighting(picture, picture, hole, ~hole) - picture)[hole].mean()
    assert changed < 12
