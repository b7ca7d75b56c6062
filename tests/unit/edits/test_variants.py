"""Tries of a result: which are kept and counted, what a press asks for, and what is shown after many presses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.edits.follow_ups import can_go_back, photo_as_sent, variant_request
from bot.edits.model import Edit, Operation, PhotoRef, Stage, State, Tries
from bot.edits.shown_results import ShownResults
from bot.edits.variants import Variants
from bot.errors import OutageError, PersonError
from tests.unit.edits.canvas_world import ADA, BEN, World, png

MESSAGE = 50


async def removed(world: World, **values: object) -> Edit:
    """A finished /remove_subject, shown in a message."""
    edit = await world.opened(Operation.REMOVE_SUBJECT)
    await world.store.change(edit.id, mask=b"matte", mask_is_matte=True, status_message=MESSAGE, **values)
    return await world.finish(edit)


async def tries(world: World, count: int) -> list[Edit]:
    kept = [await removed(world)]
    for _ in range(count - 1):
        kept.append(await world.finish(await world.variants.another(kept[-1].id, ADA)))
    return kept


class Shown:
    """Collects what `ShownResults` puts into the background, and what the courier is asked to show."""

    def __init__(self, world: World) -> None:
        self.work: list[object] = []
        self.calls: list[tuple[str, str]] = []
        self.error: Exception | None = None
        world.edits.run_in_background = self.work.append  # type: ignore[method-assign]
        self.results = ShownResults(world.store, world.edits, self)  # type: ignore[arg-type]
        self.variants = Variants(world.store, world.edits, self.results, self)  # type: ignore[arg-type]

    async def run(self) -> list[tuple[str, str]]:
        """Run the background's work; returns what was shown."""
        self.calls.clear()
        while self.work:
            await self.work.pop(0)()  # type: ignore[operator]
        return list(self.calls)

    async def show_result(self, edit: Edit, tries: Tries) -> None:
        self.calls.append((edit.id, f"{tries.number}/{tries.count}"))
        if self.error is not None:
            raise self.error

    async def show_original(self, edit: Edit, photo: PhotoRef) -> None:
        self.calls.append((edit.id, photo.file_id))


async def refusal(press: object) -> str:
    with pytest.raises(PersonError) as refused:
        await press  # type: ignore[misc]
    return refused.value.message_id


async def test_another_try_is_the_next_one_and_a_second_press_the_same(world: World) -> None:
    first = await removed(world)
    second, again = [await world.variants.another(first.id, ADA, 2) for _ in range(2)]
    assert (second.id, second.seed, second.parent, second.status_message) == (again.id, 1, first.id, MESSAGE)
    await world.finish(second)
    assert (await world.variants.another(first.id, ADA, 2)).id == second.id, "it exists"
    third = await world.variants.another(first.id, ADA, 3)
    assert (third.seed, third.parent) == (2, first.id)


async def test_of_a_swept_try_the_number_is_free_again(world: World) -> None:
    kept = await tries(world, 4)
    assert (await world.variants.another(kept[3].id, ADA)).id == kept[3].id, "four are the most"
    await world.store.deletion.delete_person(BEN, [kept[0]])
    assert await world.store.variants.tries(kept[3]) == Tries(3, 3)
    new = await world.variants.another(kept[3].id, ADA, 4)
    assert (new.seed, new.parent) == (0, kept[0].id)
    await world.finish(new)
    assert await world.store.variants.tries(new) == Tries(4, 4)
    assert await refusal(world.variants.flip(kept[0].id, ADA, 1)) == "too-old"


async def test_with_and_without_the_shadow_have_tries_of_their_own(world: World) -> None:
    first, second = await tries(world, 2)
    without = await world.finish(await world.variants.change_shadow(second.id, ADA, erased=False))
    assert without.seed == second.seed
    assert await world.store.variants.tries(without) == Tries(1, 1)
    assert await world.store.variants.tries(first) == Tries(1, 2)
    assert (await world.variants.change_shadow(without.id, ADA, erased=True)).id == second.id, "it is kept"
    other = await world.variants.another(without.id, ADA, 2)
    assert (other.shadow, other.seed) == (False, 0)


async def test_rounds_and_corrections_are_no_tries(world: World) -> None:
    erased = await world.erased()
    await world.store.change(erased.id, status_message=MESSAGE)
    later = await world.finish(await world.canvas.submit_mask(erased, png(at=4), key="second"))
    assert later.parent == erased.id
    await world.finish(await world.edits.fix_by_hand(erased.id, ADA))
    assert await world.store.variants.tries(erased) == Tries(1, 1)
    await world.store.change(later.id, status_message=MESSAGE + 1)
    variant = await world.variants.another(later.id, ADA)
    assert (variant.parent, variant.photo) == (later.id, later.photo)
    assert await photo_as_sent(world.store, variant) == erased.photo, "not the result of the round before"


