"""Run-length encoded BMP files (Microsoft, BITMAPINFOHEADER)."""

from __future__ import annotations

import struct

from bot.errors import UnusableInputError

MAX_RUN_BYTES = 6_000_000
"""Bytes of run-length encoded pixels. Pillow decodes them in Python: 9 million runs of one pixel took 8 s."""

_RLE8, _RLE4 = 1, 2


def check(data: bytes) -> None:
    """Refuse a file with too many runs. What is not a BMP is left to the decoder to refuse.

    Raises:
        UnusableInputError: ``photo-too-complex``: too many runs.
    """
    if len(data) < 34 or struct.unpack_from("<I", data, 14)[0] < 40:
        return
    if struct.unpack_from("<I", data, 30)[0] in (_RLE8, _RLE4) and len(data) > MAX_RUN_BYTES:
        raise UnusableInputError("photo-too-complex", runs=len(data))
