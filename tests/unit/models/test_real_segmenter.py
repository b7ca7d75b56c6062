"""The real segmenter that set-up fetches finds the subject."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from PIL import Image

from bot.models import graph, sessions
from bot.models.files import is_intact
from bot.models.registry import MODELS
from tests.support import PHOTOS
from tests.unit.models.conftest import predict


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((found & truth).sum() / max(1, (found | truth).sum()))


def a_mug(width: int = 640, height: int = 480) -> tuple[np.ndarray, np.ndarray]:
    """A red mug on a grey table before a brighter wall, with grain; and its mask."""
    rng = np.random.default_rng(5)
    picture = np.full((height, width, 3), 205.0)
    picture[height * 2 // 3 :] = (120, 118, 115)
    mask = np.zeros((height, width), np.uint8)
    cv2.rectangle(mask, (250, 170), (380, 370), 255, -1)
    cv2.ellipse(mask, (315, 370), (65, 18), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (315, 170), (65, 18), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (385, 265), (45, 55), 0, -90, 90, 255, 18)
    across = np.linspace(0.75, 1.15, width)[None, :, None]
    picture = np.where(mask[..., None] > 0, np.array([190, 45, 40]) * across, picture)
    cv2.ellipse(picture, (315, 170), (52, 12), 0, 0, 360, (70, 20, 18), -1)
    noisy = cv2.GaussianBlur(picture, (0, 0), 1) + rng.normal(0, 4, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), mask > 0


def test_the_published_file_is_the_one_that_set_up_fetches(segmenter_folder: Path) -> None:
    assert is_intact(MODELS["u2netp"], segmenter_folder / MODELS["u2netp"].file)


def test_a_drawn_object_is_found(segmenter_folder: Path) -> None:
    picture, truth = a_mug()
    seen = predict(picture, segmenter_folder)
    assert overlap(seen > 0.5, truth) > 0.8


def test_the_part_that_runs_gives_the_published_graphs_map(segmenter_folder: Path) -> None:
    published = segmenter_folder / MODELS["u2netp"].file
    values = np.random.default_rng(3).standard_normal((1, 3, 320, 320), np.float32)
    session = onnxruntime.InferenceSession(published, providers=["CPUExecutionProvider"])
    fine, _, half, *_ = session.run(None, {session.get_inputs()[0].name: values})
    (quick, *_) = sessions.run("u2netp", segmenter_folder, values) or []
    np.testing.assert_allclose(quick, half, atol=1e-5)
    assert np.abs(half - fine).max() > 0.01


def test_the_last_decoder_does_not_run(segmenter_folder: Path, tmp_path: Path) -> None:
    published = segmenter_folder / MODELS["u2netp"].file
    loaded = tmp_path / "loaded.onnx"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(loaded)
    options.log_severity_level = 4
    quick = sessions._quick_graph(MODELS["u2netp"], published)
    onnxruntime.InferenceSession(quick, options, providers=["CPUExecutionProvider"])
    before, after = (graph._read(path.read_bytes()).graph for path in (published, loaded))
    assert sum(node.op_type == "Conv" for node in before.node) == 119
    assert sum(node.op_type == "Conv" for node in after.node) == 99
    assert sum(b"pytorch_half_pixel" in attribute.s for node in before.node for attribute in node.attribute) == 38
    assert b"pytorch_half_pixel" not in loaded.read_bytes()


MEMORY_OF_PASSES = """
import os
import sys
import numpy as np
import onnxruntime
from pathlib import Path
from bot.models import graph, sessions

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000

print(resident_mb())
values = np.zeros((1, 3, 320, 320), np.float32)
for keep_memory in (True, True, False) * 4:
    sessions.run("u2netp", Path(sys.argv[1]), values, keep_memory=keep_memory)
    print(resident_mb())
sessions._process_sessions.close()
"""


def test_the_last_pass_gives_its_memory_back(segmenter_folder: Path) -> None:
    command = [sys.executable, "-c", MEMORY_OF_PASSES, str(segmenter_folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    before, *after = map(int, re.findall(r"^\d+$", ended.stdout, re.MULTILINE))
    assert max(after) - before > 110, "what the passes work in"
    assert after[-1] - before < 90, "the model itself, and little else"


@pytest.mark.parametrize("name", ["000_blackswan", "008_car-roundabout", "020_goat"])
def test_a_photos_subject_is_found(name: str, segmenter_folder: Path) -> None:
    photo = PHOTOS / "open" / "images" / f"{name}.jpg"
    if not photo.is_file():
        pytest.skip("the open photos are not beside this checkout")
    picture = np.asarray(Image.open(photo).convert("RGB"))
    truth = np.asarray(Image.open(PHOTOS / "open" / "subject" / f"{name}.png").convert("L")) > 127
    seen = predict(picture, segmenter_folder)
    assert overlap(seen > 0.5, truth) > 0.8
