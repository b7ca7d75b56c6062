"""A file may hold several pictures. The photo is opened; a preview or a further picture is never taken for it."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.errors import UnusableInputError
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo

SHARED = Path(__file__).resolve().parents[4] / "shared"
CASES = SHARED / "cases"
HEIC = SHARED / "photos" / "awkward" / "photo.heic"

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def plain(colour: tuple[int, int, int], width: int = 96, height: int = 64) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def saved(image: Image.Image, file_format: str, *others: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": others} if others else {}
    image.save(buffer, file_format, **more, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Photo:
    return open_photo(data, max_megapixels=50)


def refused(data: bytes) -> str:
    with pytest.raises(UnusableInputError) as refusal:
        opened(data)
    return refusal.value.message_id


def shows(photo: Photo, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(photo.pixels.astype(int) - colour).max() <= 3)


# ── TIFF ──


def page(
    width: int, height: int, value: int, *, kind: int = 0, photometric: int = 1, more: dict[int, int] | None = None
) -> dict[int, int | bytes]:
    """The tags of a grey page, uncompressed, in one strip; the pixels stand in the place of their offset."""
    tags = {254: kind, 256: width, 257: height, 258: 8, 259: 1, 262: photometric, 277: 1, 278: height}
    return {**tags, 273: bytes([value]) * (width * height), 279: width * height, **(more or {})}


def tiff(*pages: dict[int, int | bytes], inside: dict[int, int | bytes] | None = None, big: bool = False) -> bytes:
    """A little-endian TIFF of pages; `inside` is a sub-page of the first one (SubIFDs)."""
    body = bytearray(b"II+\0\x08\0\0\0" + bytes(8) if big else b"II*\0" + bytes(4))
    count_form, value_form = ("<Q", "Q") if big else ("<H", "I")
    link = 8 if big else 4

    def add(tags: dict[int, int | bytes], number_form: str = value_form) -> int:
        """Append the pixels and the directory; the directory's offset."""
        values = dict(tags)
        for tag, value in tags.items():
            if isinstance(value, bytes):
                values[tag] = len(body)
                body.extend(value)
        offset = len(body)
        body.extend(struct.pack(count_form, len(values)))
        for tag, value in sorted(values.items()):
            body.extend(struct.pack(f"<HH{number_form}{number_form}", tag, 16 if big else 4, 1, value))
        body.extend(struct.pack(f"<{number_form}", 0))
        return offset

    for number, tags in enumerate(pages):
        sub = {330: add(inside)} if inside and not number else {}
        offset = add({**tags, **sub})
        struct.pack_into(f"<{value_form}", body, link, offset)
        link = len(body) - struct.calcsize(value_form)
    return bytes(body)


@pytest.mark.parametrize("big", [False, True])
def test_a_photo_in_a_sub_page_is_opened_at_full_size(big: bool) -> None:
    photo = opened(tiff(page(48, 32, 50, kind=1), inside=page(160, 120, 200), big=big))
    assert (photo.width, photo.height, photo.pictures) == (160, 120, 1)
    assert (photo.pixels == 200).all()


@pytest.mark.parametrize("big", [False, True])
def test_a_photo_behind_its_preview_is_opened_at_full_size(big: bool) -> None:
    photo = opened(tiff(page(48, 32, 50, kind=1), page(160, 120, 200), big=big))
    assert (photo.width, photo.height, photo.pictures) == (160, 120, 1)


def test_a_preview_that_does_not_say_so_is_not_taken_for_a_sub_pages_photo() -> None:
    assert opened(tiff(page(48, 32, 50), inside=page(160, 120, 200))).width == 160


def test_smaller_copies_of_the_photo_are_not_counted() -> None:
    photo = opened(tiff(page(160, 120, 200), page(80, 60, 200, kind=1), page(160, 120, 9, kind=4, photometric=4)))
    assert (photo.width, photo.pictures) == (160, 1)


