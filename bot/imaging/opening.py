"""Opening untrusted picture files: the header is checked before anything is decoded."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import PersonError, UnusableInputError
from bot.imaging import colour_profiles
from bot.imaging.icc_profile import is_hdr, profile_for
from bot.imaging.photo import Matte, Photo, PictureFormat, Pixels
from bot.imaging.structure import Structure, read_structure
from bot.imaging.worker_process import cpu_limit, is_out_of_memory

Image.init()
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
MIN_SIDE = 8

CPU_SECONDS = 8.0
"""Processor time for opening a file, which a process of the pool does not survive. A 50-megapixel photo of any format
takes at most 3 s; a file that takes longer is built to do so."""

_RESULT_FORMATS: dict[str, PictureFormat] = {
    "JPEG": "JPEG",
    "MPO": "JPEG",
    "HEIF": "JPEG",
    "AVIF": "JPEG",
    "WEBP": "WEBP",
}
"""Format of the file → format of the result; for any other format: PNG."""

_END_BYTES = (8, 32, 128, 512)
"""Bytes at a JPEG's end that are left out, more and more, until that changes its brightness: a block ends with its
colours, which take up to 200 bytes."""
_END_BLOCKS, _BLOCK = 48, 16
"""How many blocks from the end the change may begin, and a block's side in pixels."""


def open_photo(source: bytes | Path, *, max_megapixels: float, max_bytes: int | None = None) -> Photo:
    """Open a picture as an upright photo of 8 bits a channel.

    16 bits are scaled to 8. CMYK, grey and Lab are converted to sRGB by their profile; an RGB profile is kept and not
    applied. Alpha is kept separately. EXIF rotation is applied; all other metadata (places, names, thumbnails) is
    dropped. Of an animation only the first frame is read, of several pictures the main one (`Photo.frames`,
    `Photo.pictures`); a preview is never taken for the photo. See docs/local-engine.md#opening-files.

    Args:
        source: The file's bytes, or its path.
        max_megapixels: Larger pictures are refused before they are decoded.
        max_bytes: Larger files are refused before they are read; None: no limit.

    Raises:
        PersonError: ``photo-empty``, ``photo-unreadable``, ``photo-broken``, ``photo-too-large``,
            ``photo-too-many-pixels``, ``photo-too-small``, ``photo-too-complex``, ``photo-raw``.
        MemoryError: There is no more memory.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if not size:
        raise UnusableInputError("photo-empty")
    if max_bytes is not None and size > max_bytes:
        raise UnusableInputError("photo-too-large", megabytes=round(size / 1e6, 1), limit=round(max_bytes / 1e6))
    data = source if isinstance(source, bytes) else source.read_bytes()
    with cpu_limit(CPU_SECONDS), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            structure = read_structure(data)
            with Image.open(io.BytesIO(structure.data), formats=structure.formats or FORMATS) as image:
                if structure.page:
                    image.seek(structure.page)
                _check_size(image, max_megapixels)
                if image.info.get("default_image"):
                    image.seek(1)  # viewers never show an animated PNG's default picture
                photo = _decode(image, structure)
            if not structure.complete:
                _check_end(structure.data)
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
            if is_out_of_memory(error):
                raise MemoryError(str(error)) from None
            raise UnusableInputError("photo-broken", why=type(error).__name__) from None
        return photo


def _check_size(image: Image.Image, max_megapixels: float) -> None:
    width, height = image.size
    if width * height > max_megapixels * 1e6:
        raise UnusableInputError("photo-too-many-pixels", megapixels=round(width * height / 1e6), limit=max_megapixels)
    if min(width, height) < MIN_SIDE:
        raise UnusableInputError("photo-too-small", width=width, height=height)


def _decode(image: Image.Image, structure: Structure) -> Photo:
    chosen = _RESULT_FORMATS.get(image.format or "", "PNG")
    frames = max(_count_frames(image), 1 + structure.is_sequence)
    pictures = getattr(image, "n_frames", 1) if image.format == "HEIF" else structure.pictures
    image.load()
    profile = structure.icc_profile or image.info.get("icc_profile")
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)  # Pillow takes an orientation from XMP too; browsers do not
    transparent = image.info.get("transparency")
    upright: Image.Image = image
    ImageOps.exif_transpose(image, in_place=True)
    alpha: Matte | None = None
    if upright.mode.startswith("I") or upright.mode == "F":
        if isinstance(transparent, int):
            alpha = np.where(np.asarray(upright) == transparent, 0, 255).astype(np.uint8)
        upright = _to_8_bits(upright)
    if "A" in upright.getbands() or "a" in upright.getbands() or "transparency" in upright.info:
        mode = "L" if upright.mode in ("LA", "La", "L") else "RGB"
        whole = upright if upright.mode == "RGBA" else upright.convert("RGBA")
        alpha = np.asarray(whole.getchannel("A"), dtype=np.uint8)
        upright = whole.convert(mode)
        del whole
    if alpha is not None and ((alpha == 255).all() or (image.format in ("BMP", "DIB") and not alpha.any())):
        alpha = None  # a BMP whose alpha is zero everywhere has none: the fourth byte is padding
    if upright is not image:
        image.close()  # its pixels take 200 MB at 50 megapixels
    converted, kept = colour_profiles.to_rgb(upright, profile)
    code_points = None
    if profile is None and structure.declared is not None:
        kept = profile_for(structure.declared)
        points = structure.declared.code_points
        if points is not None and is_hdr(points):
            code_points, chosen = points, "PNG"  # only PNG can say what these numbers mean
    pixels: Pixels = np.ascontiguousarray(np.asarray(converted, dtype=np.uint8))
    return Photo(pixels, alpha, kept, chosen, frames, code_points, pictures)


def _check_end(data: bytes) -> None:
    """Check that a JPEG whose end marker was missing has all its pixels.

    The decoder fills missing pixels with grey and does not report it. So the file is decoded again without its last
    bytes: in a complete file only the last blocks change; in one that was cut off, blocks further up.

    Args:
        data: The file, with an end marker added.

    Raises:
        UnusableInputError: ``photo-broken``: pixels are missing.
    """
    whole = _brightness(data)
    for count in _END_BYTES:
        changed = whole != _brightness(data[: -2 - count] + data[-2:])
        if changed.any():
            break
    height, width = changed.shape
    padded = np.pad(changed, ((0, -height % _BLOCK), (0, -width % _BLOCK)))
    blocks = padded.reshape(padded.shape[0] // _BLOCK, _BLOCK, -1, _BLOCK).any(axis=(1, 3)).ravel()
    first = np.flatnonzero(blocks)
    if not first.size or blocks.size - first[0] > _END_BLOCKS:
        raise UnusableInputError("photo-broken", why="cut off")


def _brightness(data: bytes) -> NDArray[np.uint8]:
    """(H, W) brightness of a JPEG; its colours would spread into the blocks beside."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        image.draft("L", image.size)
        return np.asarray(image.convert("L"), np.uint8)


def _count_frames(image: Image.Image) -> int:
    """Count an animation's frames; a GIF only up to two, because counting reads the whole file."""
    if image.format not in ("GIF", "PNG", "WEBP", "AVIF"):
        return 1
    try:
        if image.format == "GIF":
            return 2 if getattr(image, "is_animated", False) else 1
        return int(getattr(image, "n_frames", 1)) - bool(image.info.get("default_image"))
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
