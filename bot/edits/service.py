"""The door for chat and Mini App: what a person may ask of the edits. Whose edit it is, is checked here."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

import structlog

from bot.edits.announcer import Announcer
from bot.edits.editor import check_finish
from bot.edits.model import Edit, EditRequest, Offer, Operation, PhotoRef, Stage, State, follow_up_request
from bot.edits.ports import Courier
from bot.edits.queue import EditQueue
from bot.edits.queue_positions import QueuePositions
from bot.edits.records.store import Store
from bot.edits.steps import can_go_back, file_keys
from bot.errors import BotError, PersonError
from bot.storage.file_cache import FileCache

log = structlog.get_logger()

PENDING_COMMAND_SECONDS = 600.0
"""How long a command without a photo waits for its photo."""

ALBUM_SECONDS = 60.0
"""How long an album's command holds for its other photos: siblings were seen 5–11 s late (facts/telegram.md)."""

LOOK_AGAIN = 10.0
"""Seconds between looks for edits whose announcing or queueing was cut off, by a kill or by an outage."""

FORGET_SECONDS, FORGET_AGAIN = 10.0, 0.05
"""How long a picture that is just being delivered is waited for before its edit is deleted, and between looks."""


def _variant_key(root: str, edit: Edit, mask: bytes | None) -> str:
    """What makes a repeated request the same variant: what is wanted, and the mask that it is made with."""
    shadow = "" if edit.shadow else ":shadow"
    made_with = f":{hashlib.sha256(mask).hexdigest()[:16]}" if mask else ""
    return f"{root}:{edit.operation}:{edit.finish}:{edit.seed}{shadow}{made_with}"


def request_key(chat: int, message: int, operation: Operation) -> str:
    """What makes a repeated request the same edit."""
    return f"{chat}:{message}:{operation}"