def test_a_mask_before_the_photo_is_not_the_photo() -> None:
    photo = opened(tiff(page(160, 120, 255, kind=4), page(160, 120, 200)))
    assert (photo.pictures, photo.pixels[0, 0, 0]) == (1, 200)


def test_of_several_pages_the_first_one_is_opened_and_they_are_counted() -> None:
    photo = opened(saved(plain(RED, 40, 30), "TIFF", plain(GREEN), plain(BLUE)))
    assert (photo.width, photo.pictures, photo.frames) == (40, 3, 1)
    assert shows(photo, RED)


def test_the_orientation_of_the_photos_own_page_counts() -> None:
    sideways = page(160, 120, 200, more={274: 6})
    assert opened(tiff(page(48, 32, 50, kind=1, more={274: 1}), sideways)).width == 120


@pytest.mark.parametrize("photometric", [32803, 34892])
@pytest.mark.parametrize("kind", [0, 1])
def test_raw_data_in_any_page_makes_the_file_a_raw_file(photometric: int, kind: int) -> None:
    sensor, preview = page(160, 120, 200, photometric=photometric), page(48, 32, 50, kind=kind)
    for data in (tiff(preview, inside=sensor), tiff(preview, sensor), tiff(sensor, preview)):
        assert refused(data) == "photo-raw"
    assert refused(tiff(preview, inside=page(160, 120, 200, more={50706: 1}))) == "photo-raw"


RAW = {
    "Fujifilm RAF": b"FUJIFILMCCD-RAW 0201",
    "Olympus ORF": b"IIRO\x08\0\0\0",
    "Olympus ORF, older": b"IIRS\x08\0\0\0",
    "Olympus ORF, big-endian": b"MMOR\0\0\0\x08",
    "Panasonic and Leica RW2": b"IIU\0\x18\0\0\0",
    "Sigma X3F": b"FOVb\0\0\3\0",
    "Minolta MRW": b"\0MRM\0\0\1\0",
    "Canon CR2": b"II*\0\x10\0\0\0CR\x02\0",
    "Canon CR3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "Canon CRW": b"II\x1a\0\0\0HEAPCCDR",
    "Phase One IIQ": b"II*\0\x10\0\0\0IIII\x01waR",
    "Leaf IIQ": b"MM\0*\0\0\0\x10MMMMRaw\x01",
}


@pytest.mark.parametrize("name", RAW)
def test_a_cameras_raw_file_is_refused_in_words(name: str) -> None:
    assert refused(RAW[name] + bytes(500)) == "photo-raw"


def test_a_grey_tiff_whose_pixels_look_like_a_raw_files_mark_is_opened() -> None:
    assert opened(tiff(page(48, 32, ord("I")))).width == 48


# ── JPEG ──


def test_of_a_stereo_photo_the_first_picture_is_opened() -> None:
    data = saved(plain(RED), "MPO", plain(GREEN, 640, 480))
    assert b"MPF\0" in data
    photo = opened(data)
    assert (photo.width, photo.format) == (96, "JPEG")
    assert shows(photo, RED)


def test_of_a_photo_with_a_gain_map_the_base_picture_is_opened_and_its_result_has_no_gain_map() -> None:
    gain_map = saved(Image.new("L", (24, 16), 90), "JPEG")
    description = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description hdrgm:Version="1.0" Item:Semantic="GainMap"/>'
    base = saved(plain(BLUE), "JPEG", quality=95)
    segment = b"\xff\xe1" + struct.pack(">H", len(description) + 2) + description
    photo = opened(base[:2] + segment + base[2:] + gain_map)
    assert photo.width == 96
    assert shows(photo, BLUE)
    assert b"hdrgm" not in encode(photo)


