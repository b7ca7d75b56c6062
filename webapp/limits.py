"""How many requests one person and one address may make: a token bucket for each, in bounded memory.

The libraries aiolimiter, pyrate-limiter and limits do not fit: they make callers wait, keep a key for ever, or need a
storage.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from http import HTTPStatus

from aiohttp import web

from bot.token_bucket import TokenBucket
from webapp.errors import RefusedError

MAX_KEYS = 20_000
"""Callers remembered at a time; the one that made no request for longest is forgotten first."""


class RateLimiter:
    """Limits how often each caller makes requests; one request takes one token.

    Args:
        rate: Requests a second in the long run.
        burst: Requests that may follow one another at once.
        max_keys: Callers remembered at a time.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, rate: float, burst: float, *, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._max_keys = max_keys
        self._clock = clock
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def check(self, key: Hashable) -> None:
        """Count one request of a caller.

        Raises:
            RefusedError: 429, with the seconds to wait: the caller has made too many.
        """
        wait = self.try_take(key)
        if wait > 0:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, retry_after=wait)

    def try_take(self, key: Hashable) -> float:
        """Take a token of the caller's bucket; 0.0 if there was one, else the seconds until there is one."""
        bucket = self._buckets.pop(key, None) or TokenBucket(self._rate, self._burst)
        self._buckets[key] = bucket
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return bucket.try_take(self._clock())

    def __len__(self) -> int:
        return len(self._buckets)


def client_address(request: web.Request) -> str:
    """The address that a request is counted under: an IPv4 address, or an IPv6 /64 (what one household has).

    If the peer is on this machine or in a private network, it is taken for a reverse proxy, and the last address in
    X-Forwarded-For counts: the one that the proxy itself has seen. The header of any other peer is ignored.
    """
    peer = _ip(request.remote or "")
    if peer is None:
        return "?"
    forwarded = request.headers.getall("X-Forwarded-For", [])
    if forwarded and (peer.is_loopback or peer.is_private):
        peer = _ip(forwarded[-1].rpartition(",")[2]) or peer
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((peer, 64), strict=False))
    return str(peer)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
