"""The pictures that the fuzzer mutates: small files of every format and of its less usual kinds."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

AWKWARD = Path(__file__).resolve().parents[2].parent / "shared" / "photos" / "awkward"
"""Further pictures (HEIC among them, which nothing here can write), where the folder is there."""

MAX_FURTHER_BYTES = 60_000
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(width: int = 64, height: int = 48) -> Image.Image:
    """A smooth picture with an edge."""
    y, x = np.mgrid[:height, :width]
    pixels = np.dstack([x * 4 % 256, y * 5 % 256, (x + y) * 2 % 256]).astype(np.uint8)
    pixels[height // 4 : height // 2, width // 3 : width // 2] = (200, 30, 60)
    return Image.fromarray(pixels)


def _saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, file_format, **options)  # a copy: JPEG's encoder leaves its settings in the picture
    return buffer.getvalue()


def _frames() -> dict[str, object]:
    """Pillow's options for two further pictures."""
    return {"save_all": True, "append_images": [picture().rotate(90), picture().rotate(180)]}


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    data = _saved(picture(), "PNG")
    return data[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + data[33:]


@cache
def originals() -> dict[str, bytes]:
    """Name → file. The same files each time, as long as Pillow's encoders stay the same."""
    rgb = picture()
    grey, alpha, palette = rgb.convert("L"), rgb.convert("RGBA"), rgb.quantize(32)
    alpha.putalpha(grey)
    wide = np.asarray(grey).astype(np.uint16) * 257
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    srgb, p3 = struct.pack(">I", 45_455), struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    made = {
        "jpeg": _saved(rgb, "JPEG", exif=exif, icc_profile=SRGB),
        "jpeg progressive": _saved(rgb, "JPEG", progressive=True, quality=90),
        "jpeg grey": _saved(grey, "JPEG", subsampling=0),
        "jpeg cmyk": _saved(rgb.convert("CMYK"), "JPEG"),
        "jpeg restarts": _saved(rgb, "JPEG", restart_marker_blocks=2),
        "mpo": _saved(rgb, "MPO", **_frames()),
        "png": _saved(rgb, "PNG", exif=exif, icc_profile=SRGB),
        "png alpha": _saved(alpha, "PNG"),
        "png palette": _saved(palette, "PNG", transparency=3),
        "png 16 bits": _saved(Image.fromarray(wide), "PNG"),
        "png one bit": _saved(grey.convert("1"), "PNG"),
        "png colours": _png_with((b"gAMA", srgb), (b"cHRM", p3), (b"tEXt", b"Comment\0hello")),
        "png code points": _png_with((b"cICP", bytes((9, 16, 0, 1)))),
        "png animated": _saved(rgb, "PNG", **_frames()),
        "png default picture": _saved(rgb, "PNG", default_image=True, **_frames()),
        "gif": _saved(palette, "GIF", interlace=1, transparency=2),
        "gif animated": _saved(rgb, "GIF", loop=0, **_frames()),
        "webp": _saved(rgb, "WEBP", exif=exif, icc_profile=SRGB),
        "webp lossless": _saved(alpha, "WEBP", lossless=True),
        "webp animated": _saved(rgb, "WEBP", **_frames()),
        "bmp": _saved(rgb, "BMP"),
        "bmp palette": _saved(palette, "BMP"),
        "bmp alpha": _saved(alpha, "BMP"),
        "tiff": _saved(rgb, "TIFF", exif=exif, icc_profile=SRGB),
        "tiff float": _saved(Image.fromarray(np.asarray(grey) / np.float32(255)), "TIFF"),
        "tiff lab": _saved(rgb.convert("LAB"), "TIFF"),
        "tiff cmyk": _saved(rgb.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "tiff pages": _saved(rgb, "TIFF", compression="tiff_adobe_deflate", **_frames()),
        "tiff tiles": _saved(rgb, "TIFF", compression="tiff_adobe_deflate", tiffinfo={322: 32, 323: 32}),
        "tiff jpeg": _saved(rgb, "TIFF", compression="jpeg"),
        "tiff fax": _saved(grey.convert("1"), "TIFF", compression="group4"),
        "tiff big": _saved(rgb, "TIFF", big_tiff=True),
        "avif": _saved(alpha, "AVIF", exif=exif, icc_profile=SRGB, speed=9),
        "avif animated": _saved(rgb, "AVIF", speed=9, **_frames()),
    }
    if AWKWARD.is_dir():
        for path in sorted(AWKWARD.iterdir()):
            if path.suffix != ".tsv" and 0 < path.stat().st_size <= MAX_FURTHER_BYTES:
                made[path.name] = path.read_bytes()
    return made
