"""What Telegram makes of pictures: photos encoded anew in several sizes, thumbnails of image files."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from bot.playground.refusals import bad

LONGEST = (90, 320, 800, 1280, 2560)
"""Long sides of a photo's sizes; 2560 is what newer clients send (facts/telegram.md, recompression)."""

PHOTO_BYTES, SIDES, RATIO, QUALITY = 10_000_000, 10_000, 20, 87
"""sendPhoto: bytes, width + height, ratio of the sides."""

MOST_PIXELS = 60_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a photo: JPEG bytes, width and height in pixels."""

    data: bytes
    width: int
    height: int


def photo_sizes(data: bytes) -> list[Size]:
    """A photo's sizes, smallest first. Blocks.

    Raises:
        RefusedError: It is not a picture, or not one that may be a photo.
    """
    if len(data) > PHOTO_BYTES:
        raise bad(f"file of size {len(data)} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes")
    image = _opened(data)
    if image is None:
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = image.size
    if width + height > SIDES or max(width, height) > RATIO * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    flat = _flat(image)
    wanted = [side for side in LONGEST if side < max(flat.size)]
    largest = next((side for side in LONGEST if side >= max(flat.size)), LONGEST[-1])
    return [_scaled(flat, side) for side in [*wanted, largest]]


def thumbnail(data: bytes) -> Size | None:
    """A small JPEG of an image file; None where it is none. Blocks."""
    image = _opened(data)
    return None if image is None else _scaled(_flat(image), 320)


def _opened(data: bytes) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > MOST_PIXELS:
                return None
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None


def _flat(image: Image.Image) -> Image.Image:
    """RGB; what was transparent becomes white, as Telegram has it."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        flat = Image.new("RGB", rgba.size, "white")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    return image.convert("RGB")


def _scaled(image: Image.Image, side: int) -> Size:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    return Size(out.getvalue(), small.width, small.height)
