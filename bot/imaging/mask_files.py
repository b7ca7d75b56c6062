"""Reading untrusted mask files: the header is checked before a pixel is decoded."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bot.errors import PersonError, UnusableInputError
from bot.imaging.photo import Mask
from bot.imaging.structure import png
from bot.imaging.worker_process import is_out_of_memory

MAX_PIXELS = 50_000_000
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_mask(source: bytes | Path, *, size: tuple[int, int] | None, max_bytes: int) -> Mask:
    """Read a PNG mask; see `bot.imaging.masks.open_mask`.

    Raises:
        PersonError: ``mask-broken``, ``mask-wrong-shape``.
    """
    data = _read_limited(source, max_bytes)
    header_size = _check_header(data, size)
    try:
        data = png.reduce(data).data
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != header_size:  # Pillow lets a second header override the first, PngImagePlugin.chunk_IHDR
                raise UnusableInputError("mask-broken", why="two headers")
            if getattr(image, "n_frames", 1) > 1:
                raise UnusableInputError("mask-broken", why="animated")
            grey = _to_grey(image)
    except PersonError as error:
        if error.message_id == "photo-too-complex":
            raise UnusableInputError("mask-broken", **error.facts) from None
        raise
    except Exception as error:  # noqa: BLE001 -- Pillow raises many types of error for a damaged file
        if is_out_of_memory(error):
            raise MemoryError(str(error)) from None
        raise UnusableInputError("mask-broken", why=type(error).__name__) from None
    if size is not None and (grey.shape[1], grey.shape[0]) != size:
        shrinks = size[0] < grey.shape[1]
        grey = np.asarray(
            cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), dtype=np.uint8
        )
    return np.asarray(grey >= 128, np.uint8) * np.uint8(255)


def _read_limited(source: bytes | Path, max_bytes: int) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(max_bytes + 1)
    if len(source) > max_bytes:
        raise UnusableInputError("mask-broken", why="too large")
    return source


def _check_header(data: bytes, size: tuple[int, int] | None) -> tuple[int, int]:
    """IHDR (PNG specification, 11.2.1): size, bit depth, colour type; returns width and height."""
    if not data.startswith(PNG_SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 33:
        raise UnusableInputError("mask-broken", why="not a PNG")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[24] > 8:
        raise UnusableInputError("mask-broken", why="16 bits")
    if not width or not height or width * height > MAX_PIXELS:
        raise UnusableInputError("mask-wrong-shape", why="size")
    if size is not None:
        wanted_width, wanted_height = size
        # Each side may be rounded by a pixel at the mask's own scale.
        scale = max(width / wanted_width, height / wanted_height)
        if abs(width - wanted_width * scale) > 1.01 or abs(height - wanted_height * scale) > 1.01:
            raise UnusableInputError("mask-wrong-shape", why="aspect")
    return width, height


def _to_grey(image: Image.Image) -> Mask:
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"), dtype=np.uint8)
    if image.mode not in ("P", "RGB", "RGBA", "LA"):
        raise UnusableInputError("mask-broken", why=image.mode)
    pixels = np.asarray(image.convert("RGBA"), dtype=np.uint8)
    if (pixels[..., 3] != 255).any():
        raise UnusableInputError("mask-broken", why="transparent")
    if (pixels[..., 0] != pixels[..., 1]).any() or (pixels[..., 1] != pixels[..., 2]).any():
        raise UnusableInputError("mask-broken", why="coloured")
    return np.ascontiguousarray(pixels[..., 0])
