"""Sends python-telegram-bot's requests through aiohttp: about eight times the throughput of its default under load.

Measured in docs/telegram.md#transport.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import aiohttp
from prometheus_client import Counter
from telegram._utils.defaultvalue import DEFAULT_NONE
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.bounded_reading import BodyTooLargeError, read_bounded
from bot.outbound_proxy import CONNECTION_ERRORS, session_options

MAX_ANSWER_BYTES = 64 * 2**20
"""A larger answer is not read to its end. The largest one that is needed is a photo of MAX_FILE_MB."""

CONNECT_SECONDS = 10.0


CALLS = Counter(
    "bot_telegram_calls_total",
    "Requests to the Bot API, by method (file: a download) and outcome (a status, timeout, connection, too_large).",
    ["method", "outcome"],
)


class NotBotApiError(NetworkError):
    """The answer is not the Bot API's: a proxy's page, or another server. Its status says nothing about the token."""


FILE_PATH = "/file/bot"
"""Part of the address of each file, and of no method."""


class FileAddressError(TelegramError):
    """A file's address was refused. It has expired, or the file is not available now; the token is not the reason."""


class AiohttpRequest(BaseRequest):
    """Sends Bot API requests through one aiohttp session.

    Args:
        connections: Maximum number at a time; further requests wait in the order they came.
        seconds: Time limit for one whole request, without the wait for a connection; uploads get more.
        proxy: As `session_options` takes it.
    """

    def __init__(self, *, connections: int, seconds: float = 20.0, proxy: str | None = None) -> None:
        self._proxy = proxy
        self._connections = connections
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds; python-telegram-bot adds a long poll's timeout to it."""
        return self._seconds

    async def initialize(self) -> None:
        """Open the session, in the running loop."""
        if self._session is None or self._session.closed:
            # No cookies, proxies of the environment or netrc: requests go where the settings say and carry no extras.
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=True,
                **session_options(self._proxy, limit=self._connections, keepalive_timeout=60),
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
        """Make one request; returns the status and the body. Errors never repeat the address: it holds the token."""
        assert self._session is not None, "initialize() first"
        called = "file" if FILE_PATH in url else url.rpartition("/")[2]
        read = self._seconds if read_timeout is DEFAULT_NONE or read_timeout is None else float(read_timeout)
        has_files = request_data is not None and request_data.contains_files
        timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=CONNECT_SECONDS, sock_read=read * (3 if has_files else 1)
        )
        try:
            # read_timeout includes a long poll's own timeout; CONNECT_SECONDS on top is for the network.
            async with (
                asyncio.timeout(read * (6 if has_files else 1) + CONNECT_SECONDS),
                self._session.request(
                    method, url, data=_body(request_data), timeout=timeout, allow_redirects=False
                ) as answer,
            ):
                body = await read_bounded(answer.content.iter_chunked(2**18), MAX_ANSWER_BYTES)
                CALLS.labels(called, str(answer.status)).inc()
                _check_answer(url, method, answer.status, body)
                return answer.status, body
        except BodyTooLargeError:
            CALLS.labels(called, "too_large").inc()
            raise NetworkError("the answer is too large") from None
        except TimeoutError as error:
            CALLS.labels(called, "timeout").inc()
            raise TimedOut("no answer in time") from error
        except aiohttp.InvalidURL:
            CALLS.labels(called, "connection").inc()
            raise NetworkError("the Bot API's address is not valid") from None
        except CONNECTION_ERRORS as error:
            CALLS.labels(called, "connection").inc()
            raise NetworkError(type(error).__name__) from None


class UpdatesRequest(AiohttpRequest):
    """Requests updates, and drops those that need no handling.

    Args:
        select: Returns the updates to handle; the last one must be among them.
        seconds: As for `AiohttpRequest`.
        proxy: As for `AiohttpRequest`.
    """

    def __init__(self, select: Callable[[list[Any]], list[Any]], *, seconds: float, proxy: str | None) -> None:
        super().__init__(connections=1, seconds=seconds, proxy=proxy)
        self._select = select

    # It is static in the library, which calls it on the instance.
    def parse_json_payload(self, payload: bytes) -> dict[str, Any]:  # type: ignore[override]
        """See `BaseRequest.parse_json_payload`; it runs before the library makes objects of the updates."""
        answer = super().parse_json_payload(payload)
        updates = answer.get("result")
        return answer | {"result": self._select(updates)} if isinstance(updates, list) else answer


def _check_answer(url: str, method: str, status: int, body: bytes) -> None:
    """Raise an error for an answer that python-telegram-bot would take for another one.

    It reads every 404 as a wrong token and every 403 as "blocked", also that of a file or of a proxy's error page.
    """
    if status >= 500:
        raise NetworkError(f"HTTP {status}")
    if method == "POST" and not _is_bot_api_answer(body):  # files come by GET
        raise NotBotApiError(f"HTTP {status}, and not the Bot API's JSON")
    if status < 400:
        return
    if not body.lstrip().startswith(b"{"):  # Telegram's own refusals are JSON
        raise NetworkError(f"HTTP {status}")
    if FILE_PATH in url and status != 429:
        raise FileAddressError(f"HTTP {status} for the address of a file")


def _is_bot_api_answer(body: bytes) -> bool:
    """Whether a method's answer is an object with `ok`, which Telegram writes first."""
    return body.lstrip()[:1] == b"{" and b'"ok"' in body[:200] + body[-200:]


def _body(request_data: RequestData | None) -> Any:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    form = aiohttp.FormData(quote_fields=False)  # Telegram takes a file's name as it stands
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in (request_data.multipart_data or {}).items():
        # A stream: aiohttp sends it piece by piece, while one large bytes object would block the event loop.
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=filename, content_type=mime)
    return form
