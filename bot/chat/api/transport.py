"""python-telegram-bot's requests, carried by aiohttp: eight times as many a second under load (facts/parts.md)."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
from telegram._utils.defaultvalue import DEFAULT_NONE
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

MAX_ANSWER = 64 * 2**20
"""Bytes; an answer that goes on beyond is cut off. The largest wanted one is a photo of MAX_FILE_MB."""

CONNECT_SECONDS = 10.0


class AiohttpRequest(BaseRequest):
    """Sends Bot API requests over one aiohttp session.

    Args:
        connections: At a time; further requests wait their turn, first come first served.
        seconds: For one whole request, waiting for a connection not included; uploads get more.
        max_answer: Bytes of the largest answer that is read.
    """

    def __init__(self, *, connections: int, seconds: float = 20.0, max_answer: int = MAX_ANSWER) -> None:
        self._connections = connections
        self._seconds = seconds
        self._max_answer = max_answer
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds; what python-telegram-bot adds a long poll's timeout to."""
        return self._seconds

    async def initialize(self) -> None:
        """Open the session, in the running loop."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
            # No cookies, no environment proxies, no netrc: requests go where the settings say and carry nothing else.
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=True
            )

    async def shutdown(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = DEFAULT_NONE,
        write_timeout: Any = DEFAULT_NONE,
        connect_timeout: Any = DEFAULT_NONE,
        pool_timeout: Any = DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One request; the address holds the bot's token, so errors repeat no address."""
        assert self._session is not None, "initialize() first"
        read = self._seconds if read_timeout is DEFAULT_NONE or read_timeout is None else float(read_timeout)
        has_files = request_data is not None and request_data.contains_files
        timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=CONNECT_SECONDS, sock_read=read * (3 if has_files else 1)
        )
        try:
            # PTB puts the long poll's own timeout into read_timeout; the margin is for the network.
            async with (
                asyncio.timeout(read * (6 if has_files else 1) + CONNECT_SECONDS),
                self._session.request(
                    method, url, data=_body(request_data), timeout=timeout, allow_redirects=False
                ) as answer,
            ):
                if answer.status >= 500:
                    # A proxy's page is no JSON: python-telegram-bot would log its attempt to read it, at length.
                    raise NetworkError(f"HTTP {answer.status}")
                return answer.status, await self._read(answer)
        except TimeoutError as error:
            raise TimedOut("no answer in time") from error
        except aiohttp.InvalidURL:
            raise NetworkError("the Bot API's address is not one") from None
        except aiohttp.ClientError as error:
            raise NetworkError(type(error).__name__) from None

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks, size = [], 0
        async for chunk in answer.content.iter_chunked(2**18):
            size += len(chunk)
            if size > self._max_answer:
                raise NetworkError("the answer is too large")
            chunks.append(chunk)
        return b"".join(chunks)


def _body(request_data: RequestData | None) -> Any:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    form = aiohttp.FormData(quote_fields=False)  # Telegram takes a file's name as it stands
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in (request_data.multipart_data or {}).items():
        # As a stream: aiohttp sends it piece by piece, where one large bytes object would hold up the loop.
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=filename, content_type=mime)
    return form
