"""Posts each edit's status message, once, and each offer's question.

The Bot API cannot send a message exactly once: between sending and remembering the id lies a moment in which a killed
process leaves a message that nobody knows. So whoever posts first claims the edit in the store; the claim keeps others
from posting beside it, and runs out if the claimant died.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog

from bot.edits.model import Edit, Offer
from bot.edits.ports import Courier, LostMessageSearch
from bot.edits.records.claims import Claim, Claimed
from bot.edits.records.store import Store

log = structlog.get_logger()

CLAIM_SECONDS = 15.0
"""Without renewal for so long, a claimant is taken for dead; two renewals fit in."""

AT_A_TIME = 40
"""Messages posted at a time: a thousand that wait for the flood limit together would hold a thousand claims."""

FAR = 2000
"""Message ids that may lie between what a process knew last and what it posted before it died."""

SHOWN_KEPT = 2000

LOOK_AGAIN = 0.2
"""Seconds between looks at a status message that another process is posting."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a status message says, and since when.

    Attributes:
        position: So many edits are before its own.
        at: Seconds (`time.monotonic`).
    """

    position: int
    at: float


class Announcer:
    """Posts status messages.

    Args:
        store: Where their ids are remembered.
        courier: Who posts them.
        alone: Whether this is the only process on the store: then a claim from before its start is a dead process's.

    Attributes:
        shown: What place in line each edit's status message spoke of last; see `note_shown`.
    """

    def __init__(self, store: Store, courier: Courier, *, alone: bool) -> None:
        self._store = store
        self._courier = courier
        self._alone = alone
        self._began = time.time()
        self._at_a_time = asyncio.Semaphore(AT_A_TIME)
        self.shown: dict[str, Shown] = {}
        self._posting: dict[str, asyncio.Future[Edit]] = {}
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def stale_before(self) -> float:
        """Claims from before then (seconds since the epoch) are void."""
        return self._began if self._alone else time.time() - CLAIM_SECONDS

    def is_at(self, edit: Edit) -> bool:
        """Whether the edit's status message is being posted here."""
        return edit.id in self._posting

    async def announce(self, edit: Edit) -> Edit:
        """Make sure that the edit has its status message; returns the edit as it is now."""
        if edit.status_message is not None:
            return edit
        under_way = self._posting.get(edit.id)
        if under_way is not None:
            return await asyncio.shield(under_way)
        mine: asyncio.Future[Edit] = asyncio.get_running_loop().create_future()
        self._posting[edit.id] = mine
        try:
            announced = await self._post(edit)
        except BaseException as error:
            mine.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            mine.exception()  # whoever waits gets it; nobody waiting is no mistake
            raise
        else:
            mine.set_result(announced)
            return announced
        finally:
            del self._posting[edit.id]

    def note_shown(self, edit: Edit, position: int) -> None:
        """An edit's status message says that so many are before it."""
        self.shown[edit.id] = Shown(position, time.monotonic())
        while len(self.shown) > SHOWN_KEPT:  # in a worker nobody takes them out
            del self.shown[next(iter(self.shown))]

    async def _post(self, edit: Edit) -> Edit:
        # One at a time in a chat: then at most one message of ours there can be unknown, and found again.
        lock = self._chats.setdefault(edit.chat, asyncio.Lock())
        async with lock, self._at_a_time:
            return await self._post_alone(edit)

    async def ask(self, offer: Offer) -> None:
        """Post an offer's question, unless it is there or somebody else is at it."""
        lock = self._chats.setdefault(offer.chat, asyncio.Lock())
        async with lock, self._at_a_time:
            got = await self._claim(offer)
            if got.claim is not Claim.NONE:
                async with self._claimed(offer):
                    message = await self._courier.post_offer(offer, lost=await self._lost(got))
                await self._store.offers.set_status_message(offer.id, message)

    async def _claim(self, about: Edit | Offer) -> Claimed:
        after = self._courier.highest(about)
        return await self._store.claims.claim(about, claimed_before=self.stale_before(), after=after)

    @contextlib.asynccontextmanager
    async def _claimed(self, about: Edit | Offer) -> AsyncIterator[None]:
        """Renew a claim until the block ends: a flood limit may hold a message up for minutes. Void it on failure."""
        renewing = None if self._alone else asyncio.create_task(self._renew(about))
        try:
            yield
        except BaseException:
            await asyncio.shield(self._store.claims.void(about))
            raise
        finally:
            if renewing is not None:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, about: Edit | Offer) -> None:
        while True:
            await asyncio.sleep(CLAIM_SECONDS / 3)
            await self._store.claims.renew(about)

    async def _lost(self, got: Claimed) -> LostMessageSearch | None:
        if got.claim is not Claim.TAKEN_OVER:
            return None
        return LostMessageSearch(got.after, await self._store.claims.known_messages(got.after, got.after + FAR))

    async def _post_alone(self, edit: Edit) -> Edit:
        while True:
            got = await self._claim(edit)
            if got.claim is not Claim.NONE:
                async with self._claimed(edit):
                    lost = await self._lost(got)
                    message = await self._courier.post_status(edit, position=got.position, lost=lost)
                self.note_shown(edit, got.position)
                changed = await self._store.change(edit.id, status_message=message)
                return changed or edit
            current = await self._store.get(edit.id)
            if current is None or current.status_message is not None:
                return current or edit
            await asyncio.sleep(LOOK_AGAIN)
