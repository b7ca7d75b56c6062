"""Bodies are read up to their limit and not beyond."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.bounded_reading import BodyTooLargeError, read_bounded


class Body:
    """A body in chunks of four bytes that counts the chunks that were read."""

    def __init__(self, chunks: int) -> None:
        self.left = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.left:
            self.left -= 1
            yield b"data"


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert await read_bounded(Body(3), max_bytes=12) == b"data" * 3


async def test_reading_stops_at_the_first_chunk_beyond_the_limit() -> None:
    body = Body(100)
    with pytest.raises(BodyTooLargeError) as error:
        await read_bounded(body, max_bytes=11)
    assert error.value.size == 12
    assert body.left == 97


async def test_an_empty_body_is_empty() -> None:
    assert await read_bounded(Body(0), max_bytes=0) == b""
