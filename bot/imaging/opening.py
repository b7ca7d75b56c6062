"""Opening strangers' files: what they claim is checked before anything is decoded."""

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
LEAST_SIDE = 8

_ANSWERS: dict[str, PictureFormat] = {"JPEG": "JPEG", "MPO": "JPEG", "HEIF": "JPEG", "AVIF": "JPEG", "WEBP": "WEBP"}
"""What a photo of each format is answered in; any other: PNG."""


def open_photo(source: bytes | Path, *, max_megapixels: float, max_bytes: int | None = None) -> Photo:
    """Open a picture as an upright photo of 8 bits a channel.

    Sixteen bits are scaled to eight, CMYK, grey and Lab go through their profile to sRGB, an RGB profile is kept and
    not applied, alpha is kept aside, EXIF's rotation is carried out and all other metadata (places, names, thumbnails)
    is left behind. Of a moving picture the first frame is taken.

    Args:
        source: The file's bytes, or the file.
        max_megapixels: Pictures of more are refused before they are decoded.
        max_bytes: Larger files are refused unread; None: any.

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
            # Pillow stops beyond 179 megapixels by itself, before our own check; only its text tells the size.
            pixels = re.search(r"\d+", str(error))
            megapixels = round(int(pixels[0]) / 1e6) if pixels else "?"
            raise UnusableInputError("photo-too-many-pixels", megapixels=megapixels, limit=max_megapixels) from None
        except Exception as error:  # noqa: BLE001 -- Pillow raises nearly anything over a damaged file
            raise UnusableInputError("photo-broken", why=type(error).__name__) from None


def _check_size(image: Image.Image, max_megapixels: float) -> None:
    width, height = image.size
    if width * height > max_megapixels * 1e6:
        raise UnusableInputError("photo-too-many-pixels", megapixels=round(width * height / 1e6), limit=max_megapixels)
    if min(width, height) < LEAST_SIDE:
        raise UnusableInputError("photo-too-small", width=width, height=height)


def _decode(image: Image.Image) -> Photo:
    chosen = _ANSWERS.get(image.format or "", "PNG")
    frames = _count_frames(image)
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = _eight_bits(upright)
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
    """How many frames a moving picture has; a GIF's are not counted beyond two, as that means reading all of it."""
    if image.format not in ("GIF", "PNG", "WEBP"):
        return 1
    try:
        if image.format == "GIF":
            return 2 if getattr(image, "is_animated", False) else 1
        return int(getattr(image, "n_frames", 1))
    except (OSError, SyntaxError, ValueError):
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as 8 bits, scaled: Pillow's own conversion clips, and 16 bits become white."""
    wide = np.nan_to_num(np.asarray(image).astype(np.float32))
    most = float(wide.max(initial=0))
    if image.mode.startswith("I;16"):
        scale = 1 / 257
    elif image.mode == "F" and most <= 1:
        scale = 255.0
    else:
        # 32 bits say nothing about their range: the least of the usual ones that holds them.
        scale = 1.0 if most <= 255 else 1 / 257 if most <= 65535 else 255 / most
    return Image.fromarray(np.clip(wide * scale + 0.5, 0, 255).astype(np.uint8))
