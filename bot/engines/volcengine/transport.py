"""One call over the wire: signed, timed, limited in size, logged and counted. No repetition here."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import structlog
from yarl import URL

from bot.bounded_reading import BodyTooLargeError, read_bounded
from bot.engines.volcengine import metrics
from bot.engines.volcengine.answers import Answer, read_answer, redactor
from bot.engines.volcengine.codes import CONNECTION, SUCCESS, TIMEOUT, TOO_LARGE, CallFailedError, labelled
from bot.engines.volcengine.config import VolcConfig
from bot.engines.volcengine.signing import SignedRequest, sign

log = structlog.get_logger()


class Transport:
    """Sends signed calls through one aiohttp session.

    Args:
        config: Keys, endpoint, limits.
        session: Made by `open_transport`.
    """

    def __init__(self, config: VolcConfig, session: aiohttp.ClientSession) -> None:
        self._config = config
        self._session = session
        self._redact = redactor(config)

    async def call(self, action: str, req_key: str, body: bytes, *, attempt: int, quiet: bool = False) -> Answer:
        """Make one call.

        Args:
            action: The API's action.
            req_key: The ability, for logs and metrics.
            body: JSON, UTF-8; sent as it is.
            attempt: Which try of the same wish this is, from 1; for the log.
            quiet: A poll: its success is logged at debug level.

        Raises:
            CallFailedError: Anything but a success.
        """
        # Hashing some megabytes takes longer than the loop may stand still.
        request = await asyncio.to_thread(sign, self._config, action, body)
        bound = log.bind(req_key=req_key, action=action, attempt=attempt)
        start = time.perf_counter()
        with metrics.IN_FLIGHT.track_inprogress():
            try:
                answer = await self._send(request)
            except CallFailedError as failure:
                took = time.perf_counter() - start
                metrics.SECONDS.labels(req_key).observe(took)
                metrics.CALLS.labels(req_key, metrics.code_label(failure.code)).inc()
                bound.warning(
                    "volcengine_call_failed",
                    code=failure.code,
                    http=failure.http,
                    request_id=failure.request_id,
                    ms=round(took * 1000),
                    meaning=failure.verdict.meaning,
                    text=failure.text,
                )
                raise
        took = time.perf_counter() - start
        metrics.SECONDS.labels(req_key).observe(took)
        metrics.CALLS.labels(req_key, str(SUCCESS)).inc()
        tell = bound.debug if quiet else bound.info
        tell(
            "volcengine_call", code=SUCCESS, request_id=answer.request_id, ms=round(took * 1000), cloud_took=answer.took
        )
        return answer

    async def _send(self, request: SignedRequest) -> Answer:
        try:
            async with self._session.post(
                # Not to be normalised: the query is signed as it stands.
                URL(request.url, encoded=True),
                data=io.BytesIO(request.body),
                headers=request.headers,
                allow_redirects=False,
            ) as response:
                body = await self._read(response)
                skew = _clock_skew(response.headers.get("Date"))
                status = response.status
        except TimeoutError:
            raise labelled(TIMEOUT) from None
        except aiohttp.ClientError as error:
            raise labelled(CONNECTION, text=type(error).__name__) from error
        try:
            # Parsing megabytes of JSON belongs beside the loop; small answers are not worth a thread.
            if len(body) < 100_000:
                return read_answer(status, body, self._redact)
            return await asyncio.to_thread(read_answer, status, body, self._redact)
        except CallFailedError as failure:
            failure.clock_skew = skew
            raise

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, which is cut off where it grows beyond any picture (after decompression, too)."""
        try:
            return await read_bounded(response.content.iter_chunked(1 << 16), self._config.max_answer_bytes)
        except BodyTooLargeError:
            response.close()
            raise labelled(TOO_LARGE, http=response.status) from None


@asynccontextmanager
async def open_transport(config: VolcConfig) -> AsyncIterator[Transport]:
    """A transport whose session is closed at the end. Certificates are verified; no cookies are kept."""
    timeout = aiohttp.ClientTimeout(
        total=config.total_timeout,
        connect=config.connect_timeout,
        sock_connect=config.connect_timeout,
        sock_read=config.read_timeout,
    )
    async with aiohttp.ClientSession(
        timeout=timeout,
        trust_env=config.trust_environment,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "photo-cleaning-bot"},
    ) as session:
        yield Transport(config, session)


def _clock_skew(date: str | None) -> float | None:
    """Seconds by which the other side's clock is ahead of ours, from its Date header."""
    if date is None:
        return None
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return (theirs - datetime.now(UTC)).total_seconds()
