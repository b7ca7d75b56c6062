"""A token bucket: limits how often something is done. Pure arithmetic; the caller passes the time."""

from __future__ import annotations


class TokenBucket:
    """A bucket that starts full, refills steadily and holds at most `burst` tokens.

    All times are seconds on one monotonic clock of the caller's choice.

    Args:
        rate: Tokens that come back in a second, > 0.
        burst: Tokens that the bucket holds, ≥ 1.
    """

    __slots__ = ("_burst", "_level", "_rate", "_updated")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        """Tokens in the bucket; below zero where tokens are reserved that have not come back yet."""
        self._updated = float("-inf")

    def try_take(self, now: float) -> float:
        """Take a token if there is one.

        Returns:
            0.0 if a token was taken, else the seconds until there is one; then nothing is taken.
        """
        self._refill(now)
        if self._level < 1.0:
            return (1.0 - self._level) / self._rate
        self._level -= 1.0
        return 0.0

    def reserve(self, now: float) -> float:
        """Take a token in any case, in the order of the calls; returns the seconds to wait until it is there."""
        self._refill(now)
        self._level -= 1.0
        return max(0.0, -self._level / self._rate)

    def delay(self, now: float) -> float:
        """Seconds until there is a token; none is taken."""
        self._refill(now)
        return max(0.0, (1.0 - self._level) / self._rate)

    def share(self, now: float) -> float:
        """How full the bucket is: 1 full, 0 or less empty."""
        self._refill(now)
        return self._level / self._burst

    def pause(self, now: float, seconds: float) -> None:
        """Give out no token for so long; a longer wait that is due already stays."""
        self._refill(now)
        self._level = min(self._level, 1.0 - seconds * self._rate)

    def is_full(self, now: float) -> bool:
        """Whether the bucket behaves as a new one does."""
        self._refill(now)
        return self._level >= self._burst

    def _refill(self, now: float) -> None:
        self._level = min(self._burst, self._level + (now - self._updated) * self._rate)
        self._updated = now
