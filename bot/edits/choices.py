"""Lets a person correct a wrong find: the things found in the photo are shown by number, and the person chooses."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from bot.edits.editor import DOUBTFUL
from bot.edits.model import Edit, Operation, Stage, State, order_after
from bot.edits.ports import Courier
from bot.edits.service import Edits
from bot.edits.store import Store
from bot.errors import PersonError

QUESTIONS = (DOUBTFUL, "nothing-found")
"""Why an edit may have stopped so that something else can be shown in its place."""


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
        is_question = shown.state is State.FAILED and shown.error in QUESTIONS
        is_result = shown.state is State.DONE or shown.stage is Stage.DELIVERING
        if shown.operation is Operation.ERASE or not (is_question or is_result):
            raise PersonError("still-working")
        if shown.chooses:
            return await self._ask_again(shown, shown.parent or shown.id)
        asked, new = await self._edits.submit(
            order_after(
                shown,
                f"{shown.parent or shown.id}:else:{shown.finish}{'' if shown.shadow else ':shadow'}",
                seed=0,
                parent=shown.id,
                status_message=shown.status_message,
                chooses=True,
            )
        )
        return asked if new else await self._ask_again(asked, shown.id)

    async def _ask_again(self, edit: Edit, parent: str) -> Edit:
        asked = await self._store.choose_again(edit.id, parent)
        if asked is not None:
            self._edits.schedule(asked)
        elif edit.stage is Stage.DELIVERING:  # its result is shown, but not noted as delivered yet
            raise PersonError("still-working")
        return asked or edit

    async def take(self, edit_id: str, person: int, numbers: Collection[int]) -> Edit:
        """Go on with the things of these numbers.

        Raises:
            PersonError: As `Edits.own` and `Edits.submit` do; ``too-old`` (there is no such thing any more);
                ``choose-first`` (no number is given).
        """
        edit = await self._edits.own(edit_id, person)
        if not numbers:
            raise PersonError("choose-first")
        if not set(numbers) <= (await self._store.things.marked(edit_id)).keys():
            raise PersonError("too-old")
        queued = await self._store.queue_with_things(edit_id, numbers)
        if queued is not None:
            self._edits.schedule(queued)
        return queued or edit

    async def take_all(self, edit_id: str, person: int) -> Edit:
        """Go on with all that was found. Raises as `take` does."""
        await self._edits.own(edit_id, person)
        return await self.take(edit_id, person, (await self._store.things.marked(edit_id)).keys())

    async def take_marked(self, edit_id: str, person: int) -> Edit:
        """Go on with the things that the person has marked. Raises as `take` does."""
        await self._edits.own(edit_id, person)
        marked = await self._store.things.marked(edit_id)
        return await self.take(edit_id, person, [number for number, chosen in marked.items() if chosen])

    async def mark(self, edit_id: str, person: int, number: int | None = None, *, chosen: bool = True) -> None:
        """Mark one more thing, or one less (None: change nothing), and show the buttons for several.

        Raises:
            PersonError: As `Edits.own` does; ``too-old`` where the edit does not wait for a choice.
        """
        edit = await self._waiting(edit_id, person)
        if number is not None:
            await self._store.things.mark(edit_id, number, chosen=chosen)
        marked = await self._store.things.marked(edit_id)
        self._edits.soon(partial(self._courier.show_marked, edit, marked))

    async def back(self, edit_id: str, person: int) -> Edit:
        """Show the result again from which the person came.

        Raises:
            PersonError: As `Edits.own` and `Edits.submit` do; ``too-old`` where there is none.
        """
        edit = await self._waiting(edit_id, person)
        before = await self._store.get(edit.parent) if edit.parent else None
        if before is None or not before.has_mask or before.error is not None:
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
