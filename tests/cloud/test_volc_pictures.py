"""Fitting, cropping and converting pictures on their way to Volcengine and back."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from bot.engines.volcengine import response_pictures
from bot.engines.volcengine.geometry import Box, Fit, crop_around, fit_within
from bot.engines.volcengine.request_bodies import inpaint_body, segment_body
from bot.engines.volcengine.response_pictures import BadPictureError, read_fill, read_matte
from tests.cloud.conftest import scene

SIDES = st.integers(1, 20_000)


def wide_profile() -> bytes:
    """Return an RGB profile that is not sRGB: red and green are swapped."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def sent(body: bytes, index: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(json.loads(body)["binary_data_base64"][index])))


def as_base64(picture: Image.Image, file_format: str = "PNG") -> str:
    buffer = io.BytesIO()
    picture.save(buffer, file_format)
    return base64.b64encode(buffer.getvalue()).decode()


@given(width=SIDES, height=SIDES, longest=st.sampled_from([1024, 2048, 4095]))
def test_every_size_is_fitted_into_the_limits(width: int, height: int, longest: int) -> None:
    fit = fit_within(width, height, longest=longest)
    assert 128 <= fit.padded_width <= longest
    assert 128 <= fit.padded_height <= longest
    assert fit.width <= fit.padded_width
    assert fit.height <= fit.padded_height
    if min(fit.width, fit.height) > 20:
        assert fit.width / fit.height == pytest.approx(width / height, rel=0.06)
    assert fit_within(fit.width, fit.height, longest=longest) == fit, "fitting what fits changes nothing"


@settings(deadline=None)
@given(data=st.data(), width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_the_hole_always_lies_inside_the_crop(data: Any, width: int, height: int) -> None:
    mask = np.zeros((height, width), np.uint8)
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    mask[top:bottom, left:right] = 255
    box = crop_around(mask, longest=2048)
    assert box is not None
    assert 0 <= box.left <= left < right <= box.right <= width
    assert 0 <= box.top <= top < bottom <= box.bottom <= height
    assert box.width >= min(width, 768)
    assert box.height >= min(height, 768)


def test_an_empty_mask_has_no_crop() -> None:
    assert crop_around(np.zeros((50, 60), np.uint8), longest=2048) is None


def test_a_photo_within_the_limits_with_a_large_hole_is_sent_whole() -> None:
    mask = np.zeros((1000, 1500), np.uint8)
    mask[100:900, 100:1400] = 255
    assert crop_around(mask, longest=2048) == Box(0, 0, 1500, 1000)


def test_quality_steps_down_before_size_does() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (600, 800, 3), dtype=np.uint8)
    sizes = []
    for budget in (10_000_000, 600_000, 400_000, 100_000):
        body = segment_body(pixels, None, None, {"req_key": "x"}, max_bytes=budget, smaller=False)
        picture = base64.b64decode(json.loads(body.json)["binary_data_base64"][0])
        assert len(picture) <= budget
        sizes.append((sent(body.json).size, len(picture)))
    assert [size for size, _ in sizes[:3]] == [(800, 600)] * 3
    assert sizes[3][0] < (800, 600)
    assert [length for _, length in sizes] == sorted((length for _, length in sizes), reverse=True)


def test_mask_and_photo_have_the_same_size_when_the_byte_limit_shrinks_them() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (600, 800, 3), dtype=np.uint8)
    mask = np.zeros((600, 800), np.uint8)
    mask[300, 400] = 255
    body = inpaint_body(pixels, mask, None, {}, longest=2048, max_bytes=100_000, smaller=False)
    assert sent(body.json, 0).size == sent(body.json, 1).size != (800, 600)
    assert set(np.unique(np.asarray(sent(body.json, 1)))) == {0, 255}


def test_pictures_are_sent_in_srgb_and_the_fill_is_converted_back() -> None:
    profile = wide_profile()
    pixels = scene(200, 160, noisy=False).pixels
    mask = np.full((160, 200), 255, np.uint8)
    body = inpaint_body(pixels, mask, profile, {}, longest=2048, max_bytes=3_500_000, smaller=False)
    shown = np.asarray(sent(body.json).convert("RGB")).astype(int)
    assert np.abs(shown[80, 100] - pixels[80, 100]).max() > 40, "values were converted"
    back = read_fill(json.loads(body.json)["binary_data_base64"][0], body.fit, profile).astype(int)
    assert np.abs(back[10, 10] - pixels[10, 10]).max() <= 8


@pytest.mark.parametrize("profile", [b"", b"nonsense" * 40])
def test_a_broken_profile_leaves_the_values_unchanged(profile: bytes) -> None:
    pixels = scene(200, 160, noisy=False).pixels
    body = segment_body(pixels, None, profile, {}, max_bytes=3_500_000, smaller=False)
    assert np.abs(np.asarray(sent(body.json)).astype(int)[10, 10] - pixels[10, 10]).max() <= 4


def test_a_mask_in_the_alpha_channel_is_read() -> None:
    picture = Image.new("RGBA", (200, 160), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (50, 40, 150, 120))
    matte = read_matte(as_base64(picture), Fit(200, 160, 200, 160))
    assert matte is not None
    assert matte[80, 100] == 255
    assert matte[10, 10] == 0


@pytest.mark.parametrize("level", [0, 3, 100])
def test_a_dark_mask_selects_nothing(level: int) -> None:
    assert read_matte(as_base64(Image.new("L", (200, 160), level)), Fit(200, 160, 200, 160)) is None


@pytest.mark.parametrize(
    "text",
    ["", "####", "aW1n", as_base64(Image.new("L", (9, 9)))[:60], as_base64(Image.new("RGB", (40, 40)), "GIF")],
)
def test_bytes_that_are_no_picture_raise_bad_picture_error(text: str) -> None:
    with pytest.raises(BadPictureError):
        read_fill(text, Fit(200, 160, 200, 160), None)


def test_a_picture_of_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_pictures, "_MAX_PIXELS", 100)
    with pytest.raises(BadPictureError, match="pixels"):
        read_fill(as_base64(Image.new("RGB", (40, 40))), Fit(200, 160, 200, 160), None)


def test_a_data_url_is_read() -> None:
    text = "data:image/png;base64," + as_base64(Image.new("RGB", (40, 40), (1, 2, 3)))
    assert read_fill(text, Fit(40, 40, 40, 40), None)[0, 0].tolist() == [1, 2, 3]
