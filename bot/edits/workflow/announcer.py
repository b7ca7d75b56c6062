"""Posts each edit's status message, once, and each offer's question.

The Bot API cannot send a message exactly once: a process that is killed between sending a message and recording its id
leaves an unknown message (docs/telegram.md#exactly-once). So a process claims the edit in the store before it posts.
The claim keeps other processes from posting too, and expires if its holder crashes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog

from bot.edits.bare_photos import Offer
from bot.edits.model import Edit, State
from bot.edits.ports import ChatMovedError, Courier, LostMessageSearch
from bot.edits.records.claims import Claim, ClaimOutcome
from bot.edits.records.store import Store
from bot.edits.workflow.estimates import Estimates
from bot.errors import BotError

log = structlog.get_logger()

CLAIM_SECONDS = 15.0
"""Seconds without renewal after which a claim expires; two renewals fit in."""

MAX_CONCURRENT_POSTS = 40
"""Messages posted concurrently: a thousand that wait for the flood limit would hold a thousand claims."""

LOST_MESSAGE_SPAN = 2000
"""Message ids to search after the last one that a crashed process knew."""

MAX_SHOWN_POSITIONS = 2000
"""Positions to keep; a worker process never removes them otherwise."""

POLL_SECONDS = 0.2
"""Seconds between looks at a status message that another process is posting."""


@dataclass(frozen=True, slots=True)
class ShownPosition:
    """The queue position that a status message shows.

    Attributes:
        position: How many edits are ahead.
        shown_at: When it was shown (`time.monotonic`).
    """

    position: int
    shown_at: float


class Announcer:
    """Posts status messages.

    Args:
        store: Stores their ids.
        courier: Posts them.
        alone: Whether this is the only process on the store: then all claims from before its start are expired.
        estimates: Estimates how long the answer takes; None: from all that was measured, with one worker.

    Attributes:
        estimates: The same.
        shown_positions: By edit id: the queue position that its status message shows; see `record_position`.
    """

    def __init__(self, store: Store, courier: Courier, *, alone: bool, estimates: Estimates | None = None) -> None:
        self.estimates = estimates or Estimates(store.work_times)
        self._store = store
        self._courier = courier
        self._alone = alone
        self._started = time.time()
        self._post_slots = asyncio.Semaphore(MAX_CONCURRENT_POSTS)
        self.shown_positions: dict[str, ShownPosition] = {}
        self._asked: dict[str, int] = {}
        """By offer id: how many photos its question names."""
        self._posting: dict[str, asyncio.Future[Edit]] = {}
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def claims_expired_before(self) -> float:
        """Claims from before this time (seconds since the epoch) are expired."""
        return self._started if self._alone else time.time() - CLAIM_SECONDS

    def is_posting(self, edit: Edit) -> bool:
        """Whether this process is posting the edit's status message."""
        return edit.id in self._posting

    async def announce_in_turn(self, edit: Edit) -> bool:
        """Announce an edit. Returns False, and does nothing, if it waits silently behind another photo of its album."""
        if await self._store.album_order.waits_silently(edit):
            return False
        await self.announce(edit)
        return True

    async def announce_next(self, ended: Edit) -> None:
        """Announce the photo of an ended edit's album that comes next, if it waits silently.

        A failure is only logged: it is announced when it starts, at the latest.
        """
        try:
            following = await self._store.album_order.next_after(ended)
            if following is not None:
                await self.announce(following)
        except BotError as error:
            log.info("next_of_album_not_announced", edit=ended.id, reason=str(error))

    async def announce(self, edit: Edit) -> Edit:
        """Make sure that the edit has a status message, unless it was cancelled; returns the edit as it is now."""
        if edit.status_message is not None:
            return edit
        posting = self._posting.get(edit.id)
        if posting is not None:
            return await asyncio.shield(posting)
        posted: asyncio.Future[Edit] = asyncio.get_running_loop().create_future()
        self._posting[edit.id] = posted
        try:
            announced = await self._post(edit)
        except BaseException as error:
            posted.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            posted.exception()  # marks it as retrieved: there may be no waiting caller
            raise
        else:
            posted.set_result(announced)
            return announced
        finally:
            del self._posting[edit.id]

    async def mark_seen(self, edit: Edit, album: str | None) -> None:
        """Show on the person's message that it was seen; `album` as in `Courier.mark_seen`."""
        await self._courier.mark_seen(edit, album)

    def record_position(self, edit: Edit, position: int) -> None:
        """Record the queue position that an edit's status message shows."""
        self.shown_positions[edit.id] = ShownPosition(position, time.monotonic())
        while len(self.shown_positions) > MAX_SHOWN_POSITIONS:
            del self.shown_positions[next(iter(self.shown_positions))]

    async def _post(self, edit: Edit) -> Edit:
        # One at a time in a chat: then at most one message of the bot there is unknown, and can be found.
        lock = self._chats.setdefault(edit.chat, asyncio.Lock())
        async with lock, self._post_slots:
            return await self._post_alone(edit)

    async def post_question(self, offer: Offer) -> None:
        """Post an offer's question, unless it is posted or another process is posting it."""
        lock = self._chats.setdefault(offer.chat, asyncio.Lock())
        async with lock, self._post_slots:
            claim = await self._claim(offer)
            if claim.outcome is ClaimOutcome.REFUSED:
                return
            photos = await self._photos(offer)
            async with self._renewing_claim(offer):
                lost = await self._lost_message(claim)
                message = await self._courier.post_offer(offer, photos=photos, lost=lost)
            if not await self._store.offers.set_status_message(offer.id, message):
                await self._courier.remove_question(offer, message)  # an album's command came meanwhile
                return
            self._record_asked(offer, photos)
        if offer.album is not None:
            await self.count_in_question(offer)

    async def count_in_question(self, offer: Offer) -> None:
        """Show in the question about an album how many photos it has, once it is posted."""
        assert offer.album is not None
        lock = self._chats.setdefault(offer.chat, asyncio.Lock())
        async with lock, self._post_slots:  # counted and shown as one: an older count never replaces a newer one
            asked, photos = await self._store.offers.asked_of_album(offer.chat, offer.album)
            if asked is None or asked.status_message is None or self._asked.get(asked.id) == photos:
                return
            if await self._store.pending_commands.of_album(offer.chat, offer.album) is not None:
                return  # it is answered, and the message counts the answers
            await self._courier.show_question(asked, photos=photos)
            self._record_asked(asked, photos)

    async def _photos(self, offer: Offer) -> int:
        return (await self._store.offers.asked_of_album(offer.chat, offer.album))[1] if offer.album else 1

    def _record_asked(self, offer: Offer, photos: int) -> None:
        self._asked[offer.id] = photos
        while len(self._asked) > MAX_SHOWN_POSITIONS:
            del self._asked[next(iter(self._asked))]

    async def _claim(self, about: Edit | Offer) -> Claim:
        after = self._courier.highest(about)
        return await self._store.claims.claim(about, expired_before=self.claims_expired_before(), after=after)

    @contextlib.asynccontextmanager
    async def _renewing_claim(self, about: Edit | Offer) -> AsyncIterator[None]:
        """Renew a claim until the block ends: a flood limit may delay a message by minutes. Expire it on failure."""
        renewing = None if self._alone else asyncio.create_task(self._renew(about))
        try:
            yield
        except ChatMovedError:
            raise  # nothing was posted, and the claim went with the old chat
        except BaseException:
            await asyncio.shield(self._store.claims.expire(about))
            raise
        finally:
            if renewing is not None:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, about: Edit | Offer) -> None:
        while True:
            await asyncio.sleep(CLAIM_SECONDS / 3)
            await self._store.claims.renew(about)

    async def _lost_message(self, claim: Claim) -> LostMessageSearch | None:
        if claim.outcome is not ClaimOutcome.TAKEN_OVER:
            return None
        known = await self._store.claims.known_messages(claim.after, claim.after + LOST_MESSAGE_SPAN)
        return LostMessageSearch(claim.after, known)

    async def _post_alone(self, edit: Edit) -> Edit:
        while True:
            claim = await self._claim(edit)
            if claim.outcome is not ClaimOutcome.REFUSED:
                async with self._renewing_claim(edit):
                    lost = await self._lost_message(claim)
                    seconds = self.estimates.until_answer(edit, claim.place)
                    album = await self._store.album_order.place(edit)
                    message = await self._courier.post_status(
                        edit, position=claim.place.ahead, seconds=seconds, album=album, lost=lost
                    )
                self.record_position(edit, claim.place.ahead)
                changed = await self._store.change(edit.id, status_message=message)
                if changed is not None and changed.state is State.CANCELLED:  # while it was posted
                    await self._courier.show_cancelled(changed)
                return changed or edit
            current = await self._store.get(edit.id)
            if current is None or current.status_message is not None or current.state is State.CANCELLED:
                return current or edit
            await asyncio.sleep(POLL_SECONDS)
