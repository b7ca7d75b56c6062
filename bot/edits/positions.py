"""Keeps the places in line true that status messages show: each at most every three seconds, the first ones first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.edits.announcer import Announcer
from bot.edits.model import Edit, State
from bot.edits.ports import Courier
from bot.edits.progress import PROGRESS_SECONDS
from bot.edits.store import Store

AT_A_TIME = 10
"""Status messages that are edited in one round: they share Telegram's 30 messages a second with the answers."""


class Positions:
    """Shows how many are before those who wait.

    Args:
        store: Who waits.
        courier: Who carries words.
        announcer: Knows what was shown at first.
    """

    def __init__(self, store: Store, courier: Courier, announcer: Announcer) -> None:
        self._store = store
        self._courier = courier
        self._announcer = announcer
        self._shown_at: dict[str, float] = {}

    async def show(self, edit: Edit) -> None:
        """Say in an edit's status message that it waits, and behind how many."""
        current = await self._store.get(edit.id)
        if current is not None and current.state in (State.QUEUED, State.WAITING_FOR_MASK):
            await self._say(current, await self._store.position(current))

    async def keep_true(self, careful: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> None:
        """Go on until cancelled.

        Args:
            careful: Runs one round so that its failure does not end the others.
        """
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            await careful(self._round)

    async def _round(self) -> None:
        line = await self._store.line()
        waiting = {edit_id: position for position, (edit_id, state) in enumerate(line) if state is State.QUEUED}
        shown, now = self._announcer.positions, asyncio.get_running_loop().time()
        for known in (shown, self._shown_at):
            for gone in known.keys() - waiting.keys():
                del known[gone]
        due = [
            (edit_id, position)
            for edit_id, position in waiting.items()
            if position != shown.get(edit_id) and self._shown_at.get(edit_id, 0.0) <= now - PROGRESS_SECONDS
        ]
        for edit_id, position in due[:AT_A_TIME]:
            edit = await self._store.get(edit_id)
            if edit is not None and edit.state is State.QUEUED and edit.status_message is not None:
                await self._say(edit, position)

    async def _say(self, edit: Edit, position: int) -> None:
        self._announcer.positions[edit.id] = position
        self._shown_at[edit.id] = asyncio.get_running_loop().time()
        await self._courier.show_progress(edit, stage=None, position=position)
