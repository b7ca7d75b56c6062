"""Boxes of HEIF and AVIF files (ISO/IEC 14496-12 and 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bot.errors import UnusableInputError
from bot.imaging.structure.colour import CodePoints

_PATH = (b"meta", b"iprp", b"ipco")
_MAX_BOXES = 10_000

_CAMERAS, _SRGB = frozenset({1, 6, 14, 15}), 13
"""The cameras' transfer curves (BT.709, BT.601, BT.2020), which Chromium shows by sRGB's in HEIF and AVIF."""


def code_points(data: bytes) -> CodePoints | None:
    """The colours that the file declares by code points (a colr box of type nclx); None: it does not, or by ICC."""
    content = memoryview(data)
    for kind in _PATH:
        found = next((body for name, body in _boxes(content) if name == kind), None)
        if found is None:
            return None
        content = found[4:] if kind == b"meta" else found  # meta is a full box: version and flags come first
    points: CodePoints | None = None
    for name, body in _boxes(content):
        if name != b"colr":
            continue
        if bytes(body[:4]) in (b"prof", b"rICC"):
            return None
        if bytes(body[:4]) == b"nclx" and len(body) >= 11 and points is None:
            primaries, transfer = struct.unpack_from(">HH", body, 4)
            points = CodePoints(primaries, _SRGB if transfer in _CAMERAS else transfer)
    return points


def check_names(data: bytes) -> None:
    """Check the names and types of the file's items (infe boxes): `pi_heif` crashes at one that is no UTF-8.

    Raises:
        UnusableInputError: ``photo-broken``.
    """
    meta = next((body for kind, body in _boxes(memoryview(data)) if kind == b"meta"), memoryview(b""))
    for kind, body in _boxes(meta[4:]):
        if kind != b"iinf" or not body:
            continue
        # Version and flags, then the number of items, in 2 bytes or (from version 1) in 4.
        for name, item in _boxes(body[6 if body[0] == 0 else 8 :]):
            if name != b"infe" or not item:
                continue
            try:
                str(item[10 if item[0] >= 3 else 8 :], "utf-8")  # behind version, flags, number and protection
            except UnicodeDecodeError:
                raise UnusableInputError("photo-broken", why="item name") from None


def is_avif(data: bytes) -> bool:
    """Whether the file says that an AVIF decoder can read it.

    Its first brand may be a general one (mif1, msf1), which HEIF files carry, too.
    """
    brands = next((bytes(body) for kind, body in _boxes(memoryview(data)) if kind == b"ftyp"), b"")
    named = {brands[:4], *(brands[start : start + 4] for start in range(8, len(brands), 4))}
    return not named.isdisjoint((b"avif", b"avis"))


def is_sequence(data: bytes) -> bool:
    """Whether the file holds moving pictures: a movie box beside, or instead of, its still pictures."""
    return any(kind == b"moov" for kind, _ in _boxes(memoryview(data)))


def _boxes(content: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    position = 0
    for _ in range(_MAX_BOXES):
        if position + 8 > len(content):
            return
        size, kind = struct.unpack_from(">I4s", content, position)
        header = 8
        if size == 1 and position + 16 <= len(content):
            size, header = struct.unpack_from(">Q", content, position + 8)[0], 16
        elif size == 0:
            size = len(content) - position
        if size < header:
            return
        yield kind, content[position + header : position + size]
        position += size
