"""A real browser shows the result in the photo's colours, however the photo's file declares them."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser

from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
P3_CHROMATICITIES = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOW = """async url => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext('2d', {colorSpace: 'display-p3'});
    context.drawImage(image, 0, 0);
    return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
}"""


def chart() -> Image.Image:
    """Sixteen greys and saturated colours, 8 × 8 pixels each."""
    greys = [(value, value, value) for value in (0, 20, 64, 128, 200, 255)]
    full = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0)]
    others = [(20, 200, 40), (180, 90, 30), (90, 30, 180), (240, 200, 180)]
    values = np.array([*greys, *full, *others], np.uint8)
    return Image.fromarray(np.kron(values.reshape(4, 4, 3), np.ones((8, 8, 1), np.uint8)))


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """The chart as a PNG with further chunks behind its header."""
    buffer = io.BytesIO()
    chart().save(buffer, "PNG")
    data = buffer.getvalue()
    added = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:33] + added + data[33:]


def avif_with(primaries: int, transfer: int) -> bytes:
    """The chart as an AVIF that declares these code points."""
    buffer = io.BytesIO()
    chart().save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(buffer.getvalue())
    place = data.index(b"colrnclx") + 8
    struct.pack_into(">HH", data, place, primaries, transfer)
    return bytes(data)


def gama(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


PHOTOS = {
    "gamma 1.0": png_with(gama(100_000)),
    "gamma 1/2.2": png_with(gama(45_455)),
    "gamma 1/2": png_with(gama(50_000)),
    "gamma 1/2.2 and P3 chromaticities": png_with(gama(45_455), (b"cHRM", struct.pack(">8I", *P3_CHROMATICITIES))),
    "cICP BT.709": png_with((b"cICP", bytes((1, 1, 0, 1)))),
    "gamma 1/1.8 and P3 chromaticities": png_with(gama(55_556), (b"cHRM", struct.pack(">8I", *P3_CHROMATICITIES))),
    "chromaticities alone": png_with((b"cHRM", struct.pack(">8I", *P3_CHROMATICITIES))),
    "sRGB, which outranks gamma": png_with((b"sRGB", b"\0"), gama(100_000)),
    "absurd gamma": png_with(gama(0)),
    "absurd chromaticities": png_with(gama(45_455), (b"cHRM", bytes(32))),
    "cICP sRGB": png_with((b"cICP", bytes((1, 13, 0, 1)))),
    "cICP Display P3": png_with((b"cICP", bytes((12, 13, 0, 1)))),
    "cICP BT.2020": png_with((b"cICP", bytes((9, 14, 0, 1)))),
    "cICP PQ": png_with((b"cICP", bytes((9, 16, 0, 1)))),
    "cICP HLG": png_with((b"cICP", bytes((9, 18, 0, 1)))),
    "nclx sRGB": avif_with(1, 13),
    "nclx BT.709": avif_with(1, 1),
    "nclx Display P3": avif_with(12, 13),
    "nclx BT.2020": avif_with(9, 14),
    "nclx P3, gamma 2.2": avif_with(12, 4),
    "nclx linear": avif_with(1, 8),
    "nclx PQ": avif_with(9, 16),
    "nclx HLG": avif_with(9, 18),
}


async def shown(browser: Browser, data: bytes) -> np.ndarray:
    """What the browser shows, (H, W, 4) in Display P3."""
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg" if data.startswith(b"\xff\xd8") else "avif"
    page = await browser.new_page()
    try:
        values = await page.evaluate(SHOW, f"data:image/{kind};base64,{base64.b64encode(data).decode()}")
    finally:
        await page.close()
    side = round((len(values) / 4) ** 0.5)
    return np.array(values, np.int16).reshape(side, -1, 4) if side * side * 4 == len(values) else np.array(values)


@pytest.mark.parametrize("name", PHOTOS)
async def test_the_result_is_shown_in_the_photos_colours(browser: Browser, name: str) -> None:
    data = PHOTOS[name]
    result = encode(open_photo(data, max_megapixels=1), "PNG")
    photo, answer = await shown(browser, data), await shown(browser, result)
    inner = np.s_[2::8]  # the middle of each field: AVIF bleeds over its edges
    difference = np.abs(photo[inner, inner] - answer[inner, inner]).max()
    assert difference <= 2, f"{difference} levels apart"


@pytest.mark.parametrize(
    "name", ["01-gama-linear.png", "02-nclx-p3.avif", "03-iccp-over-1mb.png", "05-exif-after-idat.png"]
)
async def test_files_after_public_bug_reports_are_shown_as_they_were(browser: Browser, name: str) -> None:
    if not CASES.is_dir():
        pytest.skip("no folder shared/cases beside this checkout")
    data = (CASES / name).read_bytes()
    result = encode(open_photo(data, max_megapixels=1), "PNG")
    photo, answer = await shown(browser, data), await shown(browser, result)
    assert photo.shape == answer.shape
    assert np.abs(photo - answer).max() <= 2
