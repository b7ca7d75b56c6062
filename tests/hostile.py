"""Picture files that ask for far more work or memory than their size says."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 8000, 6125
"""49 megapixels: just below what is accepted."""


@cache
def saved(width: int, height: int, mode: str, file_format: str, **options: object) -> bytes:
    """A flat picture in a file."""
    buffer = io.BytesIO()
    Image.new(mode, (width, height), 90).save(buffer, file_format, **options)
    return buffer.getvalue()


def jpeg_of_scans(scans: int, *, ended: bool = True) -> bytes:
    """A progressive JPEG of 49 megapixels whose last scan is repeated."""
    data = saved(WIDTH, HEIGHT, "L", "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + (data[-2:] if ended else b"")


def jpeg_of_segments(count: int) -> bytes:
    """A JPEG with empty application segments before its picture."""
    data = saved(96, 64, "RGB", "JPEG")
    return data[:2] + b"\xff\xe5\x00\x02" * count + data[2:]


def exif(tags: int, size: int) -> bytes:
    """Exif data whose tags all have the same large value, as an attacker overlays them."""
    start = 8 + 2 + 12 * tags + 4
    entries = b"".join(struct.pack("<HHII", 40_000 + number % 20_000, 7, size, start) for number in range(tags))
    return b"II*\0" + struct.pack("<IH", 8, tags) + entries + bytes(4) + bytes(size)


def with_exif(file_format: str, tags: int, size: int) -> bytes:
    """A small picture with such Exif data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the encoders read the data too
        return saved(96, 64, "RGB", file_format, exif=b"Exif\0\0" + exif(tags, size))


def tiff(*pages: dict[int, tuple[int, list[int]]], rest: bytes = b"") -> bytes:
    """A little-endian TIFF of these pages: tag → (type, values); `rest` follows at its end."""
    body, links = bytearray(b"II*\0\0\0\0\0"), [4]
    for page in pages:
        start = len(body)
        struct.pack_into("<I", body, links[-1], start)
        entries, extra, extra_at = bytearray(), bytearray(), start + 2 + 12 * len(page) + 4
        for tag, (kind, values) in sorted(page.items()):
            packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
            if len(packed) > 4:
                packed, extra = struct.pack("<I", extra_at + len(extra)), extra + packed
            entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
        links.append(start + 2 + len(entries))
        body += struct.pack("<H", len(page)) + entries + bytes(4) + extra
    return bytes(body) + rest


Page = dict[int, tuple[int, list[int]]]
PAGE: Page = {256: (4, [100]), 257: (4, [100]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1])}
"""A grey page of 100 × 100 pixels, without its strips."""


def tiff_of_a_tile(side: int) -> bytes:
    """A picture of 100 × 100 pixels in one tile of this side."""
    return tiff(PAGE | {322: (4, [side]), 323: (4, [side]), 324: (4, [8]), 325: (4, [100])})


def tiff_of_overlaid_tags(tags: int, size: int) -> bytes:
    """A picture with tags that all have the same large value."""
    start = 8 + 2 + 12 * (tags + 8) + 4
    fixed = {256: 100, 257: 100, 258: 8, 259: 1, 262: 1, 273: start, 277: 1, 279: 10_000}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(fixed.items()))
    entries += b"".join(struct.pack("<HHII", 60_000 + number, 7, size, start) for number in range(tags))
    return b"II*\0" + struct.pack("<IH", 8, tags + 8) + entries + bytes(4) + bytes(max(size, 10_000))


def tiff_of_sub_pages(pages: int, tags: int) -> bytes:
    """Pages that all point to one large page, many times."""
    sub = tiff({40_000 + number: (4, [0]) for number in range(tags)})[8:]
    return b"II*\0" + struct.pack("<I", 8 + len(sub)) + sub + _pages_to(pages, tags, 8 + len(sub))


def _pages_to(pages: int, tags: int, start: int) -> bytes:
    body = bytearray()
    for number in range(pages):
        here, size = start + len(body), 2 + 12 * tags + 4
        offsets = here + size
        entries = struct.pack("<HHII", 330, 4, 16, offsets) * tags
        following = offsets + 64 if number + 1 < pages else 0
        body += struct.pack("<H", tags) + entries + struct.pack("<I", following) + struct.pack("<I", 8) * 16
    return bytes(body)


def tiff_of_a_jpeg(scans: int) -> bytes:
    """A TIFF whose one strip is a JPEG of many scans."""
    inner = jpeg_of_scans(scans)
    page: Page = PAGE | {
        256: (4, [WIDTH]),
        257: (4, [HEIGHT]),
        259: (3, [7]),
        273: (4, [0]),
        278: (4, [HEIGHT]),
        279: (4, [len(inner)]),
    }
    start = len(tiff(page))
    return tiff(page | {273: (4, [start])}, rest=inner)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(*chunks: bytes) -> bytes:
    """A PNG with further chunks behind its header."""
    data = saved(96, 64, "RGB", "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


@cache
def zeros(megabytes: int) -> bytes:
    """Compressed zeros: a thousandth of their size."""
    packing = zlib.compressobj(9)
    return b"".join(packing.compress(bytes(2**20)) for _ in range(megabytes)) + packing.flush()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and has few pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zeros(1)) + png_chunk(b"IEND", b"")


def gif_of_comment(blocks: int) -> bytes:
    """A GIF with a comment in blocks of one byte."""
    data = saved(96, 64, "P", "GIF")
    place = data.index(b"\x2c")
    return data[:place] + b"\x21\xfe" + b"\x01x" * blocks + b"\0" + data[place:]