class Edits:
    """What a person may ask for.

    Args:
        store: What is remembered.
        queue: Who sees edits through.
        courier: Who carries words.
        announcer: Who posts status messages.
        caches: Where files lie that go when a person is forgotten.
    """

    def __init__(
        self,
        store: Store,
        queue: EditQueue,
        courier: Courier,
        announcer: Announcer,
        caches: Sequence[FileCache] = (),
    ) -> None:
        self.store = store
        self._queue = queue
        self._courier = courier
        self._announcer = announcer
        self._caches = tuple(caches)
        self._news: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._positions = QueuePositions(store, courier, announcer)
        self._entering: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    # ── asking ──

    async def submit(self, order: EditRequest) -> tuple[Edit, bool]:
        """Ask for an edit; returns it and whether it is new. The status message follows by itself.

        An /erase without a mask waits for its mask.

        Raises:
            PersonError: ``too-many-pending``, ``too-many-today``, ``busy``, ``unknown-finish``.
        """
        check_finish(order.finish)
        waits = order.draft or (order.operation is Operation.ERASE and order.mask is None and order.painted is None)
        edit, new = await self.store.add(order, State.WAITING_FOR_MASK if waits else State.QUEUED)
        self.schedule(edit)
        return edit, new

    async def offer(self, person: int, chat: int, message: int, photo: PhotoRef, language: str) -> Offer:
        """Record a photo that came without a word; the question what to do with it follows by itself."""
        offer = await self.store.offers.add(person, chat, message, photo, language)
        if offer.status_message is None:
            self._news.put_nowait(partial(self._announcer.ask, offer))
        return offer

    async def choose(self, offer_id: str, operation: Operation, person: int, *, shown: int | None) -> Edit:
        """The person has chosen what to do with an offered photo: the question becomes the status message.

        Args:
            offer_id: The offer.
            operation: What was chosen.
            person: Who has.
            shown: The message whose button was pressed.

        Raises:
            PersonError: ``not-yours``, ``too-old``, and what `submit` raises.
        """
        offer = await self.store.offers.get(offer_id)
        if offer is None:
            raise PersonError("too-old")
        if offer.person != person:
            raise PersonError("not-yours")
        if offer.status_message is None and shown is not None:  # whoever posted it died over it: it need not be again
            await self.store.offers.set_status_message(offer.id, shown)
        edit, _ = await self.submit(
            EditRequest(
                key=request_key(offer.chat, offer.message, operation),
                person=person,
                chat=offer.chat,
                message=offer.message,
                operation=operation,
                photo=offer.photo,
                language=offer.language,
                status_message=shown or offer.status_message,
            )
        )
        return edit

    async def own(self, edit_id: str, person: int) -> Edit:
        """The person's edit with this id.

        Raises:
            PersonError: ``too-old`` (there is none any more), ``not-yours``.
        """
        edit = await self.store.get(edit_id)
        if edit is None:
            raise PersonError("too-old")
        if edit.person != person:
            raise PersonError("not-yours")
        return edit

    async def retry(self, edit_id: str, person: int) -> Edit:
        """Let a failed edit try again; the same status message shows how it goes.

        Raises:
            PersonError: As `own` and `submit` do.
        """
        edit = await self.own(edit_id, person)
        edit = await self.store.requeue(edit.id) or edit
        self.schedule(edit)
        return edit

    async def another(self, edit_id: str, person: int) -> Edit:
        """Another variant of a finished edit, in place of the one shown.

        Raises:
            PersonError: As `own` and `submit` do.
        """
        edit = await self.own(edit_id, person)
        return await self._again(replace(edit, seed=edit.seed + 1))

    async def refinish(self, edit_id: str, person: int, finish: str) -> Edit:
        """The same cut-out before something else, in place of the one shown, without segmenting again.

        Raises:
            PersonError: As `own` and `submit` do; ``unknown-finish``.
        """
        edit = await self.own(edit_id, person)
        return await self._again(replace(edit, finish=check_finish(finish)))

    async def with_shadow(self, edit_id: str, person: int, *, goes: bool) -> Edit:
        """The same subject taken out with its shadow, or without, in place of what is shown.

        Raises:
            PersonError: As `own` and `submit` do.
        """
        edit = await self.own(edit_id, person)
        return await self._again(replace(edit, shadow=goes))

    async def _again(self, edit: Edit) -> Edit:
        """The edit as it is now wanted, in place of the one shown."""
        # Buttons come with the picture, a moment before the edit is noted as done: a quick press is as good.
        if edit.state is not State.DONE and edit.stage is not Stage.DELIVERING:
            raise PersonError("still-working")
        stored = await self.store.mask(edit.id)
        root = await self._root(edit, stored)
        again, new = await self.submit(
            follow_up_request(
                edit,
                _variant_key(root, edit, stored[0] if stored else None),
                parent=root,
                status_message=edit.status_message,
                mask=stored[0] if stored else None,
                mask_is_matte=stored[1] if stored else False,
            )
        )
        if not new and again.state.is_final:  # asked for before, and looked at again: shown again
            again = await self.store.show_again(again.id) or again
            self.schedule(again)
        return again

    async def _root(self, edit: Edit, stored: tuple[bytes, bool] | None) -> str:
        """The id of the edit that this one is a variant of: its parent's, or its own.

        Args:
            edit: The edit as it is now wanted.
            stored: Its mask.
        """
        if edit.parent is None:
            return edit.id
        if edit.operation is Operation.ERASE:
            # Its parent may be the round before it, which is no variant of the same picture: the first variant, now
            # wanted, has seed 1.
            return edit.parent if edit.seed > 1 else edit.id
        # A variant has its parent's mask; a cut-out that was corrected by hand has another.
        return edit.parent if await self.store.mask(edit.parent) == stored else edit.id

    async def fix_by_hand(self, edit_id: str, person: int) -> Edit:
        """Let the person paint on the edit's own photo; what the edit had found is already painted.

        A cut-out is corrected as a cut-out: what is painted is what stays, and the background goes again, for the same
        finish. Of all others it is what goes.

        Raises:
            PersonError: As `own` and `submit` do.
        """
        edit = await self.own(edit_id, person)
        # Where the bot asked whether it found the right thing, the person who paints has said no.
        found = None if edit.is_doubtful else await self.store.mask(edit.id)
        keeps = edit.operation is Operation.REMOVE_BACKGROUND
        fixed, _ = await self.submit(
            follow_up_request(
                edit,
                await self._correction_key(edit, found[0] if found else b""),
                operation=edit.operation if keeps else Operation.ERASE,
                seed=edit.seed if keeps else 0,
                shadow=True,
                parent=edit.id,
                mask=found[0] if found else None,
                mask_is_matte=found[1] if found else False,
                draft=True,
            )
        )
        return fixed

    async def _correction_key(self, edit: Edit, mask: bytes) -> str:
        """The key of a correction by hand: the same until it is made or cancelled, then the button begins another."""
        for number in itertools.count(1):
            key = f"{edit.id}:fix:{hashlib.sha256(mask).hexdigest()[:16]}:{number}"
            known = await self.store.by_key(key)
            if known is None or not known.state.is_final:
                return key
        raise AssertionError("unreachable")

    async def go_on_in_private(self, edit_id: str, person: int, message: int, language: str) -> Edit:
        """Let the person paint in the private chat what was asked for in a group: only there a canvas opens.

        Args:
            edit_id: The group's edit, which waits for its mask.
            person: Who asks.
            message: The message in the private chat that asks; the answer replies to it.
            language: Language code of the person.

        Raises:
            PersonError: As `own` and `submit` do; ``too-old`` where it does not wait any more.
        """
        edit = await self.own(edit_id, person)
        if edit.state is not State.WAITING_FOR_MASK:
            raise PersonError("too-old")
        found = await self.store.mask(edit.id)
        private, _ = await self.submit(
            follow_up_request(
                edit,
                f"{edit.id}:private",
                chat=person,
                message=message,
                language=language,
                parent=edit.parent,
                mask=found[0] if found else None,
                mask_is_matte=found[1] if found else False,
                draft=True,
            )
        )
        return private

    async def queue_with_mask(self, edit_id: str, mask: bytes, submission: str) -> Edit | None:
        """Give a waiting edit its checked mask and queue it; None where it is not waiting. See `Store`.

        Raises:
            PersonError: As `submit` does.
        """
        edit = await self.store.queue_with_mask(edit_id, mask, submission)
        if edit is not None:
            self.schedule(edit)
        return edit

    async def queue_with_painted(self, edit_id: str, painted: PhotoRef, submission: str) -> Edit | None:
        """Give a waiting edit a painted copy of its photo and queue it; None where it is not waiting. See `Store`.

        Raises:
            PersonError: As `submit` does.
        """
        edit = await self.store.queue_with_painted(edit_id, painted, submission)
        if edit is not None:
            self.schedule(edit)
        return edit

    async def forget(self, person: int) -> int:
        """Stop what a person has in the works, and delete all that is stored about them; returns how many edits.

        What is being delivered this moment is deleted when it is done: soon, or at last by the sweeper.
        """
        for edit in await self.store.pending_of(person):
            with contextlib.suppress(PersonError):
                await self.cancel(edit.id, person)
        deleted = 0
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(contextlib.suppress(TimeoutError))
            await stack.enter_async_context(asyncio.timeout(FORGET_SECONDS))
            while True:
                edits, left = await self.store.forget_person(person)
                deleted += len(edits)
                await asyncio.to_thread(self._drop_files, edits)
                if not left:
                    break
                await asyncio.sleep(FORGET_AGAIN)
        return deleted

    def _drop_files(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            for key in file_keys(edit):
                for cache in self._caches:
                    cache.remove(key)

    async def cancel(self, edit_id: str, person: int) -> Edit:
        """Stop an edit, queued or running.

        Raises:
            PersonError: As `own` does; ``too-late`` when it is being delivered or done.
        """
        await self.own(edit_id, person)
        cancelled = await self.store.cancel(edit_id)
        if cancelled is None:
            raise PersonError("too-late")
        await self._queue.cancel(edit_id, cancelled.attempt)
        self._news.put_nowait(partial(self._show_cancelled, cancelled))
        return cancelled

    async def _show_cancelled(self, edit: Edit) -> None:
        await self._courier.show_cancelled(edit, can_go_back=await self.can_go_back(edit))

    async def can_go_back(self, edit: Edit) -> bool:
        """Whether a result was shown before the person asked for something else."""
        return await can_go_back(self.store, edit)

    # ── in the background ──

    async def run(self) -> None:
        """Announce and queue what is asked for, and what a killed process left unannounced; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_for_left_behind())
            tasks.create_task(self._positions.keep_true(self._careful))
            while True:
                work = await self._news.get()
                tasks.create_task(self._careful(work))
                await asyncio.sleep(0)  # after a kill a thousand come at once: others have their turn between them

    def soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something in the background, outside the update that asked for it."""
        self._news.put_nowait(work)

    def schedule(self, edit: Edit) -> None:
        """Let the background queue an edit, post its status message, or show how far it is."""
        if edit.state is State.QUEUED:
            self._news.put_nowait(partial(self._enqueue, edit))
        if edit.status_message is None and not edit.state.is_final:
            self._news.put_nowait(partial(self._announce, edit))
        elif edit.state is State.WAITING_FOR_MASK or (edit.state is State.QUEUED and edit.status_message is not None):
            self._news.put_nowait(partial(self._positions.show, edit))

    async def _careful(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do one thing in the background; what it stumbles over must not stop the others."""
        try:
            await work()
        except BotError as error:
            log.warning("background_work_failed", reason=str(error))
        except Exception:  # the background's boundary
            log.exception("background_work_broke")

    async def _announce(self, edit: Edit) -> None:
        await self._announcer.announce(edit)

    async def _enqueue(self, edit: Edit) -> None:
        # One person's edits enter the queue in their order: a later one that entered first would be begun first.
        lock = self._entering.setdefault(edit.person, asyncio.Lock())
        async with lock:
            await self._queue.enqueue(edit)
            await self.store.note_enqueued(edit)

    async def _look_for_left_behind(self) -> None:
        while True:
            await self._careful(self._schedule_left_behind)
            await asyncio.sleep(LOOK_AGAIN)

    async def _schedule_left_behind(self) -> None:
        for edit in await self.store.not_enqueued():
            self._news.put_nowait(partial(self._enqueue, edit))
        stale_before = self._announcer.stale_before()
        for edit in await self.store.unannounced(claimed_before=stale_before):
            if not self._announcer.is_at(edit):
                self._news.put_nowait(partial(self._announce, edit))
        for offer in await self.store.offers.without_question(claimed_before=stale_before):
            self._news.put_nowait(partial(self._announcer.ask, offer))
