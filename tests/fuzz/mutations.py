"""Mutations of files. Each is determined by a seed and a number, so that a find can be made again."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from tests.fuzz.originals import originals

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 2_000_000
INTEGERS = (0, 1, 2, 3, 7, 8, 255, 256, 4095, 7071, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
"""Values at the limits of what sizes, counts and offsets may be; 7071² is just below 50 megapixels."""

Mutation = Callable[[bytearray, random.Random], None]


def _place(data: bytearray, chance: random.Random) -> int:
    """Somewhere in the file, half of the time within its first 512 bytes, where headers are."""
    return chance.randrange(min(len(data), 512) if chance.random() < 0.5 else len(data))


def flip_bits(data: bytearray, chance: random.Random) -> None:
    """Flip one to eight bits."""
    for _ in range(chance.randint(1, 8)):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def change_bytes(data: bytearray, chance: random.Random) -> None:
    """Write noise over a few bytes."""
    start = _place(data, chance)
    noise = chance.randbytes(chance.randint(1, 32))
    data[start : start + len(noise)] = noise


def set_integer(data: bytearray, chance: random.Random) -> None:
    """Write an integer of 2 or 4 bytes at the limits of its range."""
    form = chance.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    start = _place(data, chance)
    if start + size <= len(data):
        struct.pack_into(form, data, start, chance.choice(INTEGERS) % 2 ** (8 * size))


def cut(data: bytearray, chance: random.Random) -> None:
    """Remove some bytes, or all up to the end."""
    start = _place(data, chance)
    del data[start : len(data) if chance.random() < 0.3 else start + chance.randint(1, 200)]


def repeat(data: bytearray, chance: random.Random) -> None:
    """Repeat a part of the file, up to thousands of times."""
    start, length = _place(data, chance), chance.randint(1, 400)
    part = bytes(data[start : start + length])
    data[start:start] = part * min(chance.choice((1, 3, 50, 3000)), MAX_BYTES // max(1, len(part)) // 2)


def insert_zeros(data: bytearray, chance: random.Random) -> None:
    """Insert zeros or ones."""
    start = _place(data, chance)
    data[start:start] = chance.choice((b"\0", b"\xff")) * chance.choice((1, 2, 4, 64, 5000))


def mix(data: bytearray, chance: random.Random) -> None:
    """Replace a part by a part of another file."""
    other = chance.choice(list(originals().values()))
    start, from_ = _place(data, chance), chance.randrange(len(other))
    length = chance.randint(1, 2000)
    data[start : start + length] = other[from_ : from_ + length]


MUTATIONS: tuple[Mutation, ...] = (flip_bits, change_bytes, set_integer, set_integer, cut, repeat, insert_zeros, mix)


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """A mutated file.

    Args:
        seed: Of the whole run.
        number: Of this file.

    Returns:
        The name of the original, and the file.
    """
    chance = random.Random(f"{seed}:{number}")
    name = chance.choice(list(originals()))
    data = bytearray(originals()[name])
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        chance.choice(MUTATIONS)(data, chance)
        data = data[:MAX_BYTES] or bytearray(b"\0")
    if data.startswith(PNG_SIGNATURE) and chance.random() < 0.8:
        _mend_checksums(data)
    return name, bytes(data)


def _mend_checksums(data: bytearray) -> None:
    """Make a PNG's checksums right again: decoders refuse a wrong one before they look at the content."""
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        end = position + 8 + struct.unpack_from(">I", data, position)[0]
        if end + 4 > len(data):
            return
        struct.pack_into(">I", data, end, zlib.crc32(data[position + 4 : end]))
        position = end + 4
