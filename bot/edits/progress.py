"""How far an edit is: noted in the store for whoever watches, and shown in its status message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import structlog

from bot.edits.model import Edit, Stage, State
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.errors import BotError

log = structlog.get_logger()

PROGRESS_SECONDS = 3.0
"""A status message is edited at most this often: Telegram counts edits as messages (facts/telegram.md, flood)."""


class Progress:
    """Notes each stage in the store, and shows it in the status message at most every three seconds.

    Both happen beside the edit: it waits for neither.
    """

    def __init__(self, store: Store, courier: Courier, edit: Edit) -> None:
        self._store = store
        self._courier = courier
        self._edit = edit
        self._stage: Stage | None = None
        self._position = 0
        self._news = asyncio.Event()
        self._over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Callable[[Stage], Awaitable[None]]:
        """Begin; returns what is to be told each stage."""
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._show())]
        _current.set(self)
        return self._note

    async def __aexit__(self, *_exc: object) -> None:
        """End: nothing is written any more that might come after what the next step writes."""
        writing, showing = self._tasks
        self._over = True
        self._news.set()
        showing.cancel()
        await asyncio.gather(writing, showing, return_exceptions=True)

    async def _note(self, stage: Stage) -> None:
        self._stage, self._position = stage, 0
        self._news.set()

    def wait_at(self, position: int) -> None:
        """So many others wait for the engine before this edit."""
        self._position = position

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if self._over:
                return
            await self._store.change(self._edit.id, only=(State.RUNNING,), stage=self._stage)

    async def _show(self) -> None:
        shown: tuple[Stage | None, int] = (None, 0)
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            if (self._stage, self._position) != shown:
                shown = stage, position = self._stage, self._position
                try:
                    edit = await self._store.get(self._edit.id)
                    if edit is not None and edit.state is State.RUNNING:
                        waits = position > 0
                        await self._courier.show_progress(edit, stage=None if waits else stage, position=position)
                except BotError as error:
                    log.info("progress_not_shown", edit=self._edit.id, reason=str(error))


_current: ContextVar[Progress | None] = ContextVar("progress", default=None)
"""The progress of the edit that the running code works for."""


async def report_queue_position(position: int) -> None:
    """An engine's queue tells the edit that waits in it how many are before it (0: it is next)."""
    progress = _current.get()
    if progress is not None:
        progress.wait_at(position)