async def test_notes_about_the_find_hold_for_variants(world: World) -> None:
    cut_out = await world.opened(Operation.REMOVE_BACKGROUND)
    await world.store.change(cut_out.id, mask=b"m", mask_is_matte=True, notes="note-doubtful,note-cloud-down")
    request = await variant_request(world.store, replace(await world.finish(cut_out), finish="white"))
    assert request.notes == ("note-doubtful",)
    white, _ = await world.edits.submit(request)
    assert white.notes == ("note-doubtful",)


async def test_many_wishes_show_the_last(world: World) -> None:
    shown, (first, second, third) = Shown(world), await tries(world, 3)
    for _ in range(10):
        await shown.variants.flip(third.id, ADA, 1)
        await shown.variants.flip(third.id, ADA, -1)
    assert await shown.run() == [(second.id, "2/3")]
    await shown.variants.flip(third.id, ADA, -1)
    assert await shown.run() == [], "the client shows the old buttons for a moment longer"
    await shown.variants.flip(second.id, ADA, -1)
    assert await shown.run() == [(first.id, "1/3")]
    await shown.variants.show_original(first.id, ADA)
    await shown.variants.show_result(first.id, ADA)
    await shown.variants.show_original(first.id, ADA)
    assert await shown.run() == [(first.id, "file")]


async def test_after_an_outage_the_same_press_is_heard_again(world: World) -> None:
    shown, (first, second) = Shown(world), await tries(world, 2)
    shown.error = OutageError("telegram-trouble")
    await shown.variants.flip(second.id, ADA, 1)
    assert await shown.run() == [(first.id, "1/2")]
    shown.error = None
    await shown.variants.flip(second.id, ADA, 1)
    assert await shown.run() == [(first.id, "1/2")]


async def test_what_became_pending_or_was_deleted_in_the_meantime_is_not_shown(world: World) -> None:
    shown, (_, second) = Shown(world), await tries(world, 2)
    await shown.variants.flip(second.id, ADA, 1)
    third = await world.variants.another(second.id, ADA, 3)
    assert await shown.run() == []
    await world.finish(third, State.CANCELLED)
    await shown.variants.flip(second.id, ADA, 1)
    await world.store.deletion.delete_person(ADA, await world.store.deletion.ended_of(ADA))
    assert await shown.run() == []


async def test_the_way_back_leads_to_what_was_shown_last(world: World) -> None:
    shown, (first, second) = Shown(world), await tries(world, 2)
    await shown.variants.flip(second.id, ADA, 1)
    await shown.run()
    third = await world.finish(await world.variants.another(first.id, ADA, 3), State.FAILED)
    before = await world.store.variants.shown_before(third)
    assert before is not None
    assert before.id == first.id
    assert await can_go_back(world.store, third)
    again = await world.variants.another(first.id, ADA, 3)
    assert (again.id, again.state, again.attempt) == (third.id, State.QUEUED, 2)


async def test_a_flip_right_after_the_delivery_waits_until_that_is_recorded(world: World) -> None:
    shown, (_, second) = Shown(world), await tries(world, 2)
    third = await world.variants.another(second.id, ADA, 3)
    await world.store.change(third.id, state=State.RUNNING, stage=Stage.DELIVERING)
    await shown.variants.flip(third.id, ADA, -1)
    look = world.store.variants.unfinished_in_message

    async def look_and_record(edit: Edit) -> tuple[list[Edit], list[Edit]]:
        found = await look(edit)
        await world.store.change(third.id, state=State.DONE, stage=None, result_file_id="r", result_unique_id="u")
        return found

    world.store.variants.unfinished_in_message = look_and_record  # type: ignore[method-assign]
    assert await shown.run() == [(second.id, "2/3")]
    before = await world.store.variants.shown_before(replace(third, id="the next one"))
    assert before is not None
    assert before.id == second.id, "it was shown after the third"


async def test_a_first_edit_that_fails_has_no_way_back(world: World) -> None:
    await removed(world)
    other = await world.opened(Operation.REMOVE_SUBJECT)
    failed = await world.store.change(other.id, state=State.FAILED, status_message=MESSAGE + 1)
    assert failed is not None
    assert not await can_go_back(world.store, failed)
