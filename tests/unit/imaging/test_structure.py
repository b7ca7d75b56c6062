"""Files whose structure asks for more work than their size says, or whose first picture is not the photo."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from bot.errors import UnusableInputError
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo
from bot.imaging.structure import read_structure
from tests import hostile
from tests.hostile import png_chunk, tiff


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """A picture in which every row differs."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.dstack([x * 2 % 256, y * 3 % 256, (x * y) % 251]).astype(np.uint8))


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Photo:
    return open_photo(data, max_megapixels=50)


def refused(data: bytes) -> str:
    """The message id of the refusal, which takes less than a second."""
    began = time.process_time()
    with pytest.raises(UnusableInputError) as refusal:
        opened(data)
    assert time.process_time() - began < 1, "the file is refused before it is decoded"
    return refusal.value.message_id


def png_with(*chunks: bytes, before_pixels: bool = True) -> bytes:
    """A PNG with further chunks behind its header, or before its end."""
    data = saved(picture(), "PNG")
    place = 33 if before_pixels else len(data) - 12
    return data[:place] + b"".join(chunks) + data[place:]


# ── too much work ──


@pytest.mark.parametrize("name", hostile.REFUSED)
def test_a_file_that_asks_for_too_much_is_refused_before_it_is_decoded(name: str) -> None:
    claimed = "claimed" in name
    assert refused(hostile.REFUSED[name]()) == ("photo-too-many-pixels" if claimed else "photo-too-complex")


@pytest.mark.parametrize("name", [name for name in hostile.BOUNDED if "49 MP" not in name and "million" not in name])
def test_a_file_that_overlays_or_repeats_its_parts_costs_little(name: str) -> None:
    began = time.process_time()
    data = hostile.BOUNDED[name]()
    made = time.process_time() - began
    began = time.process_time()
    with contextlib.suppress(UnusableInputError):
        opened(data)
    assert time.process_time() - began < 8, f"made in {made:.1f} s"


def test_the_scans_of_an_honest_photo_without_its_end_are_few_enough() -> None:
    data = saved(picture(4000, 3000), "JPEG", progressive=True)
    assert opened(data[:-2]).width == 4000


def test_a_tiff_of_jpeg_tiles_is_opened() -> None:
    data = saved(picture(2048, 2048), "TIFF", compression="jpeg", tiffinfo={278: 16})
    assert data.count(b"\xff\xda") > 100
    assert opened(data).width == 2048


def test_a_progressive_jpeg_of_the_usual_scans_is_opened() -> None:
    assert opened(saved(picture(), "JPEG", progressive=True)).width == 96


def test_a_tiff_of_endless_pages_ends() -> None:
    page = {256: (4, [100]), 257: (4, [100]), 259: (3, [1]), 262: (3, [1])}
    assert refused(tiff(*[page] * 300)) == "photo-too-complex"
    looped = bytearray(tiff(page, page))
    struct.pack_into("<I", looped, len(looped) - 4, 8)  # the last page points to the first one
    assert read_structure(bytes(looped)).page == 0


def test_a_tiff_of_a_normal_tile_is_opened() -> None:
    data = saved(picture(), "TIFF", tiffinfo={322: 128, 323: 128})
    assert opened(data).width == 96


# ── harmless, not damaged ──


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 98}])
def test_a_jpeg_without_its_last_bytes_is_opened_whole(cut: int, options: dict[str, object]) -> None:
    data = saved(picture(480, 320), "JPEG", **options)
    whole, cut_off = opened(data).pixels, opened(data[:-cut]).pixels
    assert (whole[:-32] == cut_off[:-32]).all()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_jpeg_that_is_cut_off_in_the_middle_is_damaged(share: float) -> None:
    data = saved(picture(480, 320), "JPEG")
    assert refused(data[: int(len(data) * share)]) == "photo-broken"


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_trailing_bytes_change_nothing(file_format: str) -> None:
    data = saved(picture(), file_format)
    assert (opened(data).pixels == opened(data + b"\xff\xd8trailing" * 50).pixels).all()


def test_texts_of_any_size_are_left_out() -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(80_000_000))
    assert opened(png_with(png_chunk(b"zTXt", text))).width == 96
    assert opened(png_with(png_chunk(b"tEXt", b"Comment\0" + b"x" * 8_000_000))).width == 96


