"""The chunks of a PNG file (W3C, PNG specification, third edition, sections 5 and 11)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from bot.errors import UnusableInputError
from bot.imaging.structure.colour import CodePoints, Declared, Primaries

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNKS = 50_000
"""Chunks of a file. Encoders write 8 kB or more into each, so that 20 MB have 2,500."""

MAX_PROFILE_BYTES = 16_000_000
"""Of an unpacked ICC profile. Printers' profiles reach a few megabytes; Pillow stops at one."""

_SRGB_GAMMA = 0.05
"""How far a gamma may be from 1/2.2, as a share, to be taken for sRGB (libpng, PNG_GAMMA_THRESHOLD)."""

_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"})
"""Chunks that a decoder needs for the pixels. Texts, times and unknown chunks are left out, whatever their size."""


@dataclass(frozen=True, slots=True)
class ReducedPng:
    """A PNG file with nothing in it but its pixels and its orientation.

    Attributes:
        data: The file.
        declared: What its chunks say about its colours; None: nothing, or an ICC profile says it.
        icc_profile: The ICC profile; None: there is none, or it is damaged or too large.
    """

    data: bytes
    declared: Declared | None
    icc_profile: bytes | None


def reduce(data: bytes) -> ReducedPng:
    """A PNG file without the chunks that do not change its pixels or its orientation.

    An orientation (eXIf) counts before the pixels only, as in browsers. Of several declarations of the colours the
    first of cICP, iCCP, sRGB, gAMA with cHRM holds (PNG specification, section 13.13).

    Raises:
        UnusableInputError: ``photo-too-complex``: too many chunks.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    view = memoryview(data)
    said: dict[bytes, bytes] = {}
    position, chunks, has_pixels = len(SIGNATURE), 0, False
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise UnusableInputError("photo-too-complex", chunks=chunks)
        has_pixels = has_pixels or kind == b"IDAT"
        if kind in _KEPT or (kind == b"eXIf" and not has_pixels):
            kept.append(view[position:end])
        elif not has_pixels and end <= len(data):
            said.setdefault(kind, data[position + 8 : end - 4])
        position = end
        if kind == b"IEND":
            break
    points = _code_points(said.get(b"cICP"))
    profile = None if points else _profile(said.get(b"iCCP"))
    declared = Declared(code_points=points) if points else None
    if not points and profile is None and b"sRGB" not in said:
        declared = _gamma(said.get(b"gAMA"), said.get(b"cHRM"))
    return ReducedPng(b"".join(kept), declared, profile)


def _code_points(content: bytes | None) -> CodePoints | None:
    """What cICP says; a picture in RGB has matrix 0."""
    if content is None or len(content) != 4:
        return None
    return CodePoints(content[0], content[1])


def _profile(content: bytes | None) -> bytes | None:
    """The profile in iCCP: a name, a zero, the method (0), the packed profile."""
    if content is None:
        return None
    name, _, rest = content.partition(b"\0")
    if not 1 <= len(name) <= 79 or rest[:1] != b"\0":
        return None
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(rest[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if unpacking.eof else None


def _gamma(gamma: bytes | None, chromaticities: bytes | None) -> Declared | None:
    """What gAMA and cHRM say, in units of 1/100,000, as browsers take it.

    Chromium takes a gamma close to 1/2.2 without chromaticities for sRGB, and chromaticities without a gamma for
    nothing.
    """
    if gamma is None or len(gamma) != 4:
        return None
    value = int.from_bytes(gamma)
    if not 1_000 <= value <= 10_000_000:
        return None
    exponent = 100_000 / value
    if chromaticities is not None and len(chromaticities) == 32:
        white_x, white_y, *rest = (number / 100_000 for number in struct.unpack(">8I", chromaticities))
        rgb = ((rest[0], rest[1]), (rest[2], rest[3]), (rest[4], rest[5]))
        return Declared(exponent=exponent, primaries=Primaries((white_x, white_y), rgb))
    if abs(exponent / 2.2 - 1) < _SRGB_GAMMA:
        return None
    return Declared(exponent=exponent)
