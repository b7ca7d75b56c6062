"""The progress of an edit: stored for the Mini App, and shown in the status message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import structlog

from bot.edits.model import Edit, Stage, State
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.workflow.estimates import Estimates
from bot.errors import BotError

log = structlog.get_logger()

PROGRESS_SECONDS = 3.0
"""Seconds between edits of one status message: Telegram counts edits as messages (docs/telegram.md#flood-limits)."""


class Progress:
    """Stores each stage, and shows it in the status message at most every three seconds, with the time that is left.

    Both happen in tasks of their own, so the edit waits for neither.
    """

    def __init__(self, store: Store, courier: Courier, estimates: Estimates, edit: Edit) -> None:
        self._store = store
        self._courier = courier
        self._estimates = estimates
        self._edit = edit
        self._began = time.monotonic()
        self._stage: Stage | None = None
        self._position = 0
        self._changed = asyncio.Event()
        self._ended = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Callable[[Stage], Awaitable[None]]:
        """Start; returns the callback to call with each stage."""
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._show())]
        _current.set(self)
        return self._set_stage

    async def __aexit__(self, *_exc: object) -> None:
        """End. Waits for the last write, so that none comes after what the next step writes."""
        writing, showing = self._tasks
        self._ended = True
        self._changed.set()
        showing.cancel()
        await asyncio.gather(writing, showing, return_exceptions=True)

    async def _set_stage(self, stage: Stage) -> None:
        self._stage, self._position = stage, 0
        self._changed.set()

    def set_position(self, position: int) -> None:
        """Set how many edits wait for the engine ahead of this one."""
        self._position = position

    async def _write(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._ended:
                return
            await self._store.change(self._edit.id, only=(State.RUNNING,), stage=self._stage)

    async def _show(self) -> None:
        shown: tuple[Stage | None, int] = (None, 0)
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            if (self._stage, self._position) != shown:
                shown = stage, position = self._stage, self._position
                try:
                    await self._estimates.refresh()
                    edit = await self._store.get(self._edit.id)
                    if edit is not None and edit.state is State.RUNNING:
                        left = self._estimates.seconds_left(self._edit, time.monotonic() - self._began)
                        shown_stage = None if position > 0 else stage
                        album = await self._store.album_order.place(edit)
                        await self._courier.show_progress(
                            edit, stage=shown_stage, position=position, seconds=left, album=album
                        )
                except BotError as error:
                    log.info("progress_not_shown", edit=self._edit.id, reason=str(error))


_current: ContextVar[Progress | None] = ContextVar("progress", default=None)
"""The progress of the edit that the current task works on."""


async def report_queue_position(position: int) -> None:
    """Set how many calls are ahead of the current edit in its engine's queue (0: it is next)."""
    progress = _current.get()
    if progress is not None:
        progress.set_position(position)
