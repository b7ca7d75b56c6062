"""Shows stored results in their messages again, by the reference that Telegram gave for each picture.

This needs no calculation and no queue. A person may press faster than Telegram's flood limit allows, so only the last
requested picture of each message is shown. A press that a crash interrupts is lost: the message stays as it is, and
its buttons still work.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import structlog

from bot.edits.follow_ups import photo_as_sent
from bot.edits.model import Edit
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.errors import BotError, OutageError, PersonError, WorldError

log = structlog.get_logger()

REPEAT_SECONDS = 2.0
"""Seconds in which the same press in the same message is a repeat: the client still shows the old buttons."""

RECORD_SECONDS, POLL_SECONDS = 5.0, 0.05
"""Seconds to wait until a delivered result is recorded, and between looks; a worker on another machine records it."""

MAX_MESSAGES = 2_000
"""Messages that wait to be changed; presses in further ones do nothing."""

MAX_REMEMBERED = 5_000
"""Messages whose last view is remembered."""

Place: TypeAlias = tuple[int, int]
"""A chat and a message in it."""


@dataclass(frozen=True, slots=True)
class View:
    """What a press asks for.

    Attributes:
        pressed: Id of the edit whose button was pressed.
        edit: Id of the edit to show.
        is_original: Whether to show its photo as it was sent, instead of its result.
    """

    pressed: str
    edit: str
    is_original: bool = False


class ShownResults:
    """Shows stored results and the photos that they were made from.

    Args:
        store: The store.
        edits: Runs the work, and queues a result that Telegram no longer has.
        courier: Shows them.
    """

    def __init__(self, store: Store, edits: Edits, courier: Courier) -> None:
        self._store = store
        self._edits = edits
        self._courier = courier
        self._wanted: dict[Place, View] = {}
        self._being_shown: dict[Place, View] = {}
        self._shown: OrderedDict[Place, tuple[View, float]] = OrderedDict()
        """By message: what was shown last, and when (event loop time)."""

    def show(self, pressed: Edit, edit: Edit, *, original: bool = False) -> None:
        """Show an edit's result, or the photo that it was made from, in the message of the pressed edit, soon.

        If the message stayed behind in a group that has moved, the result is posted again in the new one.

        Raises:
            PersonError: ``too-old``: the message stayed behind, and the photo is to be shown.
        """
        if pressed.status_message is None:
            if original:
                raise PersonError("too-old")
            self._edits.run_in_background(partial(self._queue_again, edit.id))
            return
        place, view = (pressed.chat, pressed.status_message), View(pressed.id, edit.id, original)
        if self._being_shown.get(place) == view:
            self._wanted.pop(place, None)
            return
        last, at = self._shown.get(place, (None, 0.0))
        if last == view and place not in self._being_shown and asyncio.get_running_loop().time() - at < REPEAT_SECONDS:
            return
        can_be_skipped = place not in self._being_shown and place not in self._wanted
        if can_be_skipped and len(self._wanted) + len(self._being_shown) >= MAX_MESSAGES:
            log.info("result_not_shown", edit=edit.id, reason="too many messages")
            return
        self._wanted[place] = view
        if can_be_skipped:
            self._edits.run_in_background(partial(self._show_wanted, place))

    async def _show_wanted(self, place: Place) -> None:
        """Show the requested view of a message, until there is no newer request."""
        try:
            while (view := self._wanted.pop(place, None)) is not None:
                self._being_shown[place] = view
                try:
                    if await self._show(view, *place):
                        self._remember(place, view)
                except BotError as error:
                    log.warning("result_not_shown", edit=view.edit, reason=str(error))
        finally:
            self._wanted.pop(place, None)
            self._being_shown.pop(place, None)

    def _remember(self, place: Place, view: View) -> None:
        self._shown[place] = (view, asyncio.get_running_loop().time())
        self._shown.move_to_end(place)
        while len(self._shown) > MAX_REMEMBERED:
            self._shown.popitem(last=False)

    async def _show(self, view: View, chat: int, message: int) -> bool:
        """Show a view, unless something else is being made for the message; returns whether it is shown."""
        edit = await self._store.get(view.edit)
        if edit is None or edit.chat != chat:
            return False  # deleted in the meantime, or the group has moved
        if not await self._is_free(replace(edit, status_message=message), view.pressed):
            return False
        # The person may have deleted the message in which it was first shown: from now on it is in this one.
        edit = await self._store.change(edit.id, status_message=message)
        if edit is None:
            return False
        if view.is_original:
            await self._courier.show_original(edit, await photo_as_sent(self._store, edit))
            return True
        try:
            await self._courier.show_result(edit, await self._store.variants.tries(edit))
        except OutageError:
            raise
        except WorldError as error:
            log.warning("stored_result_refused", edit=edit.id, reason=str(error))
            await self._queue_again(edit.id)
        return True

    async def _is_free(self, edit: Edit, pressed: str) -> bool:
        """Whether nothing else is to replace what the edit's message shows; leaves a question that waits there.

        The pressed edit may be recorded as done a moment after its buttons came. That is waited for: what is recorded
        last counts as shown last.
        """
        for _ in range(round(RECORD_SECONDS / POLL_SECONDS)):
            pending, questions = await self._store.variants.unfinished_in_message(edit)
            if not pending:
                for question in questions:
                    await self._store.cancel(question.id, keep_objects=True)
                return True
            if any(other.id != pressed for other in pending):
                return False
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _queue_again(self, edit_id: str) -> None:
        again = await self._store.queueing.show_again(edit_id)
        if again is not None:
            self._edits.schedule(again)
