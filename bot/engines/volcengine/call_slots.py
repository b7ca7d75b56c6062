"""The gate that limits the calls under way: a port, and its form for a single process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

OnPosition = Callable[[int], Awaitable[None]]
"""Told how many wait in front (0 = next), whenever that changes while one waits. Runs in the waiter's own context."""


class CallSlots(Protocol):
    """Lets so many through at a time, over all processes, first come first served."""

    def slot(self, on_position: OnPosition | None = None) -> AbstractAsyncContextManager[None]:
        """Wait for a slot and hold it.

        Args:
            on_position: Told about the place in the queue while waiting; never called where nobody has to wait.

        Returns:
            A context manager; inside it the slot is held, however it is left (cancelled while waiting, too).
        """
        ...


class LocalCallSlots:
    """A gate for one process; strictly first in, first out.

    Args:
        limit: Slots, ≥ 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a gate needs at least one slot, not {limit}")
        self._free = limit
        self._queue: deque[_Waiter] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    @asynccontextmanager
    async def slot(self, on_position: OnPosition | None = None) -> AsyncIterator[None]:
        """As `CallSlots.slot`."""
        await self._enter(on_position)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, on_position: OnPosition | None) -> None:
        if self._free and not self._queue:
            self._free -= 1
            return
        waiter = _Waiter()
        self._queue.append(waiter)
        try:
            told: int | None = None
            while not waiter.admitted:
                waiter.changed.clear()
                position = self._queue.index(waiter)
                if on_position is not None and position != told:
                    told = position
                    await on_position(position)
                    continue  # things may have moved while the news was told
                await waiter.changed.wait()
        except BaseException:
            if waiter.admitted:
                self._leave()
            else:
                self._queue.remove(waiter)
                self._stir()
            raise

    def _leave(self) -> None:
        self._free += 1
        self._stir()

    def _stir(self) -> None:
        """Admit whoever is first, and let the others see their new places."""
        while self._free and self._queue:
            self._free -= 1
            first = self._queue.popleft()
            first.admitted = True
            first.changed.set()
        for waiter in self._queue:
            waiter.changed.set()


class _Waiter:
    __slots__ = ("admitted", "changed")

    def __init__(self) -> None:
        self.admitted = False
        self.changed = asyncio.Event()
