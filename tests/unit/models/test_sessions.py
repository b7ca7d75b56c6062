"""Models at work: right polarity, right ranges, and the next best model where a file is not what it should be."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from bot.inpainting.learned import learned_fill
from bot.models import sessions
from bot.models.files import is_intact
from bot.models.registry import DEFAULT_MODELS, FILLERS, MODELS, SEGMENTERS
from bot.segmentation.learned.net import MIN_PEAK, NoUsableModelError, SaliencyNet
from tests.unit.models import graphs
from tests.unit.models.conftest import Publish, predict

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
def test_every_segmenter_gives_a_map_of_its_square(name: str, place: Publish) -> None:
    spec = MODELS[name].segmenter_spec
    assert spec is not None
    folder = place(name, graphs.segmenter(spec.side, logits=spec.logits))
    assert SaliencyNet(a_picture(), folder).model == name
    assert SaliencyNet(a_picture(), folder).predict().shape == (spec.side, spec.side)
    seen = predict(a_picture(), folder)
    assert seen[30, 45] > 0.9
    assert seen[5, 5] < 0.1


@pytest.mark.parametrize(("name", "output"), [("u2netp", 2), ("silueta", 0)])
def test_the_output_that_the_registry_names_is_read(name: str, output: int, place: Publish) -> None:
    for shown in range(graphs.SEGMENTER_OUTPUTS):
        folder = place(name, graphs.segmenter(320, shown=shown))
        assert (predict(a_picture(), folder).max() > 0.9) == (shown == output)


def test_a_graph_without_that_output_is_not_used(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320, outputs=2))
    with capture_logs() as logs, pytest.raises(NoUsableModelError):
        predict(a_picture(), folder)
    (warning,) = (entry for entry in logs if entry["event"] == "model_unusable")
    assert "output 2 of a graph that has 2" in warning["why"]


def test_another_output_is_named_for_small_files_only() -> None:
    for model in MODELS.values():
        if model.segmenter_spec is not None and model.segmenter_spec.output:
            assert model.size <= sessions.SMALL_BYTES
            assert model.segmenter_spec.side <= sessions._MAX_ARENA_SIDE


def test_the_better_segmenter_is_asked_first(place: Publish) -> None:
    place("u2netp", graphs.segmenter(320))
    folder = place("isnet-general-use", graphs.segmenter(1024))
    net = SaliencyNet(a_picture(), folder)
    assert net.predict().shape == (1024, 1024)
    assert net.model == "isnet-general-use"


def test_migan_gets_what_to_keep_and_lama_what_to_fill(place: Publish) -> None:
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


def test_without_files_there_is_no_answer_and_no_log(tmp_path: Path) -> None:
    with capture_logs() as logs:
        with pytest.raises(NoUsableModelError):
            predict(a_picture(), tmp_path)
        assert learned_fill(a_picture(), a_hole(), tmp_path) is None
    assert not is_intact(MODELS["u2netp"], tmp_path / "u2netp.onnx")
    assert logs == []


def test_a_file_with_another_checksum_is_not_run_and_one_warning_is_logged(place: Publish) -> None:
    folder = place("migan", graphs.migan())
    (folder / "migan.onnx").write_bytes(graphs.migan()[:-1] + b"\0")
    with capture_logs() as logs:
        assert learned_fill(a_picture(), a_hole(), folder) is None
        assert learned_fill(a_picture(), a_hole(), folder) is None
    assert [entry["event"] for entry in logs] == ["model_unusable"]
    assert not is_intact(MODELS["migan"], folder / "migan.onnx")


@pytest.mark.parametrize(
    "content",
    [b"not a graph at all", graphs.segmenter(300), graphs.migan(), graphs.segmenter(320, planes=2)],
    ids=["rubbish", "another size", "another task", "another answer"],
)
def test_for_a_graph_of_another_shape_the_next_best_model_answers(content: bytes, place: Publish) -> None:
    place("u2netp", graphs.segmenter(320))
    folder = place("isnet-general-use", content)
    with capture_logs() as logs:
        first, second = SaliencyNet(a_picture(), folder), SaliencyNet(a_picture(), folder)
        assert first.predict().shape == second.predict().shape == (320, 320)
    assert first.model == second.model == "u2netp"
    assert [entry["name"] for entry in logs if entry["event"] == "model_unusable"] == ["isnet-general-use"]


def test_a_broken_migan_leaves_the_hole_to_lama(place: Publish) -> None:
    place("lama", graphs.lama())
    folder = place("migan", graphs.migan(kind=graphs.FLOAT))
    filled = learned_fill(a_picture(), a_hole(), folder)
    assert filled is not None
    assert filled[30, 45, 2] > 170


def test_an_idle_session_is_unloaded(place: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    class Watched(sessions.Sessions):
        def unload(self) -> None:
            super().unload()
            gone.set()

    watched = Watched(idle_seconds=0.05)
    monkeypatch.setattr(sessions, "_process_sessions", watched)
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
            predict(a_picture(), folder)
            learned_fill(a_picture(), a_hole(), folder)
    assert [entry["name"] for entry in logs if entry["event"] == "model_loaded"] == ["u2netp", "migan"]
    (folder / "migan.onnx").unlink()
    with capture_logs() as logs:
        learned_fill(a_picture(), a_hole(), folder)
        predict(a_picture(), folder)
    assert [entry["name"] for entry in logs] == ["lama"], "a second large one takes the first one's place"
    assert sessions._process_sessions.is_loaded
    sessions.unload()
    assert not sessions._process_sessions.is_loaded


def test_a_pass_that_keeps_the_memory_gives_the_same_map(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320))
    net = SaliencyNet(a_picture(), folder)
    np.testing.assert_array_equal(net.predict(keep_memory=True), net.predict())


def test_a_window_and_a_mirrored_pass_show_the_same_object(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320))
    picture = a_picture()
    picture[20:40, 30:45] = 40  # the bright part is now right of the middle
    net = SaliencyNet(picture, folder)
    plain, mirrored = net.predict(), net.predict(mirrored=True)
    np.testing.assert_allclose(plain, mirrored, atol=1e-3)
    assert plain[160, 190] > 0.9 > 0.1 > plain[160, 130]
    assert net.predict((45, 20, 60, 40)).min() > 0.9


def test_without_a_usable_model_the_net_raises(tmp_path: Path) -> None:
    with pytest.raises(NoUsableModelError):
        SaliencyNet(a_picture(), tmp_path).predict()
    (tmp_path / "u2netp.onnx").write_bytes(b"not the published file")
    with pytest.raises(NoUsableModelError):
        SaliencyNet(a_picture(), tmp_path).predict()


def test_a_dark_picture_gives_a_map_below_the_smallest_peak(place: Publish) -> None:
    folder = place("u2netp", graphs.segmenter(320))
    assert SaliencyNet(np.zeros((40, 40, 3), np.uint8), folder).predict().max() < MIN_PEAK


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
    assert set(DEFAULT_MODELS) <= set(MODELS)
    assert sum(MODELS[name].size for name in DEFAULT_MODELS) < 40e6
