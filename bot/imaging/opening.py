"""Opening strangers' files: what they claim is checked before anything is decoded."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pi_heif
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from bot.errors import PersonError
from bot.imaging.photo import Matte, Photo, PictureFormat, Pixels

Image.init()
pi_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
LEAST_SIDE = 8


def open_photo(source: bytes | Path, *, max_megapixels: float, max_bytes: int | None = None) -> Photo:
    """Open a picture as an upright photo of 8 bits a channel.

    Raises:
        PersonError: ``photo-empty``, ``photo-unreadable``, ``photo-broken``, ``photo-too-large``,
            ``photo-too-many-pixels``, ``photo-too-small``.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    if not data:
        raise PersonError("photo-empty")
    if max_bytes is not None and len(data) > max_bytes:
        raise PersonError("photo-too-large", megabytes=round(len(data) / 1e6, 1), limit=round(max_bytes / 1e6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
                _check_size(image, max_megapixels)
                return _decode(image)
        except PersonError:
            raise
        except (UnidentifiedImageError, Image.DecompressionBombError):
            raise PersonError("photo-unreadable") from None
        except Exception as error:  # noqa: BLE001 -- Pillow raises nearly anything over a damaged file
            raise PersonError("photo-broken", why=type(error).__name__) from None


def _check_size(image: Image.Image, max_megapixels: float) -> None:
    width, height = image.size
    if width * height > max_megapixels * 1e6:
        raise PersonError("photo-too-many-pixels", megapixels=round(width * height / 1e6), limit=max_megapixels)
    if min(width, height) < LEAST_SIDE:
        raise PersonError("photo-too-small", width=width, height=height)


def _decode(image: Image.Image) -> Photo:
    name = image.format or "JPEG"
    chosen: PictureFormat = "PNG"
    if name in ("JPEG", "MPO", "HEIF", "AVIF"):
        chosen = "JPEG"
    elif name == "WEBP":
        chosen = "WEBP"
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    alpha: Matte | None = None
    if upright.mode.startswith("I") or upright.mode == "F":
        wide = np.asarray(upright).astype(np.float32)
        grey = np.clip(wide / 257 if wide.max(initial=0) > 255 else wide, 0, 255).round().astype(np.uint8)
        return Photo(np.dstack([grey] * 3), format=chosen)
    if "A" in upright.getbands() or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        alpha = np.asarray(upright.getchannel("A"), dtype=np.uint8)
        if (alpha == 255).all():
            alpha = None
    if profile and upright.mode in ("CMYK", "L"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(upright, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert converted is not None
        upright, profile = converted, None
    elif upright.mode not in ("RGB", "RGBA", "P"):
        profile = None
    pixels: Pixels = np.ascontiguousarray(np.asarray(upright.convert("RGB"), dtype=np.uint8))
    return Photo(pixels, alpha, profile, chosen)


