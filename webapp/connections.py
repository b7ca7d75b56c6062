"""Bounds the connections of the web server, so that many half-open ones stop neither chat nor health checks.

aiohttp closes a connection whose request head is not complete after its `keepalive_timeout`; the number of connections
it does not bound. An asyncio server that runs out of file descriptors accepts nothing, and the bot cannot open its
own connections to Telegram either.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter, OrderedDict
from collections.abc import Callable

import structlog
from aiohttp import web
from prometheus_client import Counter as Metric
from prometheus_client import Gauge

from webapp.limits import TrustedProxies

log = structlog.get_logger()

OPEN = Gauge("bot_http_connections", "Open connections to the web server.")
CLOSED = Metric("bot_http_connections_closed_total", "Connections closed because there were too many.", ["reason"])

HEAD_SECONDS = 15.0
"""Time for a request's head, and for which an idle connection is kept."""

RESERVED_FILES = 250
"""File descriptors for everything else: Telegram, the cloud, the database, the pixel processes, files."""

BACKLOG = 32
"""Connections accepted in one go, before the first of them is bounded."""

MAX_CONNECTIONS = 2000
"""Connections at a time if the file limit allows that number: each takes about 20 KB."""

FEWEST_CONNECTIONS = 20
"""Connections at a time however low the file limit is."""

MAX_PER_ADDRESS = 100
"""Connections from one address of the internet: an office or a mobile carrier shares one."""

FEW_FILES = 512
"""Below this file limit the operator is warned: pages and people share the few connections that are left."""


WANTED_FILES = RESERVED_FILES + MAX_CONNECTIONS
"""The file limit from which a higher one changes nothing."""


def possible_file_limit() -> int:
    """The limit of open files to which the system lets this process go."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        return hard
    return WANTED_FILES if soft == resource.RLIM_INFINITY else max(soft, WANTED_FILES)


def raise_file_limit() -> int:
    """Raise this process's limit of open files as far as the system allows it; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = possible_file_limit()
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit < FEW_FILES:
        log.warning("few_open_files_allowed", limit=limit, advice=f"start the bot with `ulimit -n {WANTED_FILES}`")
    return limit


class BoundedRunner(web.AppRunner):
    """An `AppRunner` whose server bounds its connections.

    Args:
        app: The application.
        most: Connections at a time.
        proxies: Addresses that may open more connections than others.
    """

    def __init__(self, app: web.Application, *, most: int, proxies: TrustedProxies) -> None:
        super().__init__(
            app, access_log=None, handle_signals=False, shutdown_timeout=2.0, keepalive_timeout=HEAD_SECONDS
        )
        self._bound = _Bound(most, proxies)

    @property
    def server(self) -> web.Server | None:
        """What a site passes to `create_server` as the factory of protocols."""
        inner = super().server
        if inner is None:
            return None
        return lambda: _Connection(inner(), self._bound)  # type: ignore[return-value]  # a site only calls it


class _Bound:
    """The open connections.

    Attributes:
        waiting: Those that have not sent a whole request head yet, oldest first.
    """

    def __init__(self, most: int, proxies: TrustedProxies) -> None:
        self._most = most
        self._proxies = proxies
        self._by_address: Counter[str] = Counter()
        self._total = 0
        self.waiting: OrderedDict[_Connection, None] = OrderedDict()

    def admit(self, connection: _Connection, address: str) -> bool:
        """Count a new connection; returns False if it is one too many."""
        if self._by_address[address] >= MAX_PER_ADDRESS and not self._proxies.may_be_proxy(address):
            CLOSED.labels("address").inc()
            return False
        if self._total >= self._most:
            if not self.waiting:
                CLOSED.labels("total").inc()
                return False
            # A half-open connection makes room: a client that is slow by accident tries again.
            oldest, _ = self.waiting.popitem(last=False)
            CLOSED.labels("half-open").inc()
            oldest.abort()
        self._total += 1
        self._by_address[address] += 1
        self.waiting[connection] = None
        OPEN.set(self._total)
        return True

    def release(self, connection: _Connection, address: str) -> None:
        """Forget a connection that was admitted."""
        self.waiting.pop(connection, None)
        self._total -= 1
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]
        OPEN.set(self._total)


class _Connection(asyncio.Protocol):
    """Passes everything to aiohttp's protocol, if the connection is admitted."""

    def __init__(self, inner: asyncio.Protocol, bound: _Bound) -> None:
        self._inner = inner
        self._bound = bound
        self._address: str | None = None
        self._transport: asyncio.BaseTransport | None = None
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else "?"
        self._transport = transport
        if not self._bound.admit(self, address):
            self.abort()
            return
        self._address = address
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._address is not None:
            self._bound.release(self, self._address)
            self._address = None
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._address is None:
            return
        if self in self._bound.waiting:
            end = self._tail + data
            if b"\r\n\r\n" in end or b"\n\n" in end:
                self._bound.waiting.pop(self, None)
            self._tail = end[-3:]
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._address is not None else None

    def pause_writing(self) -> None:
        self._if_open(self._inner.pause_writing)

    def resume_writing(self) -> None:
        self._if_open(self._inner.resume_writing)

    def _if_open(self, call: Callable[[], None]) -> None:
        if self._address is not None:
            call()

    def abort(self) -> None:
        """Close at once, without sending what waits."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()
