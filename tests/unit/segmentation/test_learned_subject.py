"""The subject as the real segmenter finds it on photos; its soft matte, and its cached maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.imaging.photo import Photo
from bot.models import sessions
from bot.segmentation import Tap
from bot.segmentation.hints import select_by_hints
from bot.segmentation.objects import find_objects
from bot.segmentation.subject import find_rough_subject, find_subject
from tests.unit.segmentation.conftest import OpenPhoto
from tests.unit.segmentation.scenes import GREEN, RED, discs, overlap


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """One entry for each pass of the net: whether it keeps the working memory."""
    taken: list[bool] = []
    run = sessions.run

    def counted(name: str, folder: Path, *inputs: np.ndarray, keep_memory: bool = False) -> list[np.ndarray] | None:
        taken.append(keep_memory)
        return run(name, folder, *inputs, keep_memory=keep_memory)

    monkeypatch.setattr(sessions, "run", counted)
    yield taken
    sessions.unload()


@pytest.mark.parametrize(
    ("name", "enough"),
    [("000_blackswan", 0.9), ("010_car-roundabout", 0.92), ("034_parkour", 0.85), ("037_soapbox", 0.8)],
)
def test_the_subject_of_a_photo_is_found(
    name: str, enough: float, segmenter_folder: Path, open_photo: OpenPhoto
) -> None:
    photo, truth = open_photo(name)
    found = find_subject(photo, segmenter_folder)
    assert overlap(found.matte, truth) > enough
    assert not found.coarse
    assert 0.5 < found.confidence <= 1


def test_a_clear_find_is_sure_and_one_that_the_passes_disagree_about_is_not(
    segmenter_folder: Path, open_photo: OpenPhoto
) -> None:
    clear, _ = open_photo("002_blackswan")
    assert find_subject(clear, segmenter_folder).sure
    hazy, _ = open_photo("017_drift-chicane")
    assert not find_subject(hazy, segmenter_folder).sure


def test_the_matte_is_soft_along_the_edge_and_hard_away_from_it(segmenter_folder: Path, open_photo: OpenPhoto) -> None:
    photo, truth = open_photo("000_blackswan")
    matte = find_subject(photo, segmenter_folder).matte
    grey = (matte > 25) & (matte < 230)
    assert 0.005 < grey.mean() < 0.05
    rows, columns = np.nonzero(truth)
    far = np.ones(matte.shape, bool)
    far[max(0, rows.min() - 30) : rows.max() + 30, max(0, columns.min() - 30) : columns.max() + 30] = False
    assert not matte[far].any()


def test_a_sure_find_takes_three_passes_and_a_second_one_none(
    segmenter_folder: Path, open_photo: OpenPhoto, passes: list[bool], tmp_path: Path
) -> None:
    photo, _ = open_photo("000_blackswan")
    map_file = tmp_path / "maps"
    first = find_subject(photo, segmenter_folder, map_file)
    assert passes == [True, True, False], "the last pass releases the working memory"
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]
    assert map_file.stat().st_size < 400_000
    again = find_subject(photo, segmenter_folder, map_file)
    seen = find_rough_subject(photo, segmenter_folder, map_file)
    assert len(passes) == 3
    assert np.array_equal(first.matte, again.matte)
    assert (first.sure, first.confidence) == (again.sure, again.confidence)
    assert seen is not None
    assert overlap(seen, np.where(first.matte > 127, 255, 0).astype(np.uint8)) > 0.9


def test_a_copy_of_the_photo_in_another_size_uses_the_cached_maps(
    segmenter_folder: Path, open_photo: OpenPhoto, passes: list[bool], tmp_path: Path
) -> None:
    photo, truth = open_photo("000_blackswan")
    map_file = tmp_path / "maps"
    find_subject(photo, segmenter_folder, map_file)
    half = Photo(np.ascontiguousarray(photo.pixels[::2, ::2]))
    assert overlap(find_subject(half, segmenter_folder, map_file).matte, truth[::2, ::2]) > 0.85
    assert len(passes) == 3


def test_maps_of_another_photo_are_not_used_and_are_written_again(
    segmenter_folder: Path, open_photo: OpenPhoto, passes: list[bool], tmp_path: Path
) -> None:
    swan, _ = open_photo("000_blackswan")
    car, truth = open_photo("010_car-roundabout")
    map_file = tmp_path / "maps"
    find_subject(swan, segmenter_folder, map_file)
    assert overlap(find_subject(car, segmenter_folder, map_file).matte, truth) > 0.9
    assert passes[3:] == [True, False], "a find as clear as this needs no mirrored pass"
    find_subject(car, segmenter_folder, map_file)
    assert len(passes) == 5


def test_a_folder_that_is_not_there_costs_the_kept_maps_and_no_more(
    segmenter_folder: Path, open_photo: OpenPhoto, tmp_path: Path
) -> None:
    photo, truth = open_photo("010_car-roundabout")
    assert overlap(find_subject(photo, segmenter_folder, tmp_path / "gone" / "maps").matte, truth) > 0.9


def test_a_tap_and_the_list_of_objects_use_the_cached_maps(
    segmenter_folder: Path, open_photo: OpenPhoto, passes: list[bool], tmp_path: Path
) -> None:
    photo, truth = open_photo("037_soapbox")
    map_file = tmp_path / "maps"
    find_subject(photo, segmenter_folder, map_file)
    passes.clear()
    found = find_objects(photo, segmenter_folder, map_file)
    assert len(passes) <= 4
    assert max(overlap(one.matte, truth) for one in found) > 0.8
    passes.clear()
    find_objects(photo, segmenter_folder, map_file)
    assert not passes
    rows, columns = np.nonzero(truth)
    middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    tap = Tap(float(columns[middle]), float(rows[middle]))
    mask = select_by_hints(photo, (tap,), models=segmenter_folder, map_file=map_file)
    assert mask[rows[middle], columns[middle]] == 255
    assert len(passes) == 5, "four squares around the tap, and the object found"


def test_a_large_photo_takes_no_more_passes(segmenter_folder: Path, passes: list[bool]) -> None:
    photo, truth = discs(4000, 3000, (0.4, 0.5, 0.25, RED))
    assert overlap(find_subject(photo, segmenter_folder).matte, truth) > 0.93
    assert len(passes) <= 7


@pytest.mark.parametrize(("width", "height"), [(24, 16), (1200, 60), (60, 1200)])
def test_small_and_long_pictures_are_worked_on(width: int, height: int, segmenter_folder: Path) -> None:
    photo, truth = discs(width, height, (0.5, 0.5, 0.3, RED))
    assert find_subject(photo, segmenter_folder).matte.shape == truth.shape


def test_objects_are_distinct_large_enough_and_no_more_than_asked(
    segmenter_folder: Path, open_photo: OpenPhoto
) -> None:
    photo, truth = open_photo("012_dance-twirl")
    found = find_objects(photo, segmenter_folder, limit=4)
    assert 1 < len(found) <= 4
    masks = [np.where(one.matte > 127, 255, 0).astype(np.uint8) for one in found]
    assert all(mask.mean() / 255 > 0.001 for mask in masks)
    assert all(overlap(one, two) < 0.75 for i, one in enumerate(masks) for two in masks[:i])
    assert max(overlap(mask, truth) for mask in masks) > 0.6


def test_without_a_model_the_classical_method_lists_the_objects() -> None:
    left, right = (0.28, 0.5, 0.17, RED), (0.72, 0.5, 0.17, GREEN)
    photo, left_truth = discs(480, 320, left, right)
    _, right_truth = discs(480, 320, right)
    found = find_objects(photo)
    assert max(overlap(one.matte, left_truth) for one in found) > 0.85
    assert max(overlap(one.matte, right_truth) for one in found) > 0.85
    assert all(one.coarse for one in found)


def test_a_flat_picture_has_no_objects(tmp_path: Path) -> None:
    assert find_objects(Photo(np.full((200, 300, 3), 120, np.uint8)), tmp_path) == []
