"""A log of everything that happens in the playground: the page streams it, tests wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

MAX_EVENTS = 4096
"""Events that are stored; a page that has missed more loads the whole chat again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        number: Rises by one.
        chat: Id of the chat.
        kind: ``message``, ``deleted``, ``action``, ``answer``, ``commands``, ``reaction``,
            ``cleared``.
        data: JSON-ready.
    """

    number: int
    chat: int
    kind: str
    data: dict[str, Any]


class EventLog:
    """The last events; readers can wait for the next one."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._watchers: set[asyncio.Event] = set()
        self.last = 0

    def add(self, chat: int, kind: str, data: dict[str, Any]) -> None:
        """Add an event and wake everyone who waits."""
        self.last += 1
        self._events.append(Event(self.last, chat, kind, data))
        self.wake()

    def wake(self) -> None:
        """Let `wait_until` check its condition again."""
        for watcher in self._watchers:
            watcher.set()

    def after(self, number: int) -> list[Event]:
        """The events after this number."""
        return [event for event in self._events if event.number > number]

    async def follow(self, after: int) -> AsyncIterator[Event]:
        """The events after this number, as they happen; never ends."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            while True:
                watcher.clear()
                for event in self.after(after):
                    after = event.number
                    yield event
                await watcher.wait()
        finally:
            self._watchers.discard(watcher)

    async def wait_until(self, condition: Callable[[], object], *, seconds: float = 30.0) -> None:
        """Wait until a condition holds; it is checked after every event and every Bot API call.

        Raises:
            TimeoutError: It did not hold within `seconds`.
        """
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    watcher.clear()
                    await watcher.wait()
        finally:
            self._watchers.discard(watcher)
