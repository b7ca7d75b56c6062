"""Bans a person or a chat, and stops its unfinished edits."""

from __future__ import annotations

import contextlib

import structlog

from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.errors import PersonError

log = structlog.get_logger()


class Banning:
    """Bans, and lifts bans.

    Args:
        store: The store.
        edits: Stops edits.
    """

    def __init__(self, store: Store, edits: Edits) -> None:
        self._store = store
        self._edits = edits

    async def ban(self, person: int, reason: str | None) -> int:
        """Ban a person or a chat; a repeat does no harm.

        Returns:
            How many unfinished edits were stopped; one that is being delivered is not.
        """
        await self._store.bans.ban(person, reason)
        stopped = 0
        # The last first: a stopped photo of an album would let the next one have its status message.
        for edit in reversed(await self._store.deletion.pending_of(person)):
            with contextlib.suppress(PersonError):
                await self._edits.stop(edit)
                stopped += 1
        log.info("banned", person=person, stopped=stopped)
        return stopped

    async def lift(self, person: int) -> bool:
        """Lift a ban; returns whether there was one."""
        lifted = await self._store.bans.lift(person)
        if lifted:
            log.info("ban_lifted", person=person)
        return lifted
