"""Strangers' files: what is opened, what is refused, and with which words."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from bot.errors import PersonError
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo

AWKWARD = Path(__file__).parents[4] / "shared" / "photos" / "awkward"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112


def painting() -> Image.Image:
    """A picture in which up, down, left and right differ, smooth enough for JPEG."""
    y, x = np.mgrid[:48, :64]
    return Image.fromarray(np.dstack([x * 4, y * 5, (x + y) * 2]).astype(np.uint8))


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    """The file that Pillow makes of a picture."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def opened(data: bytes | Path, **limits: float) -> Photo:
    """The photo, under the house's usual limit."""
    return open_photo(data, **{"max_megapixels": 50, **limits})


def refusal(data: bytes | Path, **limits: float) -> PersonError:
    """What the person is told about a file that is not opened."""
    with pytest.raises(PersonError) as caught:
        opened(data, **limits)
    return caught.value


def png_of_16_bits(samples: np.ndarray) -> bytes:
    """A PNG of 16 bits a sample: grey for (H, W), RGB for (H, W, 3). Pillow writes no RGB of that depth."""
    height, width = samples.shape[:2]
    kind = 0 if samples.ndim == 2 else 2
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)), (b"IDAT", zlib.compress(rows))]
    chunks.append((b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(orientation: int) -> None:
    # How the picture must lie in the file so that a viewer that obeys EXIF shows it upright.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    lying = painting().transpose(undo) if undo is not None else painting()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    photo = opened(saved(lying, "PNG", exif=exif))
    assert np.array_equal(photo.pixels, np.asarray(painting()))
    with Image.open(io.BytesIO(encode(photo))) as answer:
        assert ORIENTATION not in answer.getexif()


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_values_are_scaled_not_clipped(channels: int) -> None:
    ramp = np.linspace(0, 65535, 64 * 16).reshape(16, 64).astype(np.uint16)
    photo = opened(png_of_16_bits(ramp if channels == 1 else np.dstack([ramp, ramp // 2, 65535 - ramp])))
    assert np.abs(photo.pixels[..., 0] - ramp / 257.0).max() <= 1
    assert photo.pixels[0, 0, 0] == 0
    assert photo.pixels[-1, -1, 0] == 255


def test_a_dark_picture_of_16_bits_stays_dark() -> None:
    assert opened(png_of_16_bits(np.full((16, 16), 200, np.uint16))).pixels.max() <= 1


def test_floating_point_grey_from_0_to_1_fills_the_range() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    photo = opened(saved(Image.fromarray(ramp), "TIFF"))
    assert (photo.pixels.min(), photo.pixels.max()) == (0, 255)


def test_cmyk_becomes_rgb_and_its_result_is_a_jpeg() -> None:
    image = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    photo = opened(saved(image, "JPEG", quality=95))
    assert photo.format == "JPEG"
    assert photo.icc_profile is None
    assert np.abs(photo.pixels.astype(int) - (255, 0, 0)).max() < 8


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    photo = opened(saved(painting().convert("L"), "PNG", icc_profile=SRGB))
    assert photo.icc_profile is None
    assert np.array_equal(photo.pixels[..., 0], np.asarray(painting().convert("L")))


def test_a_damaged_profile_is_ignored() -> None:
    photo = opened(saved(painting(), "PNG", icc_profile=SRGB[:60]))
    assert photo.icc_profile is None
    assert np.array_equal(photo.pixels, np.asarray(painting()))


def test_an_rgb_profile_is_kept_and_not_applied() -> None:
    photo = opened(saved(painting(), "PNG", icc_profile=SRGB))
    assert photo.icc_profile == SRGB
    assert np.array_equal(photo.pixels, np.asarray(painting()))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept_separately_and_hidden_colours_are_kept(mode: str) -> None:
    image = painting().convert(mode)
    alpha = Image.fromarray((np.arange(48 * 64) % 256).astype(np.uint8).reshape(48, 64))
    image.putalpha(alpha)
    photo = opened(saved(image, "PNG"))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, np.asarray(alpha))
    assert np.array_equal(photo.pixels, np.asarray(painting().convert(mode.removesuffix("A")).convert("RGB")))


def test_a_fully_opaque_alpha_channel_is_dropped() -> None:
    assert opened(saved(painting().convert("RGBA"), "PNG")).alpha is None


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP"])
def test_only_the_first_frame_of_an_animation_is_read(file_format: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    options: dict[str, object] = {"save_all": True, "append_images": frames[1:], "duration": 100}
    if file_format == "WEBP":
        options["lossless"] = True
    photo = opened(saved(frames[0], file_format, **options))
    assert photo.frames > 1
    assert (photo.pixels == (255, 0, 0)).all()
    assert opened(saved(frames[0], file_format)).frames == 1


def test_the_location_in_a_photo_is_not_written_to_results() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "Maker of cameras"
    data = saved(painting(), "JPEG", exif=exif)
    assert b"Maker of cameras" in data
    answer = encode(opened(data))
    assert b"Maker of cameras" not in answer
    assert b"Exif" not in answer


def test_files_that_are_not_pictures_are_refused_with_a_reason() -> None:
    whole = saved(painting(), "PNG")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    assert refusal(b"").message_id == "photo-empty"
    assert refusal(b"I am a text, not a picture.").message_id == "photo-unreadable"
    assert refusal(whole[: len(whole) // 2]).message_id == "photo-broken"
    assert refusal(bytes(flipped)).message_id == "photo-broken"
    assert refusal(saved(painting(), "PPM")).message_id == "photo-unreadable"
    assert refusal(saved(Image.new("RGB", (4, 90)), "PNG")).message_id == "photo-too-small"


def test_too_many_bytes_or_pixels_are_refused_before_decoding() -> None:
    whole = saved(painting(), "PNG")
    heavy = refusal(whole, max_bytes=len(whole) - 1)
    assert heavy.message_id == "photo-too-large"
    large = refusal(saved(Image.new("1", (2000, 1000)), "PNG"), max_megapixels=1)
    assert (large.message_id, large.facts) == ("photo-too-many-pixels", {"megapixels": 2, "limit": 1})
    header = png_of_16_bits(np.zeros((8, 8), np.uint16))
    claim = struct.pack(">IIBBBBB", 65535, 65535, 8, 6, 0, 0, 0)
    bomb = header[:16] + claim + struct.pack(">I", zlib.crc32(b"IHDR" + claim)) + header[33:]
    assert refusal(bomb).facts["megapixels"] == 4295


REFUSED = {
    "1x1.jpg": "photo-too-small",
    "1x1.png": "photo-too-small",
    "3x500.png": "photo-too-small",
    "bad_crc.png": "photo-broken",
    "bomb_30000x30000.png": "photo-too-many-pixels",
    "bomb_header_65535.png": "photo-too-many-pixels",
    "broken_data_stream.png": "photo-broken",
    "decompression_bomb.gif": "photo-too-many-pixels",
    "multiple_exif.jpg": "photo-too-small",
    "text_named_jpg.jpg": "photo-unreadable",
    "truncated.png": "photo-broken",
    "truncated_half.jpg": "photo-broken",
    "truncated_header.jpg": "photo-broken",
    "zero_bytes.jpg": "photo-empty",
}


@pytest.mark.skipif(not AWKWARD.is_dir(), reason="the collection of awkward files is not here")
def test_each_unusual_file_is_opened_or_refused_as_expected() -> None:
    outcomes = {}
    for path in AWKWARD.iterdir():
        if path.suffix == ".tsv":
            continue
        try:
            photo = opened(path)
        except PersonError as error:
            outcomes[path.name] = error.message_id
        else:
            assert photo.pixels.dtype == np.uint8, path.name
            assert photo.pixels.shape[2] == 3, path.name
            assert opened(encode(photo, "PNG")).pixels.tobytes() == photo.pixels.tobytes(), path.name
    assert outcomes == REFUSED
    upright = [opened(AWKWARD / f"exif_orient_{turn}.jpg").pixels.astype(int) for turn in range(1, 9)]
    assert max(np.abs(view - upright[0]).mean() for view in upright) < 3


def test_lab_is_converted_to_the_right_rgb_colours() -> None:
    # L* = 53, a* = 80, b* = 67 is sRGB's red; Pillow holds a* and b* with 128 added.
    image = Image.merge("LAB", [Image.new("L", (16, 16), value) for value in (136, 208, 195)])
    photo = opened(saved(image, "TIFF"))
    assert np.abs(photo.pixels.astype(int) - (255, 0, 0)).max() < 12
