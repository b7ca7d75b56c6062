"""HEIF and AVIF: the main picture is opened wherever it stands, and no name in the file crashes the decoder."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.unit.imaging.test_containers import GREEN, RED, opened, plain, refused, saved, shows

HEIC = Path(__file__).resolve().parents[4] / "shared" / "photos" / "awkward" / "photo.heic"

needs_heic = pytest.mark.skipif(not HEIC.is_file(), reason="the collection of awkward files is not here")


@pytest.mark.parametrize("brand", [b"mif1", b"msf1"])
@pytest.mark.parametrize("count", [1, 2])
def test_an_avif_that_calls_itself_by_a_general_brand_is_opened(brand: bytes, count: int) -> None:
    data = saved(plain(RED), "AVIF", *[plain(GREEN)] * (count - 1))
    photo = opened(data[:8] + brand + data[12:])
    assert photo.frames == count
    assert shows(photo, RED)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def heic_of_two(main: int) -> bytes:
    """The HEIC with a second picture, which shows the same pixels turned by 90°.

    Args:
        main: Which of the two is the file's primary item.
    """
    data = HEIC.read_bytes()
    boxes: dict[bytes, bytes] = {}
    meta_at = struct.unpack_from(">I", data)[0]
    meta_size = struct.unpack_from(">I", data, meta_at)[0]
    place = meta_at + 12
    while place < meta_at + meta_size:
        size, kind = struct.unpack_from(">I4s", data, place)
        boxes[kind] = data[place + 8 : place + size]
        place += size
    ipco_size = struct.unpack_from(">I", boxes[b"iprp"])[0]
    ipco, ipma = boxes[b"iprp"][8:ipco_size], boxes[b"iprp"][ipco_size + 8 :]
    properties, place = 0, 0
    while place < len(ipco):
        properties, place = properties + 1, place + struct.unpack_from(">I", ipco, place)[0]
    associated = ipma[10]  # the first entry: item 1, how many properties, which
    entry = struct.pack(">HB", 9, associated + 1) + ipma[11 : 11 + associated] + bytes([0x80 | (properties + 1)])
    ipma = ipma[:4] + struct.pack(">I", struct.unpack_from(">I", ipma, 4)[0] + 1) + ipma[8:] + entry
    boxes[b"iprp"] = box(b"ipco", ipco + box(b"irot", b"\1")) + box(b"ipma", ipma)
    items = boxes[b"iinf"]
    item = box(b"infe", b"\2\0\0\0" + struct.pack(">HH4sB", 9, 0, b"hvc1", 0))
    boxes[b"iinf"] = items[:4] + struct.pack(">H", struct.unpack_from(">H", items, 4)[0] + 1) + items[6:] + item
    boxes[b"pitm"] = bytes(4) + struct.pack(">H", 9 if main == 2 else 1)
    places = bytearray(boxes[b"iloc"])
    count = struct.unpack_from(">H", places, 6)[0]
    places += struct.pack(">H", 9) + places[10:26]
    struct.pack_into(">H", places, 6, count + 1)
    moved = len(meta(boxes, places)) - meta_size
    for number in range(count + 1):
        base = 8 + number * 18 + 4
        struct.pack_into(">I", places, base, struct.unpack_from(">I", places, base)[0] + moved)
    return data[:meta_at] + meta(boxes, places) + data[meta_at + meta_size :]


def meta(boxes: dict[bytes, bytes], places: bytes) -> bytes:
    return box(b"meta", bytes(4) + b"".join(box(kind, content) for kind, content in {**boxes, b"iloc": places}.items()))


@needs_heic
def test_the_main_picture_of_a_heic_is_opened_wherever_it_stands() -> None:
    alone = opened(HEIC.read_bytes())
    assert (alone.pictures, alone.frames) == (1, 1)
    first, second = opened(heic_of_two(1)), opened(heic_of_two(2))
    assert (first.width, first.height, first.pictures) == (alone.width, alone.height, 2)
    assert (second.width, second.height, second.pictures) == (alone.height, alone.width, 2)


@needs_heic
def test_a_heic_with_moving_pictures_counts_as_an_animation() -> None:
    header = struct.pack(">5I", 0, 0, 0, 1000, 1000) + bytes(80)
    assert opened(HEIC.read_bytes() + box(b"moov", box(b"mvhd", header))).frames == 2


def test_a_heic_whose_items_have_no_readable_names_is_refused_before_the_decoder_crashes() -> None:
    def heic(*items: bytes) -> bytes:
        infos = b"".join(box(b"infe", item) for item in items)
        content = bytes(4) + box(b"hdlr", bytes(24)) + box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + infos)
        return box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + box(b"meta", content)

    short, long = b"\2\0\0\1\0\1\0\0", b"\3\0\0\1\0\0\0\1\0\0"
    good, bad = b"mime\0application/rdf+xml\0", b"mime\0\xcc\xfe\xff\0"
    for head in (short, long, b"\0\0\0\0\0\1\0\0"):
        assert refused(heic(short + good, head + bad)) == "photo-broken"
        assert refused(heic(head + good)) == "photo-unreadable", "its names are good, but it has no picture"


@needs_heic
def test_a_heic_whose_metadata_have_an_unreadable_type_is_refused() -> None:
    data = HEIC.read_bytes()
    assert refused(data.replace(b"application/rdf+xml", b"L" + b"\xf2\xeb\xfe" * 6)) == "photo-broken"
