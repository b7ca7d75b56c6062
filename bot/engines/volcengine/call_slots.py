"""Limits the number of cloud calls that run at once: the port, and the implementation for a single process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

OnPosition = Callable[[int], Awaitable[None]]
"""Called with the number of waiters in front (0 = next) each time it changes. Runs in the waiter's own task."""


class CallSlots(Protocol):
    """Hands out a limited number of call slots across all processes, first come, first served."""

    def slot(self, on_position: OnPosition | None = None) -> AbstractAsyncContextManager[None]:
        """Wait for a slot and hold it.

        Args:
            on_position: Called with the position in the queue while waiting; not called if a slot is free.

        Returns:
            A context manager. The slot is held inside it and is freed however the block is left; cancelling the wait
            leaves the queue.
        """
        ...


class LocalCallSlots:
    """Call slots of one process; strictly first in, first out.

    Args:
        limit: Number of slots, ≥ 1.

    Raises:
        ValueError: The limit is smaller than 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"at least one call slot is needed, not {limit}")
        self._free = limit
        self._queue: deque[_Waiter] = deque()

    @asynccontextmanager
    async def slot(self, on_position: OnPosition | None = None) -> AsyncIterator[None]:
        """As `CallSlots.slot`."""
        await self._acquire(on_position)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, on_position: OnPosition | None) -> None:
        if self._free and not self._queue:
            self._free -= 1
            return
        waiter = _Waiter()
        self._queue.append(waiter)
        try:
            reported: int | None = None
            while not waiter.admitted:
                waiter.changed.clear()
                position = self._queue.index(waiter)
                if on_position is not None and position != reported:
                    reported = position
                    await on_position(position)
                    continue  # the queue may have moved during the callback
                await waiter.changed.wait()
        except BaseException:
            if waiter.admitted:
                self._release()
            else:
                self._queue.remove(waiter)
                self._wake_waiters()
            raise

    def _release(self) -> None:
        self._free += 1
        self._wake_waiters()

    def _wake_waiters(self) -> None:
        """Admit as many waiters as there are free slots, and wake the others so that they report their new position."""
        while self._free and self._queue:
            self._free -= 1
            first = self._queue.popleft()
            first.admitted = True
            first.changed.set()
        for waiter in self._queue:
            waiter.changed.set()


class _Waiter:
    """A task that waits for a slot."""

    __slots__ = ("admitted", "changed")

    def __init__(self) -> None:
        self.admitted = False
        self.changed = asyncio.Event()