def gif_of_frames(count: int) -> bytes:
    """A GIF of many frames."""
    data = saved(8, 8, "P", "GIF")
    place = data.index(b"\x2c")
    return data[:-1] + data[place:-1] * count + b";"


def webp_of_frames(count: int) -> bytes:
    """A WebP animation of many frames of one pixel on a canvas of 49 megapixels."""
    frame = saved(2, 2, "RGB", "WEBP", lossless=True)[12:]
    body = struct.pack("<I", 0)[:3] * 2 + struct.pack("<I", 1)[:3] * 2 + b"\x01\0\0\0" + frame
    anmf = b"ANMF" + struct.pack("<I", len(body)) + body
    size = struct.pack("<I", WIDTH - 1)[:3] + struct.pack("<I", HEIGHT - 1)[:3]
    content = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    content += b"ANIM" + struct.pack("<I", 6) + bytes(6) + anmf * count
    return b"RIFF" + struct.pack("<I", len(content)) + content


def boxes(count: int, *, inside: bool) -> bytes:
    """An AVIF with many empty boxes, at its end or among its properties."""
    data = saved(96, 64, "RGB", "AVIF")
    many = struct.pack(">I4s", 8, b"free") * count
    if not inside:
        return data + many
    grown = bytearray(data)
    end = data.index(b"ipco") - 4 + struct.unpack_from(">I", data, data.index(b"ipco") - 4)[0]
    for name in (b"meta", b"iprp", b"ipco"):
        place = data.index(name) - 4
        struct.pack_into(">I", grown, place, struct.unpack_from(">I", data, place)[0] + len(many))
    return bytes(grown[:end]) + many + bytes(grown[end:])


def bmp_of_runs(width: int, height: int) -> bytes:
    """A run-length encoded BMP whose runs have one pixel each."""
    runs = b"\x01\x05" * min(width * height, 9_500_000)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 2835, 2835, 256, 0)
    start = 14 + len(info) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + bytes(1024) + runs


def noise(file_format: str) -> bytes:
    """A picture of 49 megapixels that no encoder can make small, in a format that is slow to read."""
    tile = np.random.default_rng(1).integers(0, 256, (175, 250, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.tile(tile, (35, 32, 1))).save(buffer, file_format, quality=40, method=0, speed=10)
    return buffer.getvalue()


REFUSED: dict[str, Callable[[], bytes]] = {
    "JPEG, 49 MP, 5,000 scans": lambda: jpeg_of_scans(5000),
    "JPEG, 49 MP, 80 scans, no end": lambda: jpeg_of_scans(70, ended=False),
    "JPEG, 1.5 million segments": lambda: jpeg_of_segments(1_500_000),
    "JPEG, 65,500 × 65,500 claimed": lambda: jpeg_of_size(65_500, 65_500),
    "TIFF, a tile of 26,000²": lambda: tiff_of_a_tile(26_000),
    "TIFF, 5,000 pages": lambda: tiff(*[PAGE] * 5000),
    "TIFF, 200 pages to one page, 16,000 times each": lambda: tiff_of_sub_pages(200, 1000),
    "TIFF, 49 MP, a JPEG of 5,000 scans inside": lambda: tiff_of_a_jpeg(5000),
    "PNG, 1.5 million chunks of pixels": lambda: png_with(png_chunk(b"IDAT", b"") * 1_500_000),
    "PNG, 100,000 × 100,000 claimed": lambda: png_of_size(100_000, 100_000),
    "BMP, 9.5 million runs of one pixel": lambda: bmp_of_runs(8000, 6000),
    "GIF, a comment of 9 million blocks": lambda: gif_of_comment(9_000_000),
}
"""Files that are refused before anything is decoded, by what they do."""

BOUNDED: dict[str, Callable[[], bytes]] = {
    "JPEG, 49 MP, 80 scans": lambda: jpeg_of_scans(70),
    "JPEG, 5,000 Exif tags of the same 5 kB": lambda: with_exif("JPEG", 5000, 5000),
    "TIFF, 900 tags of the same 18 MB": lambda: tiff_of_overlaid_tags(900, 18_000_000),
    "PNG, 60,000 Exif tags of the same 10 MB": lambda: with_exif("PNG", 60_000, 10_000_000),
    "WebP, 60,000 Exif tags of the same 10 MB": lambda: with_exif("WEBP", 60_000, 10_000_000),
    "AVIF, 60,000 Exif tags of the same 10 MB": lambda: with_exif("AVIF", 60_000, 10_000_000),
    "PNG, 49 MP claimed, one has data": lambda: png_of_size(8000, 6125),
    "PNG, a profile of 2 GB": lambda: png_with(png_chunk(b"iCCP", b"p\0\0" + zeros(2000))),
    "PNG, 1,000 texts of 10 MB": lambda: png_with(*[png_chunk(b"zTXt", b"t\0\0" + zeros(10))] * 1000),
    "PNG, 4 billion frames claimed": lambda: png_with(png_chunk(b"acTL", b"\xff" * 8)),
    "GIF, 100,000 frames": lambda: gif_of_frames(100_000),
    "WebP, 200,000 frames of 49 MP": lambda: webp_of_frames(200_000),
    "AVIF, 2 million boxes at its end": lambda: boxes(2_000_000, inside=False),
    "AVIF, 2 million properties": lambda: boxes(2_000_000, inside=True),
    "BMP, 2.9 million runs of one pixel": lambda: bmp_of_runs(1700, 1700),
    "WebP, 49 MP of noise": lambda: noise("WEBP"),
    "AVIF, 49 MP of noise": lambda: noise("AVIF"),
}
"""Files that are opened, or found to be damaged, or stopped at the limit of processor time."""


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG that claims a size and has few pixels."""
    data = bytearray(saved(96, 64, "RGB", "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)
