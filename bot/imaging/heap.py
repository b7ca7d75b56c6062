"""The C library's heap."""

from __future__ import annotations

import ctypes


def release_free_heap() -> None:
    """Return freed memory to the system, which the C library keeps otherwise (docs/local-engine.md#worker-memory).

    Does nothing where the C library has no `malloc_trim`.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
