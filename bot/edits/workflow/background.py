"""Work outside the update that caused it: queueing edits, posting status messages, showing queue positions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from weakref import WeakValueDictionary

import structlog

from bot.edits.bare_photos import Offer
from bot.edits.model import Edit, State
from bot.edits.records.store import Store
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.progress import PROGRESS_SECONDS
from bot.edits.workflow.queue import EditQueue
from bot.edits.workflow.queue_positions import QueuePositions
from bot.errors import BotError

log = structlog.get_logger()

Work = Callable[[], Awaitable[None]]

RECOVERY_SECONDS = 10.0
"""Seconds between looks for edits whose announcing or queueing was interrupted by a crash or an outage."""


class Background:
    """Runs work in the background. A failure of one piece of work is logged and does not stop the others.

    Args:
        store: The store.
        queue: The durable queue.
        announcer: Posts status messages.
        positions: Shows queue positions in status messages.
    """

    def __init__(self, store: Store, queue: EditQueue, announcer: Announcer, positions: QueuePositions) -> None:
        self._store = store
        self._queue = queue
        self._announcer = announcer
        self._positions = positions
        self._work: asyncio.Queue[Work] = asyncio.Queue()
        self._enqueueing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def add(self, work: Work) -> None:
        """Run this soon."""
        self._work.put_nowait(work)

    def schedule(self, edit: Edit) -> None:
        """Put an edit into the queue, post its status message, or show its position there, as its state requires.

        One that waits behind another photo of its album gets its status message later.
        """
        if edit.state is State.QUEUED:
            self.add(partial(self._enqueue, edit))
        is_counted = edit.album_status is not None and edit.state is State.QUEUED
        if edit.status_message is None and not edit.state.is_final and not is_counted:
            self.add(partial(self._announce, edit))
        elif edit.state is State.WAITING_FOR_MASK or (edit.state is State.QUEUED and edit.status_message is not None):
            self.add(partial(self._positions.show, edit))

    def mark_seen(self, edit: Edit, album: str | None) -> None:
        """Show on the person's message that it was seen, once the edit has its status message.

        Args:
            edit: The edit; as it was scheduled, so that the status message comes first.
            album: Media group id of the message, if it is part of an album.
        """
        self.add(partial(self._mark_seen, edit, album))

    def schedule_question(self, offer: Offer) -> None:
        """Post the question of an offer; a silent one is counted in the question about its album."""
        post = self._announcer.count_in_question if offer.silent else self._announcer.post_question
        self.add(partial(post, offer))

    async def run(self) -> None:
        """Run the work until cancelled. Also finds what a crashed process left unannounced or not queued."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._recover_repeatedly())
            tasks.create_task(self._update_positions_repeatedly())
            while True:
                work = await self._work.get()
                tasks.create_task(self._log_failures(work))
                await asyncio.sleep(0)  # after a crash a thousand come at once: let other tasks run between them

    async def _log_failures(self, work: Work) -> None:
        try:
            await work()
        except BotError as error:
            log.warning("background_work_failed", reason=str(error))
        except Exception:  # the background's boundary
            log.exception("background_work_broke")

    async def _mark_seen(self, edit: Edit, album: str | None) -> None:
        needs_message = edit.status_message is None and edit.album_status is None
        # Telegram shows an album's reaction on its first photo, and that is not one that waits silently.
        if not needs_message or await self._announcer.announce_in_turn(edit):
            await self._announcer.mark_seen(edit, album)

    async def _announce(self, edit: Edit) -> None:
        await self._announcer.announce_in_turn(edit)

    async def _enqueue(self, edit: Edit) -> None:
        # One person's edits enter the queue in their order: the first to enter is the first to start.
        lock = self._enqueueing.setdefault(edit.person, asyncio.Lock())
        async with lock:
            await self._queue.enqueue(edit)
            await self._store.record_enqueued(edit)

    async def _update_positions_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            await self._log_failures(self._positions.update)

    async def _recover_repeatedly(self) -> None:
        await self._log_failures(self._announcer.estimates.refresh)
        while True:
            await self._log_failures(self._recover)
            await asyncio.sleep(RECOVERY_SECONDS)

    async def _recover(self) -> None:
        """Schedule edits and offers whose announcing or queueing was interrupted."""
        for edit in await self._store.not_enqueued():
            self.add(partial(self._enqueue, edit))
        expired_before = self._announcer.claims_expired_before()
        for edit in await self._store.unannounced(expired_before=expired_before):
            if not self._announcer.is_posting(edit):
                self.add(partial(self._announce, edit))
        for offer in await self._store.offers.without_question(expired_before=expired_before):
            self.schedule_question(offer)
