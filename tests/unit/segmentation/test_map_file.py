"""The file of cached maps: what is written is read, and other content is ignored."""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bot.segmentation.learned import map_file

MODEL = "u2netp"
WHOLE = (0.0, 0.0, 1.0, 1.0)


def a_picture(seed: int = 0) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    return np.ascontiguousarray(np.kron(rough, np.ones((40, 40, 1), np.uint8)))


def some_planes() -> map_file.Planes:
    steps = np.random.default_rng(1).integers(0, 256, (320, 320)).astype(np.float32) / np.float32(255)
    return {"whole": (WHOLE, steps), "crop": ((0.25, 0.0, 0.75, 0.5), steps[::-1].copy())}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    map_file.write(tmp_path / "maps", MODEL, a_picture(), some_planes())
    kept = map_file.read(tmp_path / "maps", MODEL, a_picture())
    assert list(kept) == ["whole", "crop"]
    for name, (window, plane) in some_planes().items():
        assert kept[name][0] == window
        np.testing.assert_array_equal(kept[name][1], plane)


def test_a_larger_copy_of_the_photo_is_the_same_photo(tmp_path: Path) -> None:
    map_file.write(tmp_path / "maps", MODEL, a_picture(), some_planes())
    larger = np.kron(a_picture(), np.ones((3, 3, 1), np.uint8))
    assert map_file.read(tmp_path / "maps", MODEL, larger)


def test_maps_of_another_photo_shape_or_model_are_not_read(tmp_path: Path) -> None:
    map_file.write(tmp_path / "maps", MODEL, a_picture(), some_planes())
    assert not map_file.read(tmp_path / "maps", MODEL, a_picture(2))
    assert not map_file.read(tmp_path / "maps", MODEL, a_picture()[:, :200])
    assert not map_file.read(tmp_path / "maps", "silueta", a_picture())


def _with_head(change: Callable[[dict[str, object]], None], body: bytes | None = None) -> Callable[[bytes], bytes]:
    def spoil(data: bytes) -> bytes:
        first, line, rest = data.split(b"\n", 2)
        head = json.loads(line)
        change(head)
        return b"\n".join([first, json.dumps(head).encode(), rest if body is None else body])

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 255]),
        lambda data: b"x" + data,
        lambda data: pickle.dumps({"whole": 1}),
        lambda data: data + b"\0" * map_file.MAX_BYTES,
        lambda data: b"photo-maps 2\n" + b"[" * 5000 + b"\n",
        _with_head(lambda head: head.update(planes=[["a", WHOLE]] * 100_000)),
        _with_head(lambda head: head.update(planes=[["whole", [0, 0, 2, 1]], ["crop", WHOLE]])),
        _with_head(lambda head: head.update(planes=[["whole", [0.5, 0, 0.5, 1]], ["crop", WHOLE]])),
        _with_head(lambda head: head.update(planes=[["whole", [float("nan"), 0, 1, 1]], ["crop", WHOLE]])),
        _with_head(lambda head: head.update(copy=[float("nan")] * 256)),
        _with_head(lambda head: head.pop("copy")),
        _with_head(lambda head: head.update(shape=10**400)),
        _with_head(lambda head: None, zlib.compress(b"\0" * 200_000_000, 9)),
    ],
    ids=[
        "empty",
        "half",
        "bad checksum",
        "shifted",
        "pickle",
        "huge",
        "deep",
        "many planes",
        "window outside",
        "window empty",
        "window nan",
        "copy nan",
        "no copy",
        "huge number",
        "bomb",
    ],
)
def test_a_broken_or_hostile_file_holds_nothing(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "maps"
    map_file.write(path, MODEL, a_picture(), some_planes())
    path.write_bytes(spoil(path.read_bytes()))
    assert map_file.read(path, MODEL, a_picture()) == {}
    map_file.write(path, MODEL, a_picture(), some_planes())
    assert map_file.read(path, MODEL, a_picture())


def test_nothing_but_the_file_is_left_behind(tmp_path: Path) -> None:
    for _ in range(2):
        map_file.write(tmp_path / "maps", MODEL, a_picture(), some_planes())
    (tmp_path / "a folder").mkdir()
    map_file.write(tmp_path / "a folder", MODEL, a_picture(), some_planes())
    map_file.write(tmp_path / "gone" / "maps", MODEL, a_picture(), some_planes())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a folder", "maps"]
    assert not map_file.read(tmp_path / "a folder", MODEL, a_picture())
    assert not map_file.read(tmp_path / "missing", MODEL, a_picture())


def test_more_planes_than_are_kept_are_left_out(tmp_path: Path) -> None:
    many = {f"{number}": (WHOLE, some_planes()["whole"][1]) for number in range(map_file.MAX_PLANES + 3)}
    map_file.write(tmp_path / "maps", MODEL, a_picture(), many)
    assert len(map_file.read(tmp_path / "maps", MODEL, a_picture())) == map_file.MAX_PLANES
