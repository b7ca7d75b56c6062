"""Listens on the network: the page with its API and webhook, and the metrics on a separate port."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator

from aiohttp import web

from bot.errors import OperatorError
from bot.operator_text import OperatorText
from bot.settings import Settings
from webapp.connections import (
    BACKLOG,
    FEWEST_CONNECTIONS,
    MAX_CONNECTIONS,
    RESERVED_FILES,
    BoundedRunner,
    raise_file_limit,
)
from webapp.health import Health
from webapp.limits import TrustedProxies


@contextlib.asynccontextmanager
async def serve(settings: Settings, site: web.Application) -> AsyncIterator[None]:
    """Serve the page, its API and the webhook on HOST:PORT.

    Raises:
        OperatorError: The address cannot be used.
    """
    most = max(FEWEST_CONNECTIONS, min(MAX_CONNECTIONS, raise_file_limit() - RESERVED_FILES))
    runner = BoundedRunner(site, most=most, proxies=TrustedProxies(settings.trusted_proxies))
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG).start()
        except (OSError, UnicodeError) as error:
            raise _cannot_listen(settings.host, settings.port, "PORT", error) from None
        yield
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def serve_metrics(settings: Settings, health: Health) -> AsyncIterator[None]:
    """Serve /metrics, /healthz and /readyz on HOST:METRICS_PORT, if that is set.

    Raises:
        OperatorError: The address cannot be used.
    """
    port = settings.metrics_port
    if port is None:
        yield
        return
    site = web.Application()
    health.add_to(site)
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, port).start()
        except (OSError, UnicodeError) as error:
            raise _cannot_listen(settings.host, port, "METRICS_PORT", error) from None
        yield
    finally:
        await runner.cleanup()


def _cannot_listen(host: str, port: int, port_setting: str, error: OSError | UnicodeError) -> OperatorError:
    # From Python 3.13 on, asyncio's error about an address of another machine has no number.
    is_host = isinstance(error, UnicodeError | socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, None)
    # aiohttp's own text repeats the address; the error number says it shorter.
    is_named = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno
    if isinstance(error, OSError) and is_named:
        reason = OperatorText(os.strerror(error.errno or 0))
    else:
        reason = OperatorText("no such address here")
    if is_host:
        advice = OperatorText("try HOST=127.0.0.1, or HOST=0.0.0.0 for all networks")
    else:
        example = f"{port_setting}={min(65535, port + 1)}"
        advice = OperatorText("stop what listens there, or try {example}", example=example)
    text = OperatorText(
        "{setting}: cannot listen on {host}:{port} ({reason}); {advice}",
        setting="HOST" if is_host else port_setting,
        host=host,
        port=port,
        reason=reason,
        advice=advice,
    )
    return OperatorError("wrong-setting", text=text)