def test_a_large_profile_is_kept_without_what_only_printers_need() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = struct.unpack_from(">I", srgb, 128)[0]
    shift = 12  # one more row in the table of tags moves everything behind it
    table = bytearray()
    for number in range(count):
        name, start, size = struct.unpack_from(">4sII", srgb, 132 + 12 * number)
        table += struct.pack(">4sII", name, start + shift, size)
    private = b"data" + bytes(1_500_000)
    table += struct.pack(">4sII", b"priv", len(srgb) + shift, len(private))
    large = srgb[:128] + struct.pack(">I", count + 1) + bytes(table) + srgb[132 + 12 * count :] + private
    large = struct.pack(">I", len(large)) + large[4:]

    photo = opened(png_with(png_chunk(b"iCCP", b"large\0\0" + zlib.compress(large))))

    assert photo.icc_profile is not None
    assert len(photo.icc_profile) < 10_000
    with Image.open(io.BytesIO(encode(photo))) as result:  # Pillow refuses a PNG with a profile of over 1 MiB
        assert result.info["icc_profile"] == photo.icc_profile
    assert (photo.pixels == np.asarray(picture())).all()


def test_an_orientation_behind_the_pixels_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    chunk = png_chunk(b"eXIf", exif.tobytes()[6:])
    assert opened(png_with(chunk)).width == 64
    assert opened(png_with(chunk, before_pixels=False)).width == 96


def test_an_orientation_in_xmp_alone_is_ignored() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert opened(saved(picture(), "JPEG", xmp=xmp)).width == 96
    assert opened(saved(picture(), "WEBP", xmp=xmp, lossless=True)).width == 96
    assert opened(png_with(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))).width == 96


def test_16_bit_grey_keeps_its_transparent_value() -> None:
    samples = np.full((16, 16), 30_000, ">u2")
    samples[4:8, 4:8] = 12_345
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, 0, 0, 0, 0))
    chunks = (header, png_chunk(b"tRNS", struct.pack(">H", 12_345)), png_chunk(b"IDAT", zlib.compress(rows)))
    photo = opened(b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b""))
    assert photo.alpha is not None
    assert (photo.alpha[4:8, 4:8] == 0).all()
    assert np.count_nonzero(photo.alpha == 0) == 16


def bmp_with_alpha(alpha: int) -> bytes:
    """A BMP of 8 × 8 pixels with an alpha channel (BITMAPV4HEADER, BI_BITFIELDS)."""
    pixels = struct.pack("<4B", 10, 20, 30, alpha) * 64
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, 8, 8, 1, 32, 3, len(pixels), 2835, 2835, 0, 0) + masks
    info = info.ljust(108, b"\0")
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(pixels), 0, 0, 14 + len(info)) + info + pixels


def test_a_bmp_whose_alpha_is_zero_everywhere_is_opaque() -> None:
    assert opened(bmp_with_alpha(0)).alpha is None
    half = opened(bmp_with_alpha(128))
    assert half.alpha is not None
    assert (half.alpha == 128).all()


# ── what is not the photo ──


def test_a_raw_file_is_refused_in_words() -> None:
    preview = {254: (4, [1]), 256: (4, [160]), 257: (4, [120]), 262: (3, [2]), 330: (4, [0])}
    assert refused(tiff(preview | {50706: (4, [1])})) == "photo-raw"
    sensor = {254: (4, [0]), 256: (4, [1600]), 257: (4, [1200]), 262: (3, [32803])}
    assert refused(tiff(preview, sensor)) == "photo-raw"
    assert refused(b"FUJIFILMCCD-RAW " + bytes(200)) == "photo-raw"
    assert refused(b"II*\0\x10\0\0\0CR\x02\0" + bytes(200)) == "photo-raw"


def test_a_tiff_whose_first_page_is_a_thumbnail_is_opened_at_full_size() -> None:
    thumbnail, photo = picture(48, 32), picture(480, 320)
    data = bytearray(saved(thumbnail, "TIFF", save_all=True, append_images=[photo], tiffinfo={254: 1}))
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    second = struct.unpack_from("<I", data, first + 2 + 12 * count)[0]
    for number in range(struct.unpack_from("<H", data, second)[0]):  # the photo is no reduced version
        entry = second + 2 + 12 * number
        if struct.unpack_from("<H", data, entry)[0] == 254:
            struct.pack_into("<I", data, entry + 8, 0)
    assert opened(bytes(data)).width == 480