def test_a_preview_in_exif_is_not_the_photo() -> None:
    preview = saved(plain(GREEN, 16, 16), "JPEG")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + preview
    data = saved(plain(RED), "JPEG", quality=95)
    photo = opened(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    assert photo.width == 96
    assert shows(photo, RED)


def test_a_photo_with_a_film_behind_it_is_opened() -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(5000)
    photo = opened(saved(plain(RED), "JPEG", quality=95) + film)
    assert (photo.width, photo.frames, photo.pictures) == (96, 1, 1)


# ── moving pictures ──


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_of_moving_pictures_the_first_frame_is_opened_and_they_are_counted(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    photo = opened(saved(plain(RED), file_format, plain(GREEN), plain(BLUE), duration=100, **options))
    assert photo.frames > 1
    assert shows(photo, RED)
    still = opened(saved(plain(RED), file_format))
    assert (still.frames, still.pictures) == (1, 1)


def test_a_small_first_frame_is_opened_on_the_whole_canvas() -> None:
    # A frame of 10 × 10 pixels at (20, 20) on a GIF's screen of 96 × 64.
    data = bytearray(saved(Image.new("P", (10, 10), 1), "GIF"))
    struct.pack_into("<HH", data, 6, 96, 64)
    place = data.index(b"\x2c", 13 + (3 << (data[10] & 7) + 1))
    struct.pack_into("<HH", data, place + 1, 20, 20)
    photo = opened(bytes(data))
    assert (photo.width, photo.height) == (96, 64)


def test_a_default_picture_that_viewers_never_show_is_passed_over() -> None:
    photo = opened(saved(plain(RED), "PNG", plain(GREEN), plain(BLUE), default_image=True, duration=100))
    assert photo.frames == 2
    assert shows(photo, GREEN)


# ── HEIF and AVIF ──


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


needs_heic = pytest.mark.skipif(not HEIC.is_file(), reason="the collection of awkward files is not here")


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


# ── what is not opened at all ──


@pytest.mark.parametrize("file_format", ["ICO", "ICNS", "JPEG2000", "PDF", "EPS", "TGA", "DDS", "PCX"])
def test_other_containers_are_refused_in_words(file_format: str) -> None:
    assert refused(saved(plain(RED, 128, 128), file_format)) == "photo-unreadable"


@pytest.mark.parametrize(
    "start",
    [b"8BPS\0\1", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"PK\3\4"],
)
def test_files_of_other_programs_are_refused_in_words(start: bytes) -> None:
    assert refused(start + bytes(500)) == "photo-unreadable"


# ── files made after public bug reports ──


@pytest.mark.skipif(not CASES.is_dir(), reason="no folder shared/cases beside this checkout")
class TestCases:
    """The right values stand in the folder's README; what a browser shows is compared in tests/page."""

    def test_a_raw_file_is_not_opened_as_its_preview(self) -> None:
        assert refused((CASES / "04-raw-1600x1200.dng").read_bytes()) == "photo-raw"

    def test_an_orientation_behind_the_pixels_is_ignored(self) -> None:
        data = (CASES / "05-exif-after-idat.png").read_bytes()
        assert (opened(data).width, opened(data).height) == struct.unpack_from(">II", data, 16)

    def test_a_jpeg_without_its_last_two_bytes_is_opened(self) -> None:
        data = (CASES / "06-no-eoi.jpg").read_bytes()
        assert (opened(data).pixels == opened(data + b"\xff\xd9").pixels).all()

    def test_a_transparent_grey_stays_transparent(self) -> None:
        data = (CASES / "07-grey16-trns.png").read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            wide, clear = np.asarray(image), image.info["transparency"]
        photo = opened(data)
        assert photo.alpha is not None
        assert ((photo.alpha == 0) == (wide == clear)).all()
        with Image.open(io.BytesIO(encode(photo))) as result:
            assert (np.asarray(result.convert("RGBA"))[..., 3] == photo.alpha).all()

    def test_a_large_profile_is_no_fault(self) -> None:
        assert opened((CASES / "03-iccp-over-1mb.png").read_bytes()).icc_profile is not None
