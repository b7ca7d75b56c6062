"""What has happened, in order, for whoever watches: the page's event stream, and tests that wait for something."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

KEPT = 4096
"""Events; who comes later than that begins anew with the whole chat."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        number: Rises by one.
        chat: Where.
        kind: ``message``, ``deleted``, ``action``, ``answer``, ``commands``, ``cleared``.
        data: JSON-ready.
    """

    number: int
    chat: int
    kind: str
    data: dict[str, Any]


class Journal:
    """The last events, and a way to wait for the next."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._watchers: set[asyncio.Event] = set()
        self.last = 0

    def note(self, chat: int, kind: str, data: dict[str, Any]) -> None:
        """Something happened."""
        self.last += 1
        self._events.append(Event(self.last, chat, kind, data))
        self.stir()

    def stir(self) -> None:
        """Let those who wait look again."""
        for watcher in self._watchers:
            watcher.set()

    def since(self, number: int) -> list[Event]:
        """The events after that one."""
        return [event for event in self._events if event.number > number]

    async def follow(self, after: int) -> AsyncIterator[Event]:
        """The events after that one, as they happen; never ends by itself."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            while True:
                watcher.clear()
                for event in self.since(after):
                    after = event.number
                    yield event
                await watcher.wait()
        finally:
            self._watchers.discard(watcher)

    async def until(self, holds: Callable[[], object], *, seconds: float = 30.0) -> None:
        """Wait until something holds; looked at whenever something happens.

        Raises:
            TimeoutError: It did not come to hold in time.
        """
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    watcher.clear()
                    await watcher.wait()
        finally:
            self._watchers.discard(watcher)
