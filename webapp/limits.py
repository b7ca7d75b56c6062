"""How many requests one person and one address may make: a token bucket for each, in bounded memory.

The libraries aiolimiter, pyrate-limiter and limits do not fit: they make callers wait, keep a key for ever, or need a
storage.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from http import HTTPStatus
from typing import TypeAlias

import structlog
from aiohttp import web

from bot.token_bucket import TokenBucket
from webapp.errors import RefusedError

log = structlog.get_logger()

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

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


class TrustedProxies:
    """The reverse proxies that the operator names: only their X-Forwarded-For is believed.

    Args:
        networks: Addresses and networks; empty: no header is believed.
    """

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)
        self._has_warned = False

    def trusts(self, address: str) -> bool:
        """Whether an address is one of the proxies."""
        ip = _ip(address)
        return ip is not None and any(ip in network for network in self._networks)

    def may_be_proxy(self, address: str) -> bool:
        """Whether an address is a trusted proxy, or of this machine or its network: one that was not named, perhaps."""
        ip = _ip(address)
        return self.trusts(address) or (ip is not None and (ip.is_loopback or ip.is_private))

    def client_address(self, request: web.Request) -> str:
        """The address that a request is counted under: an IPv4 address, or an IPv6 /64 (what one household has).

        Behind trusted proxies it is the last address in X-Forwarded-For that is not a trusted proxy itself: the one
        that the outermost of them has seen.
        """
        peer = _ip(request.remote or "")
        if peer is None:
            return "?"
        forwarded = [part for line in request.headers.getall("X-Forwarded-For", []) for part in line.split(",")]
        if forwarded and not self.trusts(str(peer)):
            self._warn(peer)
        while forwarded and self.trusts(str(peer)):
            before = _ip(forwarded.pop())
            if before is None:
                break
            peer = before
        if isinstance(peer, ipaddress.IPv6Address):
            return str(ipaddress.IPv6Network((peer, 64), strict=False))
        return str(peer)

    def _warn(self, peer: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        """Once: a peer of this machine or its network is probably a proxy that the operator forgot to name."""
        if (peer.is_loopback or peer.is_private) and not self._has_warned:
            self._has_warned = True
            advice = f"set TRUSTED_PROXIES={peer} if that is your reverse proxy"
            log.warning("forwarded_address_ignored", peer=str(peer), advice=advice)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
