"""Updates the queue positions in status messages: each at most every three seconds, the first in the queue first."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bot.edits.model import Edit, State
from bot.edits.ports import Courier
from bot.edits.records.queue_places import PendingEdit, QueuePlace, place_behind
from bot.edits.records.store import Store
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.progress import PROGRESS_SECONDS

MAX_UPDATES = 10
"""Status messages to edit in one update: they share Telegram's limit of 30 messages a second with the results
(docs/telegram.md#flood-limits)."""


class QueuePositions:
    """Shows in status messages how many edits are ahead.

    Args:
        store: The store.
        courier: Edits status messages.
        announcer: Knows the positions that are shown.
    """

    def __init__(self, store: Store, courier: Courier, announcer: Announcer) -> None:
        self._store = store
        self._courier = courier
        self._announcer = announcer

    async def show(self, edit: Edit) -> None:
        """Show in an edit's status message that it waits, and how many are ahead."""
        current = await self._store.get(edit.id)
        if current is not None and current.state in (State.QUEUED, State.WAITING_FOR_MASK):
            await self._show(current, await self._store.place(current))

    async def update(self) -> None:
        """Update the status messages whose position changed, at most `MAX_UPDATES`, one in each chat."""
        await self._announcer.estimates.refresh()
        pending = await self._store.pending_in_order()
        waiting = {
            # One that runs shows its stage instead.
            edit.id: (position, edit)
            for position, edit in enumerate(pending)
            if edit.has_message and edit.state is State.QUEUED
        }
        shown = self._announcer.shown_positions
        for edit_id in shown.keys() - waiting.keys():
            del shown[edit_id]
        due: dict[int, str] = {}
        for edit_id, (position, waits) in waiting.items():
            last = shown.get(edit_id)
            if last is None or (last.position != position and last.shown_at <= time.monotonic() - PROGRESS_SECONDS):
                due.setdefault(waits.chat, edit_id)  # one in each chat: Telegram allows one message a second there
        for chat in list(due)[:MAX_UPDATES]:
            edit = await self._store.get(due[chat])
            if edit is not None and edit.state is State.QUEUED and edit.status_message is not None:
                await self._show(edit, _place(edit.person, pending[: waiting[edit.id][0]]))

    async def _show(self, edit: Edit, place: QueuePlace) -> None:
        self._announcer.record_position(edit, place.ahead)
        seconds = self._announcer.estimates.until_answer(edit, place)
        album = await self._store.album_order.place(edit)
        await self._courier.show_progress(edit, stage=None, position=place.ahead, seconds=seconds, album=album)


def _place(person: int, ahead: Sequence[PendingEdit]) -> QueuePlace:
    return place_behind(person, [(edit.person, edit.state is State.RUNNING, 1) for edit in ahead])
