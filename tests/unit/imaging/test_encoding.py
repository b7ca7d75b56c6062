"""Pictures into bytes and back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from bot.imaging.encoding import encode, encode_mask, encode_preview
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo, PictureFormat

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(height: int = 40, width: int = 56) -> Photo:
    """A photo of noise, which no lossy format preserves."""
    random = np.random.default_rng(7)
    return Photo(random.integers(0, 256, (height, width, 3), np.uint8))


def opened(data: bytes) -> Photo:
    """Decode with `open_photo`."""
    return open_photo(data, max_megapixels=1)


@pytest.mark.parametrize("chosen", ["PNG", "WEBP"])
def test_lossless_formats_keep_pixels_alpha_and_profile(chosen: PictureFormat) -> None:
    random = np.random.default_rng(8)
    photo = noise()
    alpha = random.integers(0, 256, photo.pixels.shape[:2], np.uint8)
    alpha[:10] = 0
    back = opened(encode(Photo(photo.pixels, alpha, SRGB), chosen))
    assert np.array_equal(back.pixels, photo.pixels)
    assert back.alpha is not None
    assert np.array_equal(back.alpha, alpha)
    assert back.icc_profile == SRGB


def test_jpeg_has_no_chroma_subsampling_fine_quantisation_and_the_profile() -> None:
    data = encode(Photo(noise().pixels, icc_profile=SRGB), "JPEG")
    with Image.open(io.BytesIO(data)) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
        # libjpeg's table at quality 92 starts 3, 2, 2, …; a finer one is nowhere larger than at 92.
        reference = io.BytesIO()
        Image.new("RGB", (8, 8)).save(reference, "JPEG", quality=92, subsampling=0)
        with Image.open(reference) as coarse:
            for table, limit in zip(image.quantization.values(), coarse.quantization.values(), strict=True):
                assert max(np.subtract(table, limit)) <= 0
        assert image.info["icc_profile"] == SRGB


def test_a_photo_is_encoded_in_its_own_format_by_default() -> None:
    photo = Photo(noise().pixels, format="WEBP")
    assert encode(photo)[8:12] == b"WEBP"
    assert encode(photo, "PNG").startswith(b"\x89PNG")


def test_jpeg_shows_transparent_pixels_as_white() -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:, 8:] = 255
    back = opened(encode(Photo(pixels, alpha), "JPEG"))
    assert back.pixels[:, :7].min() > 250
    assert back.pixels[:, 9:].max() < 5


def test_a_mask_is_encoded_with_one_bit_per_pixel_without_loss() -> None:
    mask = np.where(np.random.default_rng(9).random((33, 47)) > 0.5, 255, 0).astype(np.uint8)
    with Image.open(io.BytesIO(encode_mask(mask))) as image:
        assert image.mode == "1"
        assert np.array_equal(np.asarray(image.convert("L")), mask)


def test_a_preview_is_never_larger_than_its_limit_or_the_photo() -> None:
    photo = Photo(noise(60, 90).pixels, icc_profile=SRGB)
    small, whole = opened(encode_preview(photo, 45)), opened(encode_preview(photo, 1000))
    assert (small.width, small.height) == (45, 30)
    assert (whole.width, whole.height) == (90, 60)
    assert small.icc_profile == SRGB
