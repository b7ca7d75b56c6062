"""Learned models at work: right polarity, right ranges, and one rung down when a file is not what it should be."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from bot.inpainting.learned import learned_fill
from bot.models import sessions
from bot.models.files import available
from bot.models.registry import DEFAULT, FILLERS, MODELS, SEGMENTERS
from bot.segmentation.learned.net import Eye, NoSegmenterError, learned_matte
from tests.unit.models import graphs
from tests.unit.models.conftest import Publish

ROOT = Path(__file__).resolve().parents[3]


def a_picture(width: int = 90, height: int = 60) -> np.ndarray:
    """Dark, with a bright square in the middle."""
    picture = np.full((height, width, 3), 40, np.uint8)
    picture[20:40, 30:60] = 230
    return picture


def a_hole(width: int = 90, height: int = 60) -> np.ndarray:
    hole = np.zeros((height, width), np.uint8)
    hole[25:35, 40:50] = 255
    return hole


@pytest.mark.parametrize("name", SEGMENTERS)
def test_every_segmenter_gives_a_matte_of_the_pictures_size(name: str, place: Publish) -> None:
    look = MODELS[name].look
    assert look is not None
    folder = place(name, graphs.segmenter(look.side, logits=look.logits))
    seen = learned_matte(a_picture(), folder)
    assert seen is not None
    assert seen.model == name
    assert seen.matte.shape == (60, 90)
    assert seen.matte[30, 45] > 0.9
    assert seen.matte[5, 5] < 0.1


def test_the_better_segmenter_is_asked_first(place: Publish) -> None:
    place("u2netp", graphs.segmenter(320))
    folder = place("isnet-general-use", graphs.segmenter(1024))
    seen = learned_matte(a_picture(), folder)
    assert seen is not None
    assert seen.model == "isnet-general-use"


def test_migan_is_told_what_to_keep_and_lama_what_to_fill(place: Publish) -> None:
    folder = place("lama", graphs.lama())
    blue = learned_fill(a_picture(), a_hole(), folder)
    place("migan", graphs.migan())
    green = learned_fill(a_picture(), a_hole(), folder)
    assert blue is not None
    assert green is not None
    assert tuple(green[30, 45]) == (0, 200, 0)
    assert blue[30, 45, 2] > 170 > blue[30, 45, 0]
    for filled in (blue, green):
        np.testing.assert_array_equal(filled[a_hole() == 0], a_picture()[a_hole() == 0])


def test_without_files_nobody_answers(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert learned_matte(a_picture(), tmp_path) is None
        assert learned_fill(a_picture(), a_hole(), tmp_path) is None
    assert available(tmp_path) == ()
    assert logs == []


def test_a_file_with_another_checksum_is_not_run_and_that_is_said_once(place: Publish) -> None:
    folder = place("migan", graphs.migan())
    (folder / "migan.onnx").write_bytes(graphs.migan()[:-1] + b"\0")
    with capture_logs() as logs:
        assert learned_fill(a_picture(), a_hole(), folder) is None
        assert learned_fill(a_picture(), a_hole(), folder) is None
    assert [entry["event"] for entry in logs] == ["model_unusable"]
    assert available(folder) == ()


@pytest.mark.parametrize(
    "content",
    [b"not a graph at all", graphs.segmenter(300), graphs.migan(), graphs.segmenter(320, planes=2)],
    ids=["rubbish", "another size", "another task", "another answer"],
)
def test_a_graph_that_breaks_the_contract_falls_one_rung(content: bytes, place: Publish) -> None:
    place("u2netp", graphs.segmenter(320))
    folder = place("isnet-general-use", content)
    with capture_logs() as logs:
        seen = learned_matte(a_picture(), folder)
        again = learned_matte(a_picture(), folder)
    assert seen is not None
    assert again is not None
    assert seen.model == again.model == "u2netp"
    assert [entry["name"] for entry in logs if entry["event"] == "model_unusable"] == ["isnet-general-use"]


def test_a_broken_migan_leaves_the_hole_to_lama(place: Publish) -> None:
    place("lama", graphs.lama())
    folder = place("migan", graphs.migan(kind=graphs.FLOAT))
    filled = learned_fill(a_picture(), a_hole(), folder)
    assert filled is not None
    assert filled[30, 45, 2] > 170


def test_a_session_leaves_when_it_is_idle(place: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    class Watched(sessions.Sessions):
        def unload(self) -> None:
            super().unload()
            gone.set()

    watched = Watched(idle_seconds=0.05)
    monkeypatch.setattr(sessions, "_here", watched)
    folder = place("migan", graphs.migan())
    assert learned_fill(a_picture(), a_hole(), folder) is not None
    assert gone.wait(60)
    assert not watched.is_loaded
    assert learned_fill(a_picture(), a_hole(), folder) is not None
    watched.close()


def test_a_small_model_stays_loaded_beside_a_large_one(place: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding a subject and filling its hole take turns, photo after photo."""
    monkeypatch.setattr(sessions, "SMALL_BYTES", len(graphs.segmenter(320)))
    place("u2netp", graphs.segmenter(320))
    place("lama", graphs.lama() + graphs.padding(1000))
    folder = place("migan", graphs.migan() + graphs.padding(1000))
    with capture_logs() as logs:
        for _ in range(3):
            learned_matte(a_picture(), folder)
            learned_fill(a_picture(), a_hole(), folder)
    assert [entry["name"] for entry in logs if entry["event"] == "model_loaded"] == ["u2netp", "migan"]
    (folder / "migan.onnx").unlink()
    with capture_logs() as logs:
        learned_fill(a_picture(), a_hole(), folder)
        learned_matte(a_picture(), folder)
    assert [entry["name"] for entry in logs] == ["lama"], "a second large one takes the first one's place"
    assert sessions._here.is_loaded
    sessions.unload()
    assert not sessions._here.is_loaded


