"""Choosing among the objects found in a photo, after the bot found the wrong one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from bot.edits.follow_ups import result_before
from bot.edits.model import PENDING_STATES, Edit, Operation, Stage, State
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.service import Edits
from bot.edits.shown_results import ShownResults
from bot.errors import PersonError


class Choices:
    """What a person may do about a wrong find. Every method is idempotent.

    Args:
        store: The store.
        edits: Submits edits and checks who owns them.
        shown: Shows stored results.
        courier: Shows messages.
    """

    def __init__(self, store: Store, edits: Edits, shown: ShownResults, courier: Courier) -> None:
        self._store = store
        self._edits = edits
        self._shown = shown
        self._courier = courier

    async def something_else(self, edit_id: str, person: int) -> Edit:
        """Show the objects found in the photo by number, in place of the result or the question that is shown.

        Raises:
            PersonError: As `Edits.get_owned` and `Edits.submit` do; ``still-working``.
        """
        shown = await self._edits.get_owned(edit_id, person)
        is_question = shown.state in (State.FAILED, State.CANCELLED) and shown.is_doubtful
        is_result = shown.state is State.DONE or shown.stage is Stage.DELIVERING
        if shown.operation is Operation.ERASE or not (is_question or is_result):
            raise PersonError("still-working")
        pending, _ = await self._store.variants.unfinished_in_message(shown)
        if any(other.id != shown.id and not (other.chooses and other.parent == shown.id) for other in pending):
            raise PersonError("still-working")
        choice, is_new = await self._edits.submit(EditRequest.something_else(shown))
        if not is_new:  # the person went back to the result, and asks for something else again
            choice = await self._store.queueing.ask_for_choice_again(choice.id) or choice
            self._edits.schedule(choice)
        return choice

    async def choose(self, edit_id: str, person: int, numbers: Collection[int]) -> Edit:
        """Continue with the objects of these numbers.

        Raises:
            PersonError: As `Edits.get_owned` and `Edits.submit` do; ``too-old`` (an object does not exist, or the edit
                has failed or was cancelled); ``choose-first`` (no number is given).
        """
        edit = await self._edits.get_owned(edit_id, person)
        return await self._choose(edit, numbers, await self._store.objects.marked(edit_id))

    async def choose_all(self, edit_id: str, person: int) -> Edit:
        """Continue with all objects. Raises as `choose` does."""
        edit = await self._edits.get_owned(edit_id, person)
        marked = await self._store.objects.marked(edit_id)
        return await self._choose(edit, marked.keys(), marked)

    async def choose_marked(self, edit_id: str, person: int) -> Edit:
        """Continue with the objects that the person has marked. Raises as `choose` does."""
        edit = await self._edits.get_owned(edit_id, person)
        marked = await self._store.objects.marked(edit_id)
        return await self._choose(edit, [number for number, chosen in marked.items() if chosen], marked)

    async def _choose(self, edit: Edit, numbers: Collection[int], marked: Mapping[int, bool]) -> Edit:
        if not numbers:
            raise PersonError("choose-first")
        if edit.state is State.DONE:  # a second press: the objects are deleted with the answer
            return edit
        if not set(numbers) <= marked.keys() or edit.state in (State.FAILED, State.CANCELLED):
            raise PersonError("too-old")
        queued = await self._store.queueing.queue_with_objects(edit.id, numbers)
        if queued is not None:
            self._edits.schedule(queued)
        return queued or edit

    async def mark(self, edit_id: str, person: int, number: int | None = None, *, chosen: bool = True) -> None:
        """Mark or unmark an object (None: change nothing), and show the buttons for choosing several.

        Raises:
            PersonError: As `Edits.get_owned` does; ``too-old`` if the edit does not wait for a choice.
        """
        edit = await self._edits.get_owned(edit_id, person)
        if edit.state is not State.WAITING_FOR_CHOICE:
            raise PersonError("too-old")
        if number is not None:
            await self._store.objects.mark(edit_id, number, chosen=chosen)
        self._edits.run_in_background(partial(self._show_marked, edit.id))

    async def _show_marked(self, edit_id: str) -> None:
        """Show the current buttons for choosing several; do nothing if the person has chosen in the meantime."""
        edit = await self._store.get(edit_id)
        if edit is not None and edit.state is State.WAITING_FOR_CHOICE:
            marked = await self._store.objects.marked(edit_id)
            await self._courier.show_marked(edit, marked, can_go_back=await self._edits.can_go_back(edit))

    async def go_back(self, edit_id: str, person: int) -> Edit:
        """Show the result again that was shown before the question, or before a variant that failed or was stopped.

        Raises:
            PersonError: As `Edits.get_owned` and `Edits.submit` do; ``too-old`` if there is none; ``still-working`` if
                the variant is being made again.
        """
        edit = await self._edits.get_owned(edit_id, person)
        if edit.state in PENDING_STATES:
            raise PersonError("still-working")
        can_leave = edit.state in (State.WAITING_FOR_CHOICE, State.FAILED, State.CANCELLED)
        before = await result_before(self._store, edit) if can_leave else None
        if before is None:
            raise PersonError("too-old")
        await self._store.cancel(edit.id, keep_objects=True)
        self._shown.show(edit, before)
        return before
