"""Files made after public bug reports: the right values stand in the README of their folder.

What a browser shows of them is compared in `tests/page/test_colours_as_shown.py`.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.imaging.encoding import encode
from tests.unit.imaging.test_containers import opened, refused

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="no folder shared/cases beside this checkout")


def test_a_raw_file_is_not_opened_as_its_preview() -> None:
    assert refused((CASES / "04-raw-1600x1200.dng").read_bytes()) == "photo-raw"


def test_an_orientation_behind_the_pixels_is_ignored() -> None:
    data = (CASES / "05-exif-after-idat.png").read_bytes()
    assert (opened(data).width, opened(data).height) == struct.unpack_from(">II", data, 16)


def test_a_jpeg_without_its_last_two_bytes_is_opened() -> None:
    data = (CASES / "06-no-eoi.jpg").read_bytes()
    assert (opened(data).pixels == opened(data + b"\xff\xd9").pixels).all()


def test_a_transparent_grey_stays_transparent() -> None:
    data = (CASES / "07-grey16-trns.png").read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        wide, clear = np.asarray(image), image.info["transparency"]
    photo = opened(data)
    assert photo.alpha is not None
    assert ((photo.alpha == 0) == (wide == clear)).all()
    with Image.open(io.BytesIO(encode(photo))) as result:
        assert (np.asarray(result.convert("RGBA"))[..., 3] == photo.alpha).all()


def test_a_large_profile_is_no_fault() -> None:
    assert opened((CASES / "03-iccp-over-1mb.png").read_bytes()).icc_profile is not None
