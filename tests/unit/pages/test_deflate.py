"""The page's own zlib stream, against zlib: random bytes, real masks, and what is small enough."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.pages.test_javascript import ROOT, load_tool

deno = load_tool().deno()
pytestmark = pytest.mark.skipif(deno is None, reason="Deno is not installed: run `make setup`")

SCRIPT = """
import { deflate } from '%s/webapp/static/deflate.js';
for (const given of Deno.args) {
  const [path, row] = given.split('|');
  Deno.writeFileSync(path + '.z', deflate(Deno.readFileSync(path), Number(row)));
}
"""

MEGAPIXELS_12 = (3000, 4000)
random = np.random.default_rng(8)


def rows(mask: np.ndarray) -> tuple[bytes, int]:
    """A mask's rows as in a PNG of bit depth 1, each after its filter's byte; and their length."""
    packed = np.packbits(mask > 127, axis=1)
    raw = np.hstack([np.zeros((len(packed), 1), np.uint8), packed])
    return raw.tobytes(), raw.shape[1]


def strokes(count: int, width: int) -> np.ndarray:
    """Wavy strokes across a photo of 12 megapixels."""
    mask = np.zeros(MEGAPIXELS_12, np.uint8)
    x = np.linspace(200, 3800, 90)
    for number in range(count):
        y = 3000 * (number + 0.5) / count + 150 * np.sin(x / 200 + number)
        cv2.polylines(mask, [np.stack([x, y], axis=1).astype(np.int32)], False, 255, width, cv2.LINE_AA)
    return mask


def blobs() -> np.ndarray:
    """What many taps select: uneven areas with smooth edges."""
    return cv2.resize(random.integers(0, 256, (30, 40), np.uint8), MEGAPIXELS_12[::-1], interpolation=cv2.INTER_CUBIC)


def deflated(folder: Path, samples: dict[str, tuple[bytes, int]]) -> dict[str, bytes]:
    """What the page makes of each sample."""
    for name, (data, _) in samples.items():
        (folder / name).write_bytes(data)
    (folder / "run.js").write_text(SCRIPT % ROOT)
    arguments = [f"{folder / name}|{row}" for name, (_, row) in samples.items()]
    command = [str(deno), "run", "--quiet", "--no-config", "-A", str(folder / "run.js"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return {name: (folder / f"{name}.z").read_bytes() for name in samples}


def test_zlib_reads_it(tmp_path: Path) -> None:
    samples: dict[str, tuple[bytes, int]] = {
        "one byte": (b"\xff", 1),
        "two": (b"ab", 2),
        "one value": (bytes(100_000), 501),
        "long row": (bytes(range(256)) * 400, 40_000),
        "every byte": (bytes(range(256)), 16),
        "skewed": (b"".join(bytes([value]) * 2**value for value in range(18)), 7),
        "noise": (random.bytes(70_000), 113),
    }
    for number in range(60):
        length, row = int(random.integers(1, 3000)), int(random.integers(1, 300))
        values = random.integers(0, random.choice([2, 4, 256]), length, np.uint8)
        samples[f"random {number}"] = (np.repeat(values, random.integers(1, 9, length)).tobytes(), row)
    for name, stream in deflated(tmp_path, samples).items():
        assert zlib.decompress(stream) == samples[name][0], name


def test_masks_of_12_megapixels_fit_into_100_kb(tmp_path: Path) -> None:
    masks = {"3 strokes": strokes(3, 200), "10 strokes": strokes(10, 90), "blobs": blobs()}
    masks["everything but a dot"] = np.full(MEGAPIXELS_12, 255, np.uint8)
    masks["everything but a dot"][1500, 2000] = 0
    samples = {name: rows(mask) for name, mask in masks.items()}
    for name, stream in deflated(tmp_path, samples).items():
        assert zlib.decompress(stream) == samples[name][0], name
        assert len(stream) <= 99_000, f"{name}: {len(stream)}, by zlib {len(zlib.compress(samples[name][0]))}"
