"""What the engine needs of the house: somewhere to do pixel work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Pool(Protocol):
    """Runs plain functions away from the event loop; `bot.imaging.pool.PixelPool` is one."""

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call a module-level function with picklable arguments; its exceptions come back as they are."""
        ...
