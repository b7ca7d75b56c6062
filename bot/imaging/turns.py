"""Who may use the pixel pool next: one job of a person at a time, and the people who wait take turns.

Everything that a person asks for passes through here: edits, the canvas with its previews and taps, the pictures of
questions.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable, Iterator
from contextvars import ContextVar

from bot.errors import PoolBusyError
from bot.imaging.pool_metrics import WAITING

MAX_WAITING_OF_PERSON = 32
"""Jobs of one person that may wait at a time. An edit has two at most, a page that is used by hand a few."""

MAX_WAITING = 1_000
"""Jobs that may wait at a time. At 0.3 s a job the last of them waits for minutes."""

_person: ContextVar[int | None] = ContextVar("person", default=None)


@contextlib.contextmanager
def on_behalf_of(person: int) -> Iterator[None]:
    """Count the pixel jobs of this block, and of the tasks that it starts, as this person's.

    Args:
        person: The person's id. Outside of any block a job has its own turn: the command line works for one person.
    """
    token = _person.set(person)
    try:
        yield
    finally:
        _person.reset(token)


class Turns:
    """Gives out a number of slots in turn.

    A person has one slot at a time, and after using it stands behind all others who wait. Jobs of one person stay in
    order.

    Args:
        slots: Jobs that run at a time.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._running: set[Hashable] = set()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return sum(map(len, self._waiting.values()))

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot, and hold it.

        Raises:
            PoolBusyError: Too many jobs wait already, of this person or of all.
        """
        person = _person.get()
        key: Hashable = object() if person is None else person
        await self._acquire(key)
        try:
            yield
        finally:
            self._release(key)

    async def _acquire(self, key: Hashable) -> None:
        if self._free and key not in self._running:  # a free slot means that no one who waits may use it
            self._start(key)
            return
        waiting = self.waiting
        if waiting >= MAX_WAITING or len(self._waiting.get(key, ())) >= MAX_WAITING_OF_PERSON:
            raise PoolBusyError("busy", waiting=waiting)
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(granted)
        try:
            with WAITING.track_inprogress():
                await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._leave(key, granted)
            else:  # cancelled in the moment between the grant and its use
                self._release(key)
            raise

    def _start(self, key: Hashable) -> None:
        self._free -= 1
        self._running.add(key)

    def _release(self, key: Hashable) -> None:
        self._free += 1
        self._running.discard(key)
        if key in self._waiting:
            self._waiting.move_to_end(key)
        self._grant()

    def _grant(self) -> None:
        """Give free slots to those who wait longest and have none."""
        while self._free:
            key = next((key for key in self._waiting if key not in self._running), None)
            if key is None:
                return
            granted = self._waiting[key][0]
            self._leave(key, granted)
            if not granted.done():  # else its task was cancelled, and has not run since
                self._start(key)
                granted.set_result(None)

    def _leave(self, key: Hashable, granted: asyncio.Future[None]) -> None:
        """Take a job out of the queue, if it is there."""
        queue = self._waiting.get(key, deque())
        with contextlib.suppress(ValueError):
            queue.remove(granted)
        if not queue:
            self._waiting.pop(key, None)
