"""Raw files of cameras: what they hold besides the raw data is a preview, which is not the photo."""

from __future__ import annotations

import re

from bot.errors import UnusableInputError

_MAGIC = (
    (0, b"FUJIFILMCCD-RAW"),  # Fujifilm RAF
    (0, b"IIRO"),  # Olympus ORF
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),  # Panasonic RW2
    (0, b"FOVb"),  # Sigma X3F
    (0, b"\0MRM"),  # Minolta MRW
    (4, b"ftypcrx "),  # Canon CR3
    (8, b"CR\x02\x00"),  # Canon CR2, a TIFF
    (6, b"HEAPCCDR"),  # Canon CRW
)

_PHASE_ONE = re.compile(rb".{8}(IIII.waR|MMMMRaw)", re.DOTALL)
"""Phase One and Leaf IIQ, a TIFF."""


def refuse(data: bytes) -> None:
    """Refuse a raw file that its first bytes tell; `tiff` refuses those that are told by their tags.

    Raises:
        UnusableInputError: ``photo-raw``.
    """
    if any(data[start : start + len(magic)] == magic for start, magic in _MAGIC) or _PHASE_ONE.match(data):
        raise UnusableInputError("photo-raw")
