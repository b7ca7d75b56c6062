"""`Edits`: what a person may ask for, from the chat and the Mini App. Checks that the person owns the edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from bot.edits.bare_photos import Offer
from bot.edits.finishes import check_finish
from bot.edits.follow_ups import can_go_back, correction_request
from bot.edits.model import Edit, EditCommand, PhotoRef, State
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.workflow.album_counts import AlbumCounts
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.background import Background
from bot.edits.workflow.queue import EditQueue
from bot.edits.workflow.queue_positions import QueuePositions
from bot.errors import PersonError


class Edits:
    """What a person may ask for.

    Args:
        store: The store.
        queue: The durable queue.
        courier: Shows messages.
        announcer: Posts status messages.
    """

    def __init__(
        self,
        store: Store,
        queue: EditQueue,
        courier: Courier,
        announcer: Announcer,
    ) -> None:
        self._store = store
        self._queue = queue
        self._courier = courier
        self._album_counts = AlbumCounts(store, courier, announcer.estimates)
        self._background = Background(store, queue, announcer, QueuePositions(store, courier, announcer))

    async def run(self) -> None:
        """Announce and queue edits until cancelled."""
        await self._background.run()

    def schedule(self, edit: Edit) -> None:
        """Put an edit into the queue, post its status message, or show its position there, as its state requires."""
        self._background.schedule(edit)

    def run_in_background(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run work outside the update that caused it."""
        self._background.add(work)

    # ── asking ──

    async def submit(self, request: EditRequest) -> tuple[Edit, bool]:
        """Record an edit and schedule it; its status message is posted in the background.

        An /erase without a mask waits for its mask.

        Returns:
            The edit, and whether it is new.

        Raises:
            PersonError: ``too-many-pending``, ``too-many-waiting``, ``too-many-today``, ``busy``, ``storage-full``,
                ``unknown-finish``.
        """
        if request.finish is not None and request.background is None:
            check_finish(request.finish)
        state = State.WAITING_FOR_MASK if request.waits_for_mask else State.QUEUED
        edit, is_new = await self._store.add(request, state)
        self.schedule(edit)
        if is_new and request.parent is None and not request.draft:  # else it follows an edit that was seen
            self._background.mark_seen(edit, request.album)
        return edit, is_new

    def ask(self, offer: Offer) -> None:
        """Ask what to do with a photo that came without a command; the question is posted in the background."""
        if offer.status_message is None:
            self._background.schedule_question(offer)

    def show_album_count(self, edit: Edit) -> None:
        """Show how many photos of an edit's album are ready, in the background."""
        self._background.add(partial(self._album_counts.show, edit))

    def remove_question(self, offer: Offer, message: int) -> None:
        """Delete the message with an offer's question, in the background: the offer became an edit without it."""
        self._background.add(partial(self._courier.remove_question, offer, message))

    async def place(self, edit_id: str) -> tuple[int, int] | None:
        """The ids of an edit's owner and of its chat; None if it does not exist."""
        edit = await self._store.get(edit_id)
        return (edit.person, edit.chat) if edit is not None else None

    async def get_owned(self, edit_id: str, person: int) -> Edit:
        """The person's edit with this id.

        Raises:
            PersonError: ``too-old`` (it does not exist any more), ``not-yours``.
        """
        edit = await self._store.get(edit_id)
        if edit is None:
            raise PersonError("too-old")
        if edit.person != person:
            raise PersonError("not-yours")
        return edit

    async def retry(self, edit_id: str, person: int) -> Edit:
        """Try a failed or cancelled edit again, in the same status message; and what `cancel` stopped with it.

        Raises:
            PersonError: As `get_owned` and `submit` do; also if a limit keeps out some of what was stopped with it.
        """
        edit = await self.get_owned(edit_id, person)
        again = await self._store.queueing.retry(edit.id)
        for queued in again.edits or [edit]:
            self.schedule(queued)
        if again.refusal is not None:
            raise again.refusal
        return again.edits[0] if again.edits else edit

    # ── commands that wait for their photo ──

    async def remember_command(self, chat: int, person: int, command: EditCommand) -> None:
        """Apply the command to the person's next photo in the chat."""
        await self._store.pending_commands.remember_for_person(chat, person, command)

    async def remember_album_command(self, chat: int, album: str, command: EditCommand) -> None:
        """Apply the command to all photos of an album (media group)."""
        await self._store.pending_commands.remember_for_album(chat, album, command)

    async def take_pending_command(self, chat: int, person: int, message: int, album: str | None) -> EditCommand | None:
        """The command to apply to a photo that came without a command, or None; the same for a repeated update.

        A person's command applies to one photo, or to all photos of one album.

        Args:
            chat: The chat.
            person: The sender of the photo.
            message: Id of the photo's message.
            album: The photo's media group id.
        """
        return await self._store.pending_commands.take(chat, person, message, album)

    # ── masks ──

    async def asked_to_paint(self, chat: int, person: int, *, replied_to: int, photo: str | None) -> Edit | None:
        """The edit whose painted copy the bot asked for; see `Store.asked_to_paint`."""
        return await self._store.asked_to_paint(chat, person, replied_to=replied_to, photo=photo)

    async def correction_for(
        self, chat: int, person: int, *, replied_to: int, photo: str | None, submission: str
    ) -> Edit | None:
        """The correction of a cut-out that a painted copy of its photo is meant for; see `Store.correction_for`."""
        return await self._store.correction_for(chat, person, replied_to=replied_to, photo=photo, submission=submission)

    async def queue_with_mask(self, edit_id: str, mask: bytes, submission: str) -> Edit | None:
        """Queue an edit that waits for its mask with a checked one; None if it does not wait.

        Raises:
            PersonError: As `submit` does.
        """
        edit = await self._store.queueing.queue_with_mask(edit_id, mask, submission)
        if edit is not None:
            self.schedule(edit)
        return edit

    async def queue_with_painted_copy(self, edit_id: str, painted: PhotoRef, submission: str) -> Edit | None:
        """Queue an edit that waits for its mask with a painted copy of its photo; None if it does not wait.

        Raises:
            PersonError: As `submit` does.
        """
        edit = await self._store.queueing.queue_with_painted_copy(edit_id, painted, submission)
        if edit is not None:
            self.schedule(edit)
        return edit

    # ── following an edit ──

    async def fix_by_hand(self, edit_id: str, person: int) -> Edit:
        """Start a correction by hand; what the edit found is painted already. See `EditRequest.correction_of`.

        The button gives the same correction until that one has ended, then a new one.

        Raises:
            PersonError: As `get_owned` and `submit` do.
        """
        edit = await self.get_owned(edit_id, person)
        correction, _ = await self.submit(await correction_request(self._store, edit))
        return correction

    async def continue_in_private(self, edit_id: str, owner: int, person: int, message: int, language: str) -> Edit:
        """Continue a group's edit in the private chat, the only place where a Mini App opens from a button.

        Args:
            edit_id: Id of the group's edit, which waits for its mask.
            owner: The id in whose name the person asks: the person's, or that of a chat.
            person: The person who asks, and to whom the new edit belongs.
            message: Id of the message in the private chat that the result replies to.
            language: Language code of the person.

        Raises:
            PersonError: As `get_owned` and `submit` do; ``too-old`` if the edit does not wait any more.
        """
        edit = await self.get_owned(edit_id, owner)
        if edit.state is not State.WAITING_FOR_MASK:
            raise PersonError("too-old")
        stored = await self._store.mask(edit.id)
        request = EditRequest.in_private_chat(edit, person=person, message=message, language=language, stored=stored)
        private, _ = await self.submit(request)
        return private

    # ── stopping ──

    async def cancel(self, edit_id: str, person: int) -> Edit:
        """Stop an edit, queued or running, and with it the later photos of its album that wait silently.

        Raises:
            PersonError: As `get_owned` does; ``too-late`` if it is being delivered or has ended.
        """
        edit = await self.get_owned(edit_id, person)
        cancelled = await self._store.album_order.cancel(edit.id)
        if not cancelled and edit.state is State.CANCELLED and edit.parent is None:
            # Perhaps by a process that was killed before it showed that. The message of an edit with a parent may show
            # that one's result again.
            cancelled = [edit, *await self._store.album_order.cancelled_with(edit)]
        if not cancelled:
            raise PersonError("too-late")
        self._background.add(partial(self._show_cancelled, cancelled[0], len(cancelled) - 1))
        for one in reversed(cancelled):
            await self._queue.cancel(one.id, one.attempt)
        return cancelled[0]

    async def stop(self, edit: Edit) -> Edit:
        """Stop an edit whose owner the caller has checked.

        Raises:
            PersonError: ``too-late`` if it is being delivered or has ended.
        """
        cancelled = await self._store.cancel(edit.id)
        if cancelled is None:
            raise PersonError("too-late")
        await self._queue.cancel(edit.id, cancelled.attempt)
        self._background.add(partial(self._show_cancelled, cancelled))
        return cancelled

    async def _show_cancelled(self, edit: Edit, followers: int = 0) -> None:
        await self._courier.show_cancelled(edit, can_go_back=await self.can_go_back(edit), followers=followers)
        await self._album_counts.show(edit)

    async def can_go_back(self, edit: Edit) -> bool:
        """Whether a result was shown before the person asked for a variant or for something else."""
        return await can_go_back(self._store, edit)
