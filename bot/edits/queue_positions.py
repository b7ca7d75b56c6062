"""Keeps the places in line true that status messages show: each at most every three seconds, the first ones first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.edits.announcer import Announcer
from bot.edits.model import Edit, State
from bot.edits.ports import Courier
from bot.edits.progress import PROGRESS_SECONDS
from bot.edits.records.store import Store

AT_A_TIME = 10
"""Status messages that are edited in one round: they share Telegram's 30 messages a second with the answers."""


class QueuePositions:
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
        waiting = {
            edit_id: (position, chat)
            for position, (edit_id, chat, state) in enumerate(await self._store.line())
            if state is State.QUEUED
        }
        shown = self._announcer.shown
        for gone in shown.keys() - waiting.keys():
            del shown[gone]
        due: dict[int, str] = {}
        for edit_id, (position, chat) in waiting.items():
            last = shown.get(edit_id)
            if last is None or (last.position != position and last.at <= time.monotonic() - PROGRESS_SECONDS):
                due.setdefault(chat, edit_id)  # one in a chat: there only one message a second may be sent
        for chat in list(due)[:AT_A_TIME]:
            edit = await self._store.get(due[chat])
            if edit is not None and edit.state is State.QUEUED and edit.status_message is not None:
                await self._say(edit, waiting[edit.id][0])

    async def _say(self, edit: Edit, position: int) -> None:
        self._announcer.note_shown(edit, position)
        await self._courier.show_progress(edit, stage=None, position=position)
