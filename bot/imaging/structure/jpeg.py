"""The segments of a JPEG file (ITU-T T.81, annex B)."""

from __future__ import annotations

import re

from bot.errors import UnusableInputError

MAX_SEGMENTS = 5_000
"""Segments with a length. Real files have a few dozen; extended XMP of 16 MB has 250. Pillow reads the ones before the
first scan in Python: 1.5 million of them took 41 s."""

USUAL_SCANS, MAX_SCANS = 12, 300
MAX_SCAN_MEGAPIXELS = 4_000
MAX_SCAN_MEGAPIXELS_WITHOUT_END = 800
"""Scans, and scans times megapixels. Encoders write about ten scans; a 49-megapixel file with 5,000 empty scans took
60 s, 12 ms a scan. A file without an end marker is decoded up to five times, to find whether pixels are missing."""

_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The next marker in entropy-coded data: stuffed zeros and restart markers belong to the data."""

_KEPT = ((0xE0, b"JFIF\0"), (0xE0, b"JFXX\0"), (0xE1, b"Exif\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
"""Application segments that a decoder needs: colours and orientation. Others (XMP, previews, gain maps, maker notes,
comments) are left out."""


def reduce(data: bytes) -> tuple[bytes, bool]:
    """A JPEG file without the segments that no viewer needs to show it, and without what follows its end.

    Args:
        data: A file that begins with a start-of-image marker.

    Returns:
        The reduced file, and whether it had an end-of-image marker; one is added where it is missing.

    Raises:
        UnusableInputError: ``photo-too-complex``: too many segments or scans.
    """
    kept: list[bytes | memoryview] = [data[:2]]
    view = memoryview(data)
    position, segments, scans, pixels = 2, 0, 0, 0
    while True:
        found = _MARKER.search(data, position)
        start, marker = (found.start(), data[found.start() + 1]) if found else (len(data), 0)
        if found is None or (marker != _EOI and start + 4 > len(data)):
            if scans > USUAL_SCANS and scans * pixels > MAX_SCAN_MEGAPIXELS_WITHOUT_END * 1e6:
                raise UnusableInputError("photo-too-complex", scans=scans)
            return b"".join([*kept, view[position:], b"\xff\xd9"]), False
        if scans:
            kept.append(view[position:start])  # the entropy-coded data before the marker
        if marker == _EOI:
            kept.append(b"\xff\xd9")
            return b"".join(kept), True
        if marker in (_SOI, _TEM):
            position = start + 2
            continue
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        segments += 1
        if marker in _FRAMES:
            height, width = int.from_bytes(data[start + 5 : start + 7]), int.from_bytes(data[start + 7 : start + 9])
            pixels = max(pixels, height * width)
        scans += marker == _SOS
        is_too_much = scans > USUAL_SCANS and scans * pixels > MAX_SCAN_MEGAPIXELS * 1e6
        if segments > MAX_SEGMENTS or scans > MAX_SCANS or is_too_much:
            raise UnusableInputError("photo-too-complex", segments=segments, scans=scans)
        if not _is_ignored(marker, data[start + 4 : start + 16]):
            kept.append(view[start:end])
        position = end


def _is_ignored(marker: int, content: bytes) -> bool:
    """Whether a viewer shows the picture without this segment: an unknown application segment, or a comment."""
    if marker == 0xFE:
        return True
    return 0xE0 <= marker <= 0xEF and not any(marker == kind and content.startswith(name) for kind, name in _KEPT)
