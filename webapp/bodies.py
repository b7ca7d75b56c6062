"""Reads request bodies within a limit of bytes and of seconds."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import web

from bot.bounded_reading import BodyTooLargeError, read_bounded
from webapp.errors import RefusedError

READ_SECONDS = 30.0
"""Time for a whole body: enough for 5 MB over a slow mobile network; a client that sends byte by byte is cut off."""

MAX_JSON_BYTES = 16_384
"""A selection of a hundred taps has about 5,000 bytes."""


async def read_body(request: web.Request, content_type: str, max_bytes: int) -> bytes:
    """Read a request's body.

    Args:
        request: The request.
        content_type: The type that the body must have.
        max_bytes: The largest body that is accepted. A larger Content-Length is refused before reading.

    Raises:
        RefusedError: 415 another type, or compressed (a bomb unpacks before its length is known); 413 too large;
            408 too slow; 400 cut off.
    """
    if request.content_type != content_type or request.headers.get("Content-Encoding", "identity") != "identity":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if request.content_length is not None and request.content_length > max_bytes:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await read_bounded(request.content.iter_any(), max_bytes)
    except BodyTooLargeError:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    except TimeoutError:
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "took-too-long") from None
    except (ConnectionError, web.RequestPayloadError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad-request") from None
