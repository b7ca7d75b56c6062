"""The local engine uses models whose files are present, and works without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.errors import NothingFoundError
from bot.imaging.photo import Photo
from bot.inpainting.filling import fill
from bot.models import sessions
from bot.segmentation.subject import find_subject
from tests.unit.models import graphs
from tests.unit.models.conftest import Publish


def a_photo() -> Photo:
    """A dark square in the middle, which stands out, and a bright one in the corner, which the tiny net looks for."""
    pixels = np.full((300, 400, 3), 90, np.uint8)
    pixels += np.random.default_rng(3).integers(0, 9, pixels.shape, dtype=np.uint8)
    pixels[110:200, 150:260] = (20, 25, 60)
    pixels[10:70, 320:390] = 240
    return Photo(pixels)


def test_a_learned_segmenter_finds_the_subject_where_its_file_is(place: Publish, tmp_path: Path) -> None:
    without = find_subject(a_photo(), tmp_path / "nothing").matte
    folder = place("u2netp", graphs.segmenter(320))
    learned = find_subject(a_photo(), folder).matte
    assert learned[40, 355] > 200, "what the net saw"
    assert learned[150, 200] < 50
    assert without[150, 200] > 200, "what stands out"


def test_a_net_that_sees_nothing_finds_nothing(place: Publish) -> None:
    dark = a_photo()
    dark.pixels[10:70, 320:390] = 90
    folder = place("birefnet-lite", graphs.segmenter(1024, logits=True))
    with pytest.raises(NothingFoundError):
        find_subject(Photo(np.asarray(dark.pixels // 60, np.uint8)), folder)


def test_where_the_net_sees_nothing_the_classical_method_answers_and_is_not_sure(place: Publish) -> None:
    """The tiny net looks for white; a red object on dark red ground is none."""
    red = np.zeros((300, 400, 3), np.uint8)
    red[..., 0] = 60 + np.random.default_rng(3).integers(0, 9, (300, 400), dtype=np.uint8)
    red[100:200, 150:260, 0] = 250
    found = find_subject(Photo(red), place("u2netp", graphs.segmenter(320)))
    assert found.matte[150, 200] > 200
    assert found.matte[20, 20] < 50
    assert found.coarse
    assert not found.sure


def test_a_slow_net_makes_one_pass(place: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place("isnet-general-use", graphs.segmenter(1024))
    taken = []
    run = sessions.run

    def counted(name: str, *others: Any, **options: Any) -> Any:
        taken.append(name)
        return run(name, *others, **options)

    monkeypatch.setattr(sessions, "run", counted)
    assert find_subject(a_photo(), folder).matte[40, 355] > 200
    assert taken == ["isnet-general-use"]


def test_a_large_hole_is_filled_by_the_learned_model_and_a_small_one_is_not(place: Publish) -> None:
    folder = place("migan", graphs.migan())
    photo = a_photo()
    for share, learned in ((0.5, True), (0.1, False)):
        mask = np.zeros((300, 400), np.uint8)
        mask[40 : 40 + round(220 * share), 60:360] = 255
        filled = fill(photo, mask, seed=0, models=folder)
        green = (filled.pixels[mask > 0] == (0, 200, 0)).all(axis=1).mean()
        assert bool(green > 0.9) is learned
