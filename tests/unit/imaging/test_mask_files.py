"""Untrusted mask files: which are accepted, and which are refused before a pixel is decoded."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.errors import PersonError
from bot.imaging.encoding import encode_mask
from bot.imaging.masks import open_mask
from bot.imaging.photo import Mask

SIZE = (80, 60)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def drawn(width: int = 80, height: int = 60) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 4 : width * 3 // 4] = 255
    return mask


def png(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width: int, height: int, depth: int = 8, kind: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))


def refusal(data: bytes | Path, size: tuple[int, int] | None = SIZE, **limits: int) -> tuple[str, object]:
    with pytest.raises(PersonError) as caught:
        open_mask(data, size=size, **limits)
    return caught.value.message_id, caught.value.facts.get("why")


@pytest.fixture
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_image(*_args: object, **_options: object) -> None:
        raise AssertionError("Pillow was called")

    monkeypatch.setattr(Image, "open", open_image)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_a_mask_may_be_any_kind_of_png(mode: str) -> None:
    image = Image.fromarray(drawn()).convert(mode)
    assert np.array_equal(open_mask(png(image), size=SIZE), drawn())


def test_a_mask_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mask"
    path.write_bytes(encode_mask(drawn()))
    assert np.array_equal(open_mask(path, size=None), drawn())


def test_grey_values_from_128_up_are_selected() -> None:
    greys = np.tile(np.array([0, 127, 128, 255], np.uint8), (4, 1))
    assert open_mask(png(Image.fromarray(greys)), size=None)[0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("size", [(160, 120), (40, 30), (1280, 960), (81, 61), (79, 59)])
def test_a_mask_of_another_size_and_the_same_aspect_ratio_is_scaled(size: tuple[int, int]) -> None:
    found = open_mask(encode_mask(drawn()), size=size)
    assert found.shape == (size[1], size[0])
    assert set(np.unique(found)) == {0, 255}
    assert abs((found > 0).mean() - (drawn() > 0).mean()) < 0.03


@pytest.mark.parametrize("size", [(60, 80), (80, 80), (80, 64), (800, 620), (4000, 2000)])
def test_a_mask_of_another_aspect_ratio_is_refused(size: tuple[int, int], nothing_is_decoded: None) -> None:
    assert refusal(encode_mask(drawn()), size) == ("mask-wrong-shape", "aspect")


def test_a_mask_of_a_single_pixel_is_refused() -> None:
    one = png(Image.new("L", (1, 1), 255))
    for size in (SIZE, (500, 500), None):
        assert refusal(one, size)[0] == "mask-everything"
    assert refusal(one, (500, 40))[0] == "mask-wrong-shape"


def test_empty_and_full_masks_are_refused_with_different_reasons() -> None:
    assert refusal(png(Image.new("1", SIZE, 0)))[0] == "mask-empty"
    assert refusal(png(Image.new("1", SIZE, 1)))[0] == "mask-everything"


def test_a_mask_that_scaling_empties_is_refused_as_empty() -> None:
    dot = np.zeros((600, 800), np.uint8)
    dot[300, 400] = 255
    assert refusal(encode_mask(dot))[0] == "mask-empty"


def test_translucent_and_coloured_masks_are_refused() -> None:
    coloured = Image.merge("RGB", [Image.fromarray(drawn()), *Image.new("RGB", SIZE).split()[:2]])
    assert refusal(png(coloured)) == ("mask-broken", "coloured")
    clear = Image.merge("LA", [Image.fromarray(drawn()), Image.fromarray(drawn())])
    assert refusal(png(clear)) == ("mask-broken", "transparent")


@pytest.mark.parametrize("kind", [0, 2, 4, 6])
def test_16_bit_masks_are_refused_before_decoding(kind: int, nothing_is_decoded: None) -> None:
    assert refusal(SIGNATURE + header(*SIZE, depth=16, kind=kind)) == ("mask-broken", "16 bits")


@pytest.mark.parametrize("size", [None, (30, 30), (3000, 3000)])
def test_a_decompression_bomb_is_refused_by_its_header(size: tuple[int, int] | None, nothing_is_decoded: None) -> None:
    bomb = SIGNATURE + header(30_000, 30_000) + chunk(b"IDAT", zlib.compress(b"\0" * 30_001 * 40)) + chunk(b"IEND", b"")
    assert refusal(bomb, size) == ("mask-wrong-shape", "size")


@pytest.mark.parametrize("size", [(0, 60), (80, 0), (2**32 - 1, 2**32 - 1)])
def test_impossible_sizes_are_refused(size: tuple[int, int], nothing_is_decoded: None) -> None:
    assert refusal(SIGNATURE + header(*size)) == ("mask-wrong-shape", "size")


@pytest.mark.parametrize("size", [(4000, 4000), (640, 480)])
def test_a_mask_with_a_second_header_is_refused(size: tuple[int, int]) -> None:
    rows = zlib.compress((b"\0" + b"\xff" * (size[0] // 2) + b"\0" * (size[0] - size[0] // 2)) * size[1])
    twice = SIGNATURE + header(*SIZE) + header(*size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert refusal(twice)[0] == "mask-broken"
    assert refusal(twice, None)[0] == "mask-broken"


def test_noise_is_refused(nothing_is_decoded: None) -> None:
    noise = np.random.default_rng(1).bytes(5_000_000)
    assert refusal(noise) == ("mask-broken", "not a PNG")
    assert refusal(SIGNATURE + noise[:4_999_992]) == ("mask-broken", "not a PNG")


def test_a_file_above_the_size_limit_is_refused_before_decoding(tmp_path: Path, nothing_is_decoded: None) -> None:
    data = encode_mask(drawn())
    path = tmp_path / "mask.png"
    path.write_bytes(data)
    for source in (data, path):
        assert refusal(source, max_bytes=len(data) - 1) == ("mask-broken", "too large")


@pytest.mark.parametrize("file_format", ["JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_other_formats_are_refused(file_format: str, nothing_is_decoded: None) -> None:
    buffer = io.BytesIO()
    Image.fromarray(drawn()).save(buffer, file_format)
    assert refusal(buffer.getvalue()) == ("mask-broken", "not a PNG")


def test_an_animated_mask_is_refused() -> None:
    frames = [Image.fromarray(drawn()), Image.fromarray(255 - drawn())]
    assert refusal(png(frames[0], save_all=True, append_images=frames[1:])) == ("mask-broken", "animated")


def test_a_compressed_text_bomb_is_not_unpacked() -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 100_000_000))
    data = encode_mask(drawn())
    tracemalloc.start()
    try:
        mask = open_mask(data[:33] + text + data[33:], size=SIZE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(mask, drawn())
    assert peak < 10_000_000


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_mask_is_read_or_refused_with_a_message(data: st.DataObject) -> None:
    whole = bytearray(png(Image.fromarray(drawn()).convert("RGB")))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        found = open_mask(cut, size=SIZE)
    except PersonError as error:
        assert error.message_id in {"mask-broken", "mask-wrong-shape", "mask-empty", "mask-everything"}  # noqa: PT017 -- or no error at all
    else:
        assert found.shape == (60, 80)


MASK_REFUSALS = {"mask-broken", "mask-wrong-shape", "mask-empty", "mask-everything"}


@given(st.binary(max_size=400), st.booleans(), st.sampled_from([None, SIZE]))
@settings(max_examples=150)
def test_any_bytes_are_a_mask_or_refused_with_a_message(
    noise: bytes, is_png: bool, size: tuple[int, int] | None
) -> None:
    header = png(Image.fromarray(drawn()))[:33] if is_png else b""
    with pytest.raises(PersonError) as refused:
        open_mask(header + noise, size=size)
    assert refused.value.message_id in MASK_REFUSALS


sides = st.integers(1, 400)


@given(sides, sides, sides, sides)
@settings(max_examples=150)
@example(80, 60, 1, 1)
@example(400, 1, 400, 1)
def test_a_mask_of_any_size_fits_the_photo_or_is_refused(width: int, height: int, across: int, down: int) -> None:
    mask = np.zeros((down, across), np.uint8)
    mask[: (down + 1) // 2] = 255
    scale = max(across / width, down / height)
    # Each side of a mask may be off by a pixel at its own scale.
    fits = abs(across - width * scale) <= 1.01 and abs(down - height * scale) <= 1.01
    refused, found = "", mask
    try:
        found = open_mask(encode_mask(mask), size=(width, height))
    except PersonError as error:
        refused = error.message_id
    if refused:
        assert refused in MASK_REFUSALS
        assert refused != "mask-wrong-shape" or not fits
        return
    assert fits
    assert found.shape == (height, width)
    assert set(np.unique(found)) <= {0, 255}
    # What is selected lies where it was painted: the upper half, to a row of either picture.
    rows = np.flatnonzero(found.any(axis=1))
    margin = 1 + height / down
    assert rows[0] == 0
    assert abs((rows[-1] + 1) - height * ((down + 1) // 2) / down) <= margin
