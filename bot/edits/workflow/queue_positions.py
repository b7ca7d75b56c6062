"""Updates the queue positions in status messages: each at most every three seconds, the first in the queue first."""

from __future__ import annotations

import time

from bot.edits.model import Edit, State
from bot.edits.ports import Courier
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
            await self._show(current, await self._store.position(current))

    async def update(self) -> None:
        """Update the status messages whose position changed, at most `MAX_UPDATES`, one in each chat."""
        waiting = {
            edit_id: (position, chat)
            for position, (edit_id, chat, shows) in enumerate(await self._store.pending_in_order())
            if shows
        }
        shown = self._announcer.shown_positions
        for edit_id in shown.keys() - waiting.keys():
            del shown[edit_id]
        due: dict[int, str] = {}
        for edit_id, (position, chat) in waiting.items():
            last = shown.get(edit_id)
            if last is None or (last.position != position and last.shown_at <= time.monotonic() - PROGRESS_SECONDS):
                due.setdefault(chat, edit_id)  # one in each chat: Telegram allows one message a second there
        for chat in list(due)[:MAX_UPDATES]:
            edit = await self._store.get(due[chat])
            if edit is not None and edit.state is State.QUEUED and edit.status_message is not None:
                await self._show(edit, waiting[edit.id][0])

    async def _show(self, edit: Edit, position: int) -> None:
        self._announcer.record_position(edit, position)
        await self._courier.show_progress(edit, stage=None, position=position)
