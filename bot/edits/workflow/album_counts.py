"""Shows how many of an album's photos are ready, in the message that asked what to do with them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from weakref import WeakValueDictionary

import structlog

from bot.edits.model import Edit
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.workflow.estimates import Estimates
from bot.errors import BotError

log = structlog.get_logger()


class AlbumCounts:
    """Shows the counts of albums.

    Args:
        store: The store.
        courier: Edits messages.
        estimates: Estimates when the last answer comes.
    """

    def __init__(self, store: Store, courier: Courier, estimates: Estimates) -> None:
        self._store = store
        self._estimates = estimates
        self._courier = courier
        self._showing: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    async def show(self, edit: Edit) -> None:
        """Show how far the album of an edit is; nothing for an edit that is not counted.

        A failure is only logged: the answers do not depend on the count.
        """
        if edit.album_status is None:
            return
        place = (edit.chat, edit.album_status)
        showing = self._showing.setdefault(place, asyncio.Lock())
        async with showing:  # read and shown as one: an older count never replaces a newer one
            count = await self._store.albums.count(*place)
            if count is None:
                return
            try:
                if count.last is not None:
                    seconds = self._estimates.until_answer(count.last, await self._store.place(count.last))
                    count = replace(count, seconds=seconds)
                await self._courier.show_album_count(*place, count)
            except BotError as error:
                log.info("album_count_not_shown", edit=edit.id, reason=str(error))
