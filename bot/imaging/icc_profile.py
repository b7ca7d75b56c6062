"""ICC profiles made from what a file declares by numbers, so that the result is shown as the photo is (ICC.1:2022)."""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bot.imaging.structure.colour import CodePoints, Declared, Point, Primaries

_D65: Point = (0.3127, 0.3290)
_SRGB = Primaries(_D65, ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
_PRIMARIES = {
    1: _SRGB,
    4: Primaries((0.310, 0.316), ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08))),
    5: Primaries(_D65, ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06))),
    6: Primaries(_D65, ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))),
    7: Primaries(_D65, ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))),
    9: Primaries(_D65, ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))),
    11: Primaries((0.314, 0.351), ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
    12: Primaries(_D65, ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
    22: Primaries(_D65, ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077))),
}
"""By colour primaries of ITU-T H.273, table 2."""

_Curve = tuple[float, ...]
_SRGB_CURVE: _Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT1886_CURVE: _Curve = (2.4,)
_CURVES: dict[int, _Curve] = {
    1: _BT1886_CURVE,
    4: (2.2,),
    5: (2.8,),
    6: _BT1886_CURVE,
    8: (1.0,),
    13: _SRGB_CURVE,
    14: _BT1886_CURVE,
    15: _BT1886_CURVE,
}
"""By transfer characteristics of ITU-T H.273, table 3: g, or g, a, b, c, d of a parametric curve (ICC.1, 10.18). The
cameras' curves (BT.709, BT.601, BT.2020) are shown by the displays' one, BT.1886: Chromium does so for PNG."""

HDR_TRANSFERS = frozenset({16, 18})
"""Perceptual quantizer and hybrid log-gamma: light beyond white, which no ICC curve describes."""

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def profile_for(declared: Declared) -> bytes | None:
    """The ICC profile of a declared colour space.

    Returns:
        The profile; None where the space is sRGB, unspecified, unknown or HDR.
    """
    points = declared.code_points
    if points is None:
        curve = (declared.exponent,) if declared.exponent is not None else _SRGB_CURVE
        return _profile(declared.primaries or _SRGB, curve)
    primaries, found = _PRIMARIES.get(points.primaries), _CURVES.get(points.transfer)
    if primaries is None or found is None or (primaries is _SRGB and found is _SRGB_CURVE):
        return None
    return _profile(primaries, found)


def is_hdr(points: CodePoints) -> bool:
    """Whether the numbers stand for light beyond white."""
    return points.transfer in HDR_TRANSFERS


@lru_cache(maxsize=32)
def _profile(primaries: Primaries, curve: _Curve) -> bytes | None:
    colorants = _colorants(primaries)
    if colorants is None:
        return None
    matrix, adaptation = colorants
    transfer = _parametric(curve)
    tags = {
        b"desc": _text("Declared by the photo"),
        b"cprt": _text("No copyright"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + b"".join(_fixed(value) for value in adaptation.ravel()),
        b"rXYZ": _xyz(matrix[:, 0]),
        b"gXYZ": _xyz(matrix[:, 1]),
        b"bXYZ": _xyz(matrix[:, 2]),
        b"rTRC": transfer,
        b"gTRC": transfer,
        b"bTRC": transfer,
    }
    header = bytearray(128)
    struct.pack_into(">4x4sI4s4s4s", header, 0, bytes(4), 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    struct.pack_into(">6H4s", header, 24, 2026, 1, 1, 0, 0, 0, b"acsp")
    header[68:80] = b"".join(_fixed(value) for value in _D50)
    return _assemble(bytes(header), tags)


def _assemble(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of these tags; equal tags share one place. The header's size is set and its checksum cleared."""
    start = 128 + 4 + 12 * len(tags)
    table, body, placed = [struct.pack(">I", len(tags))], bytearray(), dict[bytes, int]()
    for name, content in tags.items():
        if content not in placed:
            placed[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table.append(struct.pack(">4sII", name, placed[content], len(content)))
    size = (start + len(body)).to_bytes(4)
    return size + header[4:84] + bytes(16) + header[100:] + b"".join(table) + bytes(body)


def _colorants(primaries: Primaries) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The XYZ of red, green and blue (columns) as seen under D50, and the adaptation; None: no such display exists."""
    points = (*primaries.rgb, primaries.white)
    if any(y <= 0 or not 0 <= x <= 1 or y > 1 for x, y in points):
        return None
    rgb = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries.rgb]).T
    x, y = primaries.white
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    if abs(np.linalg.det(rgb)) < 1e-6:
        return None
    cone = _BRADFORD @ white
    if (np.abs(cone) < 1e-6).any():
        return None
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / cone) @ _BRADFORD
    return adaptation @ (rgb * np.linalg.solve(rgb, white)), adaptation


def _parametric(curve: _Curve) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HH", 0 if len(curve) == 1 else 3, 0) + b"".join(map(_fixed, curve))


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(float(value)) for value in values)


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(content), 28) + content


def _fixed(value: float) -> bytes:
    """S15Fixed16."""
    return struct.pack(">i", max(-(2**31), min(2**31 - 1, round(float(value) * 65536))))


MAX_KEPT_BYTES = 900_000
"""Of a profile that is kept as it is. Pillow and programs that build on it do not open a PNG with a profile of over
1 MiB; JPEG takes up to 16 MB."""

_NEEDED = frozenset(
    name.encode()
    for names in ("desc cprt wtpt bkpt chad lumi tech cicp", "rXYZ gXYZ bXYZ rTRC gTRC bTRC A2B0 A2B1 A2B2")
    for name in names.split()
)
"""What tells how numbers become light. The way back (B2A), gamut tests, named colours and private tags are needed to
print, not to show."""


def slimmed(profile: bytes) -> bytes | None:
    """A large profile without the tags that showing a picture does not need.

    Returns:
        The profile, as it is where it is at most `MAX_KEPT_BYTES` long; None where it cannot be made that small, or is
        damaged.
    """
    if len(profile) <= MAX_KEPT_BYTES:
        return profile
    count = int.from_bytes(profile[128:132])
    if len(profile) < 132 + 12 * count or count > 1000:
        return None
    tags = [struct.unpack_from(">4sII", profile, 132 + 12 * number) for number in range(count)]
    kept = {name: profile[start : start + size] for name, start, size in tags if name in _NEEDED}
    for dropped in ((), (b"A2B2",), (b"A2B1",)):
        for name in dropped:
            kept.pop(name, None)
        slim = _assemble(bytes(profile[:128]), kept)
        if len(slim) <= MAX_KEPT_BYTES:
            return slim
    return None
