"""Compares this machine's clock with Telegram's.

The Mini App checks how old Telegram's signed data is, so a clock that is far off locks people out
(docs/telegram.md#init-data).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import aiohttp

from bot.outbound_proxy import session_options

TOLERANCE = 60.0
"""Seconds that may lie between the two clocks; the header has whole seconds, and the answer takes a while."""

TIMEOUT = aiohttp.ClientTimeout(total=10)


async def seconds_ahead(
    api_url: str, clock: Callable[[], float] = time.time, *, proxy: str | None = None
) -> float | None:
    """How far this machine's clock is ahead of the Bot API server's.

    Args:
        api_url: Address of the Bot API server.
        clock: Seconds since 1970, UTC.
        proxy: As `session_options` takes it.

    Returns:
        Seconds, negative if this machine's clock is behind; None if the answer has no readable Date header.

    Raises:
        aiohttp.ClientError: The server cannot be reached; likewise the other `CONNECTION_ERRORS`.
        TimeoutError: It does not answer in time.
    """
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT, **session_options(proxy)) as session,
        session.get(api_url, allow_redirects=False) as answer,
    ):
        here = clock()
        try:
            return here - parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except ValueError:
            return None
