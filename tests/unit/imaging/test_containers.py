"""A file may hold several pictures. The photo is opened; a preview or a further picture is never taken for it."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bot.errors import UnusableInputError
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo

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
