"""Opening untrusted picture files: the header is checked before anything is decoded."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import PersonError, UnusableInputError
from bot.imaging import colour_profiles
from bot.imaging.photo import Matte, Photo, PictureFormat, Pixels

Image.init()
pi_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
MIN_SIDE = 8

_RESULT_FORMATS: dict[str, PictureFormat] = {
    "JPEG": "JPEG",
    "MPO": "JPEG",
    "HEIF": "JPEG",
    "AVIF": "JPEG",
    "WEBP": "WEBP",
}
"""Format of the file → format of the result; for any other format: PNG."""


def open_photo(source: bytes | Path, *, max_megapixels: float, max_bytes: int | None = None) -> Photo:
    """Open a picture as an upright photo of 8 bits a channel.

    16 bits are scaled to 8. CMYK, grey and Lab are converted to sRGB by their profile; an RGB profile is kept and not
    applied. Alpha is kept separately. EXIF rotation is applied; all other metadata (places, names, thumbnails) is
    dropped. Of an animation only the first frame is read. See docs/local-engine.md#opening-files.

    Args:
        source: The file's bytes, or its path.
        max_megapixels: Larger pictures are refused before they are decoded.
        max_bytes: Larger files are refused before they are read; None: no limit.

    Raises:
        PersonError: ``photo-empty``, ``photo-unreadable``, ``photo-broken``, ``photo-too-large``,
            ``photo-too-many-pixels``, ``photo-too-small``.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if not size:
        raise UnusableInputError("photo-empty")
    if max_bytes is not None and size > max_bytes:
        raise UnusableInputError("photo-too-large", megabytes=round(size / 1e6, 1), limit=round(max_bytes / 1e6))
    data = source if isinstance(source, bytes) else source.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
                _check_size(image, max_megapixels)
                return _decode(image)
        except PersonError:
            raise
        except UnidentifiedImageError:
            raise UnusableInputError("photo-unreadable") from None
        except Image.DecompressionBombError as error:
            # Beyond 179 megapixels Pillow itself refuses, before `_check_size`; only its message contains the size.
            pixels = re.search(r"\d+", str(error))
            megapixels = round(int(pixels[0]) / 1e6) if pixels else "?"
            raise UnusableInputError("photo-too-many-pixels", megapixels=megapixels, limit=max_megapixels) from None
        except Exception as error:  # noqa: BLE001 -- Pillow raises many types of error for a damaged file
            raise UnusableInputError("photo-broken", why=type(error).__name__) from None


def _check_size(image: Image.Image, max_megapixels: float) -> None:
    width, height = image.size
    if width * height > max_megapixels * 1e6:
        raise UnusableInputError("photo-too-many-pixels", megapixels=round(width * height / 1e6), limit=max_megapixels)
    if min(width, height) < MIN_SIDE:
        raise UnusableInputError("photo-too-small", width=width, height=height)


def _decode(image: Image.Image) -> Photo:
    chosen = _RESULT_FORMATS.get(image.format or "", "PNG")
    frames = _count_frames(image)
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = _to_8_bits(upright)
    alpha: Matte | None = None
    if "A" in upright.getbands() or "a" in upright.getbands() or "transparency" in upright.info:
        whole = upright.convert("RGBA")
        alpha = np.asarray(whole.getchannel("A"), dtype=np.uint8)
        if (alpha == 255).all():
            alpha = None
        upright = whole.convert("L" if upright.mode in ("LA", "La", "L") else "RGB")
    converted, kept = colour_profiles.to_rgb(upright, profile)
    pixels: Pixels = np.ascontiguousarray(np.asarray(converted, dtype=np.uint8))
    return Photo(pixels, alpha, kept, chosen, frames)


def _count_frames(image: Image.Image) -> int:
    """Count an animation's frames; a GIF only up to two, because counting reads the whole file."""
    if image.format not in ("GIF", "PNG", "WEBP"):
        return 1
    try:
        if image.format == "GIF":
            return 2 if getattr(image, "is_animated", False) else 1
        return int(getattr(image, "n_frames", 1))
    except (OSError, SyntaxError, ValueError):
        return 1


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale grey of more than 8 bits to 8 bits; Pillow's own conversion clips, so 16 bits become white."""
    wide = np.nan_to_num(np.asarray(image).astype(np.float32))
    most = float(wide.max(initial=0))
    if image.mode.startswith("I;16"):
        scale = 1 / 257
    elif image.mode == "F" and most <= 1:
        scale = 255.0
    else:
        # 32-bit modes do not declare a range: take the smallest usual one that holds the values.
        scale = 1.0 if most <= 255 else 1 / 257 if most <= 65535 else 255 / most
    return Image.fromarray(np.clip(wide * scale + 0.5, 0, 255).astype(np.uint8))
