"""Makes single HTTP calls: signed, with timeouts and a size limit, logged and counted. Retries are in `caller`."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import structlog
from yarl import URL

from bot.bounded_reading import BodyTooLargeError, read_bounded
from bot.engines.volcengine import metrics
from bot.engines.volcengine.codes import CONNECTION, SUCCESS, TIMEOUT, TOO_LARGE, CallFailedError
from bot.engines.volcengine.config import VolcConfig
from bot.engines.volcengine.responses import ApiResponse, parse_response, redactor
from bot.engines.volcengine.signing import SignedRequest, sign
from bot.errors import BotError
from bot.outbound_proxy import CONNECTION_ERRORS, session_options

log = structlog.get_logger()

OnCall = Callable[[str, bool], Awaitable[None]]
"""Called with the ability that was called, and whether the call succeeded."""


class Transport:
    """Sends signed calls through one aiohttp session.

    Args:
        config: Keys, endpoint, limits.
        session: Created by `open_transport`.
        on_call: Called after each call that is no poll.
    """

    def __init__(self, config: VolcConfig, session: aiohttp.ClientSession, on_call: OnCall | None = None) -> None:
        self._config = config
        self._session = session
        self._on_call = on_call
        self._redact = redactor(config)

    async def call(self, action: str, req_key: str, body: bytes, *, attempt: int, quiet: bool = False) -> ApiResponse:
        """Make one call.

        Args:
            action: The API's action.
            req_key: The ability, for logs and metrics.
            body: JSON, UTF-8; sent unchanged.
            attempt: Number of the attempt, from 1; for the log.
            quiet: Whether success is logged at debug level, as for a poll.

        Raises:
            CallFailedError: The call did not succeed.
        """
        # Hashing megabytes would block the event loop.
        request = await asyncio.to_thread(sign, self._config, action, body)
        call_log = log.bind(req_key=req_key, action=action, attempt=attempt)
        start = time.perf_counter()
        with metrics.IN_FLIGHT.track_inprogress():
            try:
                response = await self._send(request)
            except CallFailedError as failure:
                seconds = time.perf_counter() - start
                metrics.SECONDS.labels(req_key).observe(seconds)
                metrics.CALLS.labels(req_key, metrics.code_label(failure.code)).inc()
                call_log.warning(
                    "volcengine_call_failed",
                    code=failure.code,
                    http=failure.http,
                    request_id=failure.request_id,
                    ms=round(seconds * 1000),
                    meaning=failure.policy.meaning,
                    text=failure.text,
                )
                await self._report(req_key, succeeded=False, is_poll=quiet)
                raise
        seconds = time.perf_counter() - start
        metrics.SECONDS.labels(req_key).observe(seconds)
        metrics.CALLS.labels(req_key, str(SUCCESS)).inc()
        log_success = call_log.debug if quiet else call_log.info
        log_success(
            "volcengine_call",
            code=SUCCESS,
            request_id=response.request_id,
            ms=round(seconds * 1000),
            cloud_took=response.elapsed,
        )
        await self._report(req_key, succeeded=True, is_poll=quiet)
        return response

    async def _report(self, req_key: str, *, succeeded: bool, is_poll: bool) -> None:
        if self._on_call is None or is_poll:
            return
        try:
            await self._on_call(req_key, succeeded)
        except BotError as error:  # the edit does not depend on the count
            log.warning("volcengine_call_not_counted", reason=str(error))

    async def _send(self, request: SignedRequest) -> ApiResponse:
        try:
            async with self._session.post(
                # encoded=True keeps yarl from normalising the query: the signature covers it as written.
                URL(request.url, encoded=True),
                data=io.BytesIO(request.body),
                headers=request.headers,
                allow_redirects=False,
            ) as response:
                body = await self._read(response)
                skew = _clock_skew(response.headers.get("Date"))
                status = response.status
        except TimeoutError:
            raise CallFailedError.without_code(TIMEOUT) from None
        except CONNECTION_ERRORS as error:
            raise CallFailedError.without_code(CONNECTION, text=type(error).__name__) from error
        # Parsing megabytes of JSON would block the event loop; a small body is not worth a thread.
        if len(body) < 100_000:
            return parse_response(status, body, self._redact, clock_skew=skew)
        return await asyncio.to_thread(parse_response, status, body, self._redact, clock_skew=skew)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read the body. Fails if it is larger than `max_answer_bytes` after decompression."""
        try:
            return await read_bounded(response.content.iter_chunked(1 << 16), self._config.max_answer_bytes)
        except BodyTooLargeError:
            response.close()
            raise CallFailedError.without_code(TOO_LARGE, http=response.status) from None


@asynccontextmanager
async def open_transport(config: VolcConfig, on_call: OnCall | None = None) -> AsyncIterator[Transport]:
    """Open a transport and close its session at the end. Certificates are verified; cookies are not kept."""
    timeout = aiohttp.ClientTimeout(
        total=config.total_timeout,
        connect=config.connect_timeout,
        sock_connect=config.connect_timeout,
        sock_read=config.read_timeout,
    )
    async with aiohttp.ClientSession(
        timeout=timeout,
        trust_env=config.trust_environment,
        **session_options(config.proxy),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "photo-cleaning-bot"},
    ) as session:
        yield Transport(config, session, on_call)


def _clock_skew(date: str | None) -> float | None:
    """Seconds by which the server's clock is ahead of this machine's, from its Date header; None if unknown."""
    if date is None:
        return None
    try:
        server_time = parsedate_to_datetime(date)
    except ValueError:
        return None
    if server_time.tzinfo is None:
        server_time = server_time.replace(tzinfo=UTC)
    return (server_time - datetime.now(UTC)).total_seconds()
