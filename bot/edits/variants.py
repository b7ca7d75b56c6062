"""The variants of a result: another try, another finish, the shadow; flipping through those that are kept."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot.edits.finishes import OWN_PICTURE, check_finish
from bot.edits.follow_ups import variant_request
from bot.edits.model import MAX_TRIES, Edit, EditCommand, Operation, PhotoRef, Stage, State
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.edits.shown_results import ShownResults
from bot.errors import PersonError


class Variants:
    """What a person may do with a result in its message. Every method is idempotent.

    Each raises a PersonError: as `Edits.get_owned` does; ``too-old`` if the message is gone; ``still-working`` if the
    message will show something else soon.

    Args:
        store: The store.
        edits: Submits edits and checks who owns them.
        shown: Shows stored results.
        courier: Shows buttons.
    """

    def __init__(self, store: Store, edits: Edits, shown: ShownResults, courier: Courier) -> None:
        self._store = store
        self._edits = edits
        self._shown = shown
        self._courier = courier

    async def another(self, edit_id: str, person: int, number: int | None = None) -> Edit:
        """Make another try in place of the one that is shown, and keep that one, too.

        A try that exists is shown instead, so that a second press makes no second one; and the last one, if there are
        `MAX_TRIES`.

        Args:
            edit_id: Id of the edit that is shown.
            person: Who asks.
            number: The number of the new try, from 2; None: the one after the shown one.

        Raises:
            PersonError: Also as `Edits.submit` does.
        """
        edit = await self._get_finished(edit_id, person)
        kept, index = await self._kept(edit)
        number = min(number or index + 2, MAX_TRIES)
        if number > len(kept) and len(kept) < MAX_TRIES:
            used = {variant.seed for variant in kept}
            return await self._make(edit, replace(edit, seed=next(n for n in range(MAX_TRIES) if n not in used)))
        return await self._show(edit, kept[min(number, len(kept)) - 1])

    async def flip(self, edit_id: str, person: int, step: int) -> Edit:
        """Show the try that is `step` after (below 0: before) the shown one; after the last comes the first."""
        edit = await self._get_finished(edit_id, person)
        kept, index = await self._kept(edit)
        return await self._show(edit, kept[(index + step) % len(kept)])

    async def change_finish(self, edit_id: str, person: int, finish: str) -> Edit:
        """Replace a cut-out by one with another finish, without segmenting again.

        Raises:
            PersonError: Also ``unknown-finish``, and as `Edits.submit` does.
        """
        edit = await self._get_finished(edit_id, person)
        return await self._make_or_show(edit, replace(edit, finish=check_finish(finish), background=None))

    async def ask_background(self, edit_id: str, person: int) -> None:
        """Wait for the person's own picture, or the name of a colour, to put behind a cut-out's subject."""
        edit = await self._get_finished(edit_id, person)
        if edit.operation is not Operation.REMOVE_BACKGROUND:
            raise PersonError("too-old")
        command = EditCommand(edit.operation, background_of=edit.id)
        await self._store.pending_commands.remember_for_person(edit.chat, person, command)

    async def change_background(self, edit_id: str, person: int, picture: PhotoRef) -> Edit:
        """Put a picture of the person behind a cut-out's subject.

        Raises:
            PersonError: Also as `Edits.submit` does.
        """
        edit = await self._get_finished(edit_id, person)
        return await self._make(edit, replace(edit, finish=OWN_PICTURE, background=picture))

    async def name_background(self, chat: int, person: int, finish: str, *, replied_to: int | None) -> bool:
        """Give a cut-out the finish that a text names: the one replied to, else the one that waits for a background.

        Args:
            chat: The chat.
            person: The person who wrote.
            finish: What the text names.
            replied_to: Id of the message that the text replies to; None: to none.

        Returns:
            Whether there is such a cut-out.

        Raises:
            PersonError: As `change_finish` does.
        """
        if replied_to is not None:
            shown = await self._store.variants.shown_in(chat, replied_to, person)
            edit_id = shown.id if shown is not None and shown.operation is Operation.REMOVE_BACKGROUND else None
        else:
            edit_id = await self._store.pending_commands.background_awaited(chat, person)
        if edit_id is None:
            return False
        await self.change_finish(edit_id, person, finish)
        if replied_to is None:
            await self._store.pending_commands.cancel_for_person(chat, person)
        return True

    async def change_shadow(self, edit_id: str, person: int, *, erased: bool) -> Edit:
        """Replace a result by one that erases the subject's shadow too, or leaves it.

        Raises:
            PersonError: Also as `Edits.submit` does.
        """
        edit = await self._get_finished(edit_id, person)
        return await self._make_or_show(edit, replace(edit, shadow=erased))

    async def show_original(self, edit_id: str, person: int) -> Edit:
        """Show the photo as it was sent in place of the result."""
        edit = await self._get_finished(edit_id, person)
        await self._check_free(edit)
        self._shown.show(edit, edit, original=True)
        return edit

    async def show_result(self, edit_id: str, person: int) -> Edit:
        """Show the result again in place of the photo."""
        edit = await self._get_finished(edit_id, person)
        return await self._show(edit, edit)

    async def show_colours(self, edit_id: str, person: int) -> None:
        """Offer colours under a finished cut-out."""
        edit = await self._get_finished(edit_id, person)
        self._edits.run_in_background(partial(self._courier.show_colours, edit))

    async def show_finishes(self, edit_id: str, person: int) -> None:
        """Offer the finishes again instead of the colours."""
        edit = await self._get_finished(edit_id, person)
        self._edits.run_in_background(partial(self._courier.show_finishes, edit))

    async def _make_or_show(self, edit: Edit, changed: Edit) -> Edit:
        """Show the kept result of an edit with changed fields; make it if there is none."""
        for variant in await self._store.variants.kept(changed):
            if variant.seed == changed.seed and variant.result is not None:
                return await self._show(edit, variant)
        return await self._make(edit, changed)

    async def _make(self, edit: Edit, changed: Edit) -> Edit:
        """Make an edit with changed fields, in place of the one that is shown."""
        request = await variant_request(self._store, changed)
        known = await self._store.by_key(request.key)
        if known is not None and not known.state.is_final:  # a second press
            return known
        for question in await self._check_free(edit):
            await self._store.cancel(question.id, keep_objects=True)
        if known is not None and known.result is not None:
            return await self._show(edit, known)
        if known is not None:  # it failed or was cancelled
            return await self._edits.retry(known.id, edit.person)
        variant, _ = await self._edits.submit(request)
        return variant

    async def _show(self, edit: Edit, variant: Edit) -> Edit:
        """Show a kept result in the message of the one that is shown."""
        await self._check_free(edit)
        if variant.result is None:  # its message shows it, a moment before it is recorded
            raise PersonError("still-working")
        self._shown.show(edit, variant)
        return variant

    async def _get_finished(self, edit_id: str, person: int) -> Edit:
        """The person's edit, whose result is shown."""
        edit = await self._edits.get_owned(edit_id, person)
        # The buttons come with the picture, a moment before the edit is recorded as done: a quick press is valid.
        is_shown = edit.state is State.DONE or edit.stage is Stage.DELIVERING
        if not is_shown and not (edit.state.is_final and edit.result is not None):
            raise PersonError("still-working")
        return edit

    async def _kept(self, edit: Edit) -> tuple[list[Edit], int]:
        """The tries of an edit, and its index among them."""
        kept = await self._store.variants.kept(edit)
        ids = [variant.id for variant in kept]
        if edit.id not in ids:  # deleted in the meantime
            raise PersonError("too-old")
        return kept, ids.index(edit.id)

    async def _check_free(self, edit: Edit) -> list[Edit]:
        """Check that no other edit is to replace what the edit's message shows; returns questions that wait there."""
        pending, questions = await self._store.variants.unfinished_in_message(edit)
        if any(other.id != edit.id for other in pending):
            raise PersonError("still-working")
        return questions
