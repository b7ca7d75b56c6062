"""The blocks of a GIF file (CompuServe, GIF89a specification)."""

from __future__ import annotations

from bot.errors import UnusableInputError

MAX_BLOCKS = 200_000
"""Data sub-blocks of up to 255 bytes, up to the end of the first frame. A frame of 20 MB has 80,000; Pillow reads the
ones of comments in Python, one after another."""


def check(data: bytes) -> None:
    """Count the sub-blocks up to the end of the first frame. What is not a GIF is left to the decoder to refuse.

    Raises:
        UnusableInputError: ``photo-too-complex``: too many sub-blocks.
    """
    if len(data) < 13:
        return
    position = 13 + _table_size(data[10])
    blocks = 0
    while position < len(data):
        introducer = data[position]
        if introducer == 0x21:  # an extension: its label, then sub-blocks
            position += 2
        elif introducer == 0x2C and position + 10 <= len(data):  # a frame: descriptor, colour table, code size
            position += 11 + _table_size(data[position + 9])
        else:
            return
        while position < len(data) and data[position]:
            position += 1 + data[position]
            blocks += 1
            if blocks > MAX_BLOCKS:
                raise UnusableInputError("photo-too-complex", blocks=blocks)
        position += 1
        if introducer == 0x2C:
            return


def _table_size(flags: int) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
