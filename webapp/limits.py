"""How much one person, and one address, may ask for: token buckets in bounded memory.

Libraries were looked at (aiolimiter, pyrate-limiter, limits): they make callers wait, keep a key for ever, or bring a
storage with them; what is needed here is these few lines.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from aiohttp import web

MAX_KEYS = 20_000
"""Callers remembered at a time; the one that was quiet for longest is forgotten first, its bucket is full anyway."""


class Buckets:
    """A bucket of tokens for each caller: full at first, refilled steadily, one token a request.

    Args:
        rate: Tokens that come back in a second.
        burst: Tokens that a bucket holds.
        max_keys: Callers remembered at a time.
        clock: Seconds, never going back.
    """

    def __init__(
        self, rate: float, burst: float, *, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._max_keys = max_keys
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> float:
        """Take a token; 0.0 where there was one, else the seconds until there is (then nothing is taken)."""
        now = self._clock()
        level, since = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        allowed = level >= 1.0
        self._levels[key] = (level - 1.0 if allowed else level, now)
        if len(self._levels) > self._max_keys:
            self._levels.popitem(last=False)
        return 0.0 if allowed else (1.0 - level) / self._rate

    def __len__(self) -> int:
        return len(self._levels)


def address(request: web.Request) -> str:
    """Whose address a request comes from: one for each IPv4 address, one for each IPv6 /64 (a household has that many).

    Behind a proxy on this machine or in its private network it is the last address in X-Forwarded-For: the one that the
    proxy itself has seen. A header from anybody else is not believed.
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
