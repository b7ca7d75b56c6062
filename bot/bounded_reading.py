"""Reads the body of a request or an answer, and stops once it is larger than it may be."""

from __future__ import annotations

from collections.abc import AsyncIterable


class BodyTooLargeError(Exception):
    """The body has more bytes than it may have.

    Attributes:
        size: Bytes that had come when reading stopped.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"more bytes than allowed: {size}")
        self.size = size


async def read_bounded(chunks: AsyncIterable[bytes], max_bytes: int) -> bytes:
    """Join the chunks of a body. The rest of a body that is too large is not read.

    A limit on the Content-Length header is not enough: a body in chunks announces none, and a compressed one grows.

    Args:
        chunks: The body, such as aiohttp's ``content.iter_chunked(65536)``.
        max_bytes: The largest body that is returned.

    Raises:
        BodyTooLargeError: There are more bytes.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLargeError(size)
        parts.append(chunk)
    return b"".join(parts)