def test_a_look_that_announces_another_gives_the_same_answer(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320))
    eye = Eye(a_picture(), folder)
    kept, given_back = eye.see(more=True), eye.see()
    np.testing.assert_array_equal(kept, given_back)


def test_a_window_and_a_mirrored_look_see_what_is_there(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320))
    picture = a_picture()
    picture[20:40, 30:45] = 40  # the bright part is now right of the middle
    eye = Eye(picture, folder)
    plain, mirrored = eye.see(), eye.see(mirrored=True)
    np.testing.assert_allclose(plain, mirrored, atol=1e-3)
    assert plain[160, 190] > 0.9 > 0.1 > plain[160, 130]
    assert eye.see((45, 20, 60, 40)).min() > 0.9


def test_an_eye_with_no_model_that_works_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoSegmenterError):
        Eye(a_picture(), tmp_path).see()
    (tmp_path / "u2netp.onnx").write_bytes(b"not the published file")
    with pytest.raises(NoSegmenterError):
        Eye(a_picture(), tmp_path).see()


def test_a_net_that_sees_nothing_says_so(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320))
    seen = learned_matte(np.zeros((40, 40, 3), np.uint8), folder)
    assert seen is not None
    assert not seen.matte.any()


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mask"):
        learned_fill(a_picture(), a_hole(30, 30), tmp_path)


def test_the_registry_holds_no_non_commercial_weights_and_pins_every_model() -> None:
    assert {model.licence for model in MODELS.values()} <= {"Apache-2.0", "MIT"}
    notices = (ROOT / "THIRD_PARTY.md").read_text()
    for model in MODELS.values():
        assert re.fullmatch("[0-9a-f]{64}", model.sha256)
        assert model.size > 1_000_000
        assert model.url.startswith("https://")
        assert model.notice
        assert f"(`{model.name}`)" in notices
    assert {*SEGMENTERS, *FILLERS} == set(MODELS)
    assert set(DEFAULT) <= set(MODELS)
    assert sum(MODELS[name].size for name in DEFAULT) < 40e6
