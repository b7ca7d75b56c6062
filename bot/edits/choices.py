"""Lets a person correct a wrong find: the things found in the photo are shown by number, and the person chooses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from bot.edits.model import Edit, Operation, Stage, State, follow_up_request
from bot.edits.ports import Courier
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.errors import PersonError


class Choices:
    """What a person may ask for once the wrong thing was found. Every method may be repeated without harm.

    Args:
        store: What is remembered.
        edits: The edits' own door.
        courier: Who carries words.
    """

    def __init__(self, store: Store, edits: Edits, courier: Courier) -> None:
        self._store = store
        self._edits = edits
        self._courier = courier

    async def something_else(self, edit_id: str, person: int) -> Edit:
        """Show what else was found in the photo, in place of the result or the question that is shown.

        Raises:
            PersonError: As `Edits.own` and `Edits.submit` do; ``still-working``.
        """
        shown = await self._edits.own(edit_id, person)
        is_question = shown.state in (State.FAILED, State.CANCELLED) and shown.is_doubtful
        is_result = shown.state is State.DONE or shown.stage is Stage.DELIVERING
        if shown.operation is Operation.ERASE or not (is_question or is_result):
            raise PersonError("still-working")
        asked, new = await self._edits.submit(
            follow_up_request(
                shown,
                f"{shown.id}:else",
                seed=0,
                parent=shown.id,
                status_message=shown.status_message,
                chooses=True,
            )
        )
        if not new:  # the person went back, and wants something else after all
            asked = await self._store.choose_again(asked.id) or asked
            self._edits.schedule(asked)
        return asked

    async def take(self, edit_id: str, person: int, numbers: Collection[int]) -> Edit:
        """Go on with the things of these numbers.

        Raises:
            PersonError: As `Edits.own` and `Edits.submit` do; ``too-old`` (there is no such thing any more, or it
                cannot be chosen any more); ``choose-first`` (no number is given).
        """
        edit = await self._edits.own(edit_id, person)
        return await self._take(edit, numbers, await self._store.things.marked(edit_id))

    async def take_all(self, edit_id: str, person: int) -> Edit:
        """Go on with all that was found. Raises as `take` does."""
        edit = await self._edits.own(edit_id, person)
        marked = await self._store.things.marked(edit_id)
        return await self._take(edit, marked.keys(), marked)

    async def take_marked(self, edit_id: str, person: int) -> Edit:
        """Go on with the things that the person has marked. Raises as `take` does."""
        edit = await self._edits.own(edit_id, person)
        marked = await self._store.things.marked(edit_id)
        return await self._take(edit, [number for number, chosen in marked.items() if chosen], marked)

    async def _take(self, edit: Edit, numbers: Collection[int], marked: Mapping[int, bool]) -> Edit:
        if not numbers:
            raise PersonError("choose-first")
        if not set(numbers) <= marked.keys() or edit.state in (State.FAILED, State.CANCELLED):
            raise PersonError("too-old")
        queued = await self._store.queue_with_things(edit.id, numbers)
        if queued is not None:
            self._edits.schedule(queued)
        return queued or edit

    async def mark(self, edit_id: str, person: int, number: int | None = None, *, chosen: bool = True) -> None:
        """Mark one more thing, or one less (None: change nothing), and show the buttons for several.

        Raises:
            PersonError: As `Edits.own` does; ``too-old`` where the edit does not wait for a choice.
        """
        edit = await self._waiting(edit_id, person)
        if number is not None:
            await self._store.things.mark(edit_id, number, chosen=chosen)
        self._edits.soon(partial(self._show_marked, edit.id))

    async def _show_marked(self, edit_id: str) -> None:
        """Show the buttons for several as they are now; nothing where the person has chosen meanwhile."""
        edit = await self._store.get(edit_id)
        if edit is not None and edit.state is State.WAITING_FOR_CHOICE:
            marked = await self._store.things.marked(edit_id)
            await self._courier.show_marked(edit, marked, can_go_back=await self._edits.can_go_back(edit))

    async def back(self, edit_id: str, person: int) -> Edit:
        """Show the result again from which the person came.

        Raises:
            PersonError: As `Edits.own` and `Edits.submit` do; ``too-old`` where there is none.
        """
        edit = await self._edits.own(edit_id, person)
        before = await self._store.get(edit.parent) if edit.parent and edit.chooses else None
        may_go = edit.state in (State.WAITING_FOR_CHOICE, State.FAILED, State.CANCELLED)
        if not may_go or before is None or not before.has_mask or before.error is not None:
            raise PersonError("too-old")
        again = await self._store.show_again(before.id)
        await self._store.cancel(edit.id)
        if again is not None:
            self._edits.schedule(again)
        return again or before

    async def _waiting(self, edit_id: str, person: int) -> Edit:
        edit = await self._edits.own(edit_id, person)
        if edit.state is not State.WAITING_FOR_CHOICE:
            raise PersonError("too-old")
        return edit
