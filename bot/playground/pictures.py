"""Telegram's processing of pictures: photos are re-encoded in several sizes, image files get a thumbnail."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from bot.playground.errors import bad_request

LONG_SIDES = (90, 320, 800, 1280, 2560)
"""Long sides of a photo's sizes, pixels (docs/telegram.md#recompression)."""

MAX_PHOTO_BYTES, MAX_SIDES, MAX_RATIO = 10_000_000, 10_000, 20
"""Limits of a photo: bytes, width + height, ratio of the sides (docs/telegram.md#photo-limits)."""

JPEG_QUALITY = 87

MAX_PIXELS = 60_000_000


@dataclass(frozen=True, slots=True)
class PhotoSize:
    """One size of a photo: JPEG bytes, width and height in pixels."""

    data: bytes
    width: int
    height: int


def photo_sizes(data: bytes) -> list[PhotoSize]:
    """Encode a photo in all its sizes, smallest first. Blocks.

    Raises:
        BotApiError: It is not a picture, or exceeds a limit of photos.
    """
    if len(data) > MAX_PHOTO_BYTES:
        raise bad_request(
            f"file of size {len(data)} bytes is too big for a photo; the maximum size is {MAX_PHOTO_BYTES} bytes"
        )
    image = _open(data)
    if image is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = image.size
    if width + height > MAX_SIDES or max(width, height) > MAX_RATIO * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    flat = _flatten(image)
    wanted = [side for side in LONG_SIDES if side < max(flat.size)]
    largest = next((side for side in LONG_SIDES if side >= max(flat.size)), LONG_SIDES[-1])
    return [_resize(flat, side) for side in [*wanted, largest]]


def thumbnail(data: bytes) -> PhotoSize | None:
    """A small JPEG of an image file; None if it is no picture. Blocks."""
    image = _open(data)
    return None if image is None else _resize(_flatten(image), 320)


def _open(data: bytes) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > MAX_PIXELS:
                return None
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None


def _flatten(image: Image.Image) -> Image.Image:
    """Convert to RGB; transparent pixels become white, as in Telegram."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        flat = Image.new("RGB", rgba.size, "white")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    return image.convert("RGB")


def _resize(image: Image.Image, side: int) -> PhotoSize:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=JPEG_QUALITY)
    return PhotoSize(out.getvalue(), small.width, small.height)
