"""The port of this package: a pool that runs pixel functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Pool(Protocol):
    """Runs plain functions outside the event loop, as `bot.imaging.pool.PixelPool` does."""

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call a module-level function with picklable arguments. Its exceptions are raised unchanged."""
        ...
