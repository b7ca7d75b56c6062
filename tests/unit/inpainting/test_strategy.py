"""Which holes go together, which are scratches, who fills large ones, and where enlarged fills get their detail."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Mask, Photo, Pixels
from bot.inpainting import filling, holes
from bot.inpainting.detail_transfer import transfer_detail
from bot.inpainting.patches import PatchMatcher, describe
from bot.inpainting.smooth import smooth_fill
from bot.inpainting.synthesis import Synthesis


def squares(*corners: tuple[int, int], side: int = 30, shape: tuple[int, int] = (600, 900)) -> Mask:
    mask = np.zeros(shape, np.uint8)
    for x, y in corners:
        mask[y : y + side, x : x + side] = 255
    return mask


def together(found: list[holes.Hole], mask: Mask) -> np.ndarray:
    count = np.zeros(mask.shape, int)
    for hole in found:
        count[hole.rows, hole.columns] += hole.mask > 0
    return count


def test_near_holes_are_grouped_and_far_ones_are_not() -> None:
    mask = squares((100, 100), (140, 100), (700, 400))
    found = holes.group_holes(mask)
    assert [cv2.countNonZero(hole.mask) for hole in found] == [1800, 900]
    np.testing.assert_array_equal(together(found, mask), mask > 0)


def test_very_many_holes_become_few_groups() -> None:
    corners = [(x, y) for x in range(5, 880, 100) for y in range(5, 580, 100)]
    mask = squares(*corners, side=12)
    found = holes.group_holes(mask)
    assert 1 <= len(found) <= 6
    np.testing.assert_array_equal(together(found, mask), mask > 0)


@pytest.mark.parametrize("corner", [(0, 0), (870, 570), (0, 300), (870, 10)])
def test_a_crop_at_the_border_has_as_much_context_as_elsewhere(corner: tuple[int, int]) -> None:
    (hole,) = holes.group_holes(squares(corner))
    assert hole.mask.shape == (158, 158)


def test_scratches_are_separated_from_wide_components() -> None:
    mask = np.zeros((200, 300), np.uint8)
    cv2.line(mask, (10, 20), (290, 60), 255, 4)
    cv2.circle(mask, (150, 140), 20, 255, -1)
    thin, wide = holes.split_scratches(mask)
    np.testing.assert_array_equal(thin | wide, mask)
    assert not (thin & wide).any()
    assert not thin[100:].any()
    assert not wide[:90].any()


def test_a_wide_component_cut_by_the_border_is_not_a_scratch() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[:5, 20:80] = 255
    thin, wide = holes.split_scratches(mask)
    assert not thin.any()
    assert wide.any()


class Learned:
    """Stands where the learned models do."""

    def __init__(self, answer: int | None) -> None:
        self.calls = 0
        self._answer = answer

    def __call__(self, photo: Pixels, mask: Mask, folder: Path) -> Pixels | None:
        self.calls += 1
        if self._answer is None:
            return None
        return np.where(mask[..., None] > 0, np.uint8(self._answer), photo)


def noisy(height: int, width: int) -> Pixels:
    return np.random.default_rng(0).integers(90, 150, (height, width, 3), dtype=np.uint8)


def test_only_large_holes_are_filled_by_learned_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    learned = Learned(answer=30)
    monkeypatch.setattr(filling, "learned_fill", learned)
    photo = Photo(noisy(300, 400))
    small = squares((100, 100), side=60, shape=(300, 400))
    large = squares((100, 50), side=180, shape=(300, 400))
    filling.fill(photo, small, seed=0, models=tmp_path)
    filling.fill(photo, large, seed=0)
    assert learned.calls == 0
    answer = filling.fill(photo, large, seed=1, models=tmp_path).pixels
    assert learned.calls == 1
    assert abs(answer[large > 0].mean() - 30) < 4
    np.testing.assert_array_equal(answer[large == 0], photo.pixels[large == 0])


def test_missing_learned_models_do_not_change_the_fill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    photo, large = Photo(noisy(300, 400)), squares((100, 50), side=180, shape=(300, 400))
    without = filling.fill(photo, large, seed=0)
    learned = Learned(answer=None)
    monkeypatch.setattr(filling, "learned_fill", learned)
    np.testing.assert_array_equal(filling.fill(photo, large, seed=0, models=tmp_path).pixels, without.pixels)
    assert learned.calls == 1


def test_a_learned_fill_of_a_large_photo_gets_the_photos_detail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    photo = noisy(1400, 1600)
    mask = squares((400, 300), side=800, shape=(1400, 1600))
    monkeypatch.setattr(filling, "learned_fill", Learned(answer=120))
    answer = filling.fill(Photo(photo), mask, seed=0, models=tmp_path).pixels
    assert answer[500:900, 600:1000].std() > 0.7 * photo.std()


def test_detail_is_taken_from_the_sources_of_the_small_fill() -> None:
    """Left half of the photo is rough, right half smooth; the hole is told to come from the left."""
    crop = np.full((400, 800, 3), 120, np.uint8)
    crop[:, :400] = noisy(400, 400)
    hole = np.zeros((400, 800), bool)
    hole[100:300, 500:700] = True
    small = cv2.resize(crop, (200, 100), interpolation=cv2.INTER_AREA).astype(np.float32)
    rows, columns = (np.asarray(axis, np.intp) for axis in np.indices((100, 200)))
    columns[25:75, 125:175] -= 100
    picture = small.copy()
    picture[25:75, 125:175] = small[25:75, 25:75]
    answer = transfer_detail(crop, hole, small, Synthesis(picture, rows, columns))
    np.testing.assert_allclose(answer[110:290, 510:690], crop[110:290, 110:290], atol=2)
    np.testing.assert_array_equal(answer[~hole], crop[~hole])


def test_descriptors_rank_patches_as_their_pixels_do() -> None:
    picture = cv2.GaussianBlur(noisy(60, 60), (0, 0), 1.5).astype(np.float32)
    described = describe(picture, 3)
    base = picture[27:34, 27:34]
    rng = np.random.default_rng(1)
    pixels, features = [], []
    for row, column in rng.integers(5, 55, (200, 2)):
        pixels.append(((picture[row - 3 : row + 4, column - 3 : column + 4] - base) ** 2).sum())
        features.append(((described[row, column, :-2] - described[30, 30, :-2]) ** 2).sum())
    assert np.corrcoef(pixels, features)[0, 1] > 0.9
    assert (np.array(features) <= np.array(pixels) * 1.001 + 1e-3).all()


def test_a_shifted_copy_is_found() -> None:
    rng = np.random.default_rng(2)
    tile = cv2.GaussianBlur(rng.standard_normal((64, 64, 3)).astype(np.float32), (0, 0), 1) * 100 + 120
    picture = np.tile(tile, (2, 3, 1))
    hole = np.zeros(picture.shape[:2], bool)
    hole[40:80, 70:110] = True
    matcher = PatchMatcher(picture, hole, ~hole, radius=3, rng=np.random.default_rng(0))
    field = matcher.random_field()
    matcher.improve(field, picture, turns=10)
    assert np.quantile(field.cost, 0.99) < 1
    assert np.median((field.source_rows - field.rows) % 64) == 0


def test_a_smooth_fill_matches_its_rim_and_has_grain() -> None:
    ramp = np.broadcast_to(np.linspace(60, 180, 300)[None, :, None], (200, 300, 3))
    photo = np.clip(ramp + np.random.default_rng(0).normal(0, 3, (200, 300, 1)), 0, 255).astype(np.uint8)
    mask = squares((40, 20), side=160, shape=(200, 300))
    answer = smooth_fill(photo, mask, seed=0)
    np.testing.assert_array_equal(answer[mask == 0], photo[mask == 0])
    wrong = cv2.GaussianBlur(answer.astype(np.float32) - ramp, (0, 0), 5)
    assert np.abs(wrong[mask > 0]).max() < 14
    flat = answer[60:140, 80:160].astype(float)
    assert 1 < (flat - cv2.GaussianBlur(flat, (0, 0), 3)).std() < 5
