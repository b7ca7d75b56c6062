"""Requests' bodies, read within a limit of bytes and of time, before anything looks at what they hold."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import web

from webapp.errors import RefusedError

READ_SECONDS = 30.0
"""For the whole body: 5 MB over a slow phone line; one letter a second is no line at all."""

MAX_JSON = 16_384
"""Bytes; a hundred taps are 5 000."""


async def read_body(request: web.Request, content_type: str, max_bytes: int) -> bytes:
    """A request's body.

    Args:
        request: The request.
        content_type: What it must be.
        max_bytes: More is refused: before reading where the length is announced, else as soon as it is passed.

    Raises:
        RefusedError: 415 another type, or compressed (a bomb unpacks before its length is known); 413 too large;
            408 too slow; 400 cut off.
    """
    if request.content_type != content_type or request.headers.get("Content-Encoding", "identity") != "identity":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if request.content_length is not None and request.content_length > max_bytes:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TimeoutError:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "took-too-long") from None
    except (ConnectionError, web.RequestPayloadError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad-request") from None
    return bytes(body)
