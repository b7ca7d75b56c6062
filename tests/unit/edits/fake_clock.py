"""A clock that a test moves."""

from __future__ import annotations


class Clock:
    """Seconds since the epoch.

    Attributes:
        now: What it says.
    """

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
