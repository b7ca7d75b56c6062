"""Passing values with large arrays between processes.

Pickle protocol 5 separates the large buffers from the pickle. They travel through a file that both processes map into
memory, so that 36 MB of pixels do not pass through a pipe.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

MIN_FILE_BUFFER = 65_536
"""Bytes from which a buffer travels by file; smaller ones are cheaper in the pipe."""


class PackedValue:
    """A pickled value whose large buffers lie in a file.

    Args:
        head: The pickle.
        path: The file with the buffers, one after another; None: there are none.
        sizes: Their sizes in bytes.
    """

    __slots__ = ("head", "path", "sizes")

    def __init__(self, head: bytes, path: str | None, sizes: tuple[int, ...]) -> None:
        self.head = head
        self.path = path
        self.sizes = sizes

    def __reduce__(self) -> tuple[Any, ...]:
        return PackedValue, (self.head, self.path, self.sizes)

    def unlink(self) -> None:
        """Remove the file. Existing memory maps of it stay valid."""
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)


def pack(value: object, folder: Path | None) -> PackedValue:
    """Pickle a value and write its large buffers into one file.

    Args:
        value: Anything that can be pickled.
        folder: Where the file is made; None: the system's temporary folder.
    """
    buffers: list[memoryview] = []

    def keep_in_band(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < MIN_FILE_BUFFER:
            return True
        buffers.append(raw)
        return False

    head = pickle.dumps(value, protocol=5, buffer_callback=keep_in_band)
    if not buffers:
        return PackedValue(head, None, ())
    handle, path = tempfile.mkstemp(dir=folder, prefix="arrays-")
    with os.fdopen(handle, "wb", buffering=0) as file:
        for buffer in buffers:
            rest = buffer
            while rest.nbytes:
                rest = rest[file.write(rest) :]
    return PackedValue(head, path, tuple(buffer.nbytes for buffer in buffers))


def unpack(packed: PackedValue) -> Any:
    """Restore a packed value and remove its file.

    Returns:
        The value. Its large arrays are private maps of the file: writable, each page copied when it is written to.
    """
    if packed.path is None:
        return pickle.loads(packed.head)  # noqa: S301 -- made by our own process
    with open(packed.path, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    packed.unlink()
    buffers, start = [], 0
    for size in packed.sizes:
        buffers.append(mapped[start : start + size])
        start += size
    return pickle.loads(packed.head, buffers=buffers)  # noqa: S301 -- made by our own process
