"""Submitting masks: each counts once however often it is sent, and further masks are further rounds."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from bot.edits.model import Operation, State
from bot.errors import PersonError
from bot.imaging.encoding import encode_mask
from tests.unit.edits.canvas_world import ADA, BEN, SIZE, World, painted, png


async def test_an_edit_is_shown_to_its_owner_with_its_photos_size(world: World) -> None:
    edit = await world.opened()
    mine = await world.canvas.own(edit.id, ADA)
    assert mine is not None
    assert (mine.id, mine.width, mine.height) == (edit.id, *SIZE)
    await world.canvas.own(edit.id, ADA)
    assert world.courier.fetched == ["file"]


async def test_other_people_do_not_see_an_edit_and_cause_no_fetch(world: World) -> None:
    edit = await world.opened()
    assert await world.canvas.own(edit.id, BEN) is None
    assert await world.canvas.own("nothing", ADA) is None
    assert world.courier.fetched == []


async def test_the_first_mask_belongs_to_the_waiting_edit(world: World) -> None:
    edit = await world.opened()
    assert edit.state is State.WAITING_FOR_MASK
    queued = await world.canvas.submit_mask(edit, png(), key="k")
    assert (queued.id, queued.state, queued.has_mask) == (edit.id, State.QUEUED, True)
    assert await world.stored(edit) == png()


@pytest.mark.parametrize("key", ["k", None])
async def test_a_repeated_mask_is_the_same_submission(world: World, key: str | None) -> None:
    edit = await world.opened()
    first = await world.canvas.submit_mask(edit, png(), key=key)
    assert (await world.canvas.submit_mask(edit, png(), key=key)).id == first.id
    await world.finish(first)
    assert (await world.canvas.submit_mask(edit, png(), key=key)).id == first.id
    assert await world.store.pending_of(ADA) == []


async def test_concurrent_repeats_of_a_mask_are_one_submission(world: World) -> None:
    edit = await world.opened()
    both = await asyncio.gather(*(world.canvas.submit_mask(edit, png(), key="k") for _ in range(5)))
    assert {one.id for one in both} == {edit.id}
    assert {one.state for one in both} == {State.QUEUED}
    await world.finish(edit)
    rounds = await asyncio.gather(*(world.canvas.submit_mask(edit, png(at=5), key="l") for _ in range(5)))
    assert len({one.id for one in rounds}) == 1
    assert rounds[0].id != edit.id


async def test_the_same_mask_with_a_new_key_is_a_new_round_on_the_result(world: World) -> None:
    edit = await world.erased()
    again = await world.canvas.submit_mask(edit, png(), key="second")
    assert again.id != edit.id
    assert (again.parent, again.operation, again.state) == (edit.id, Operation.ERASE, State.QUEUED)
    assert (again.photo.file_id, again.photo.unique_id) == ("result", "ru")
    assert await world.stored(again) == png()
    assert (await world.canvas.submit_mask(edit, png(), key="second")).id == again.id
    assert (await world.store.pending_of(ADA)) == [again]


async def test_rounds_follow_one_another(world: World) -> None:
    first = await world.erased()
    second = await world.finish(await world.canvas.submit_mask(first, png(at=4), key="b"))
    third = await world.canvas.submit_mask(second, png(at=6), key="c")
    assert [third.parent, second.parent] == [second.id, first.id]
    other = await world.canvas.submit_mask(first, png(at=6), key="c")
    assert other.id != third.id


async def test_another_mask_is_refused_while_the_edit_runs(world: World) -> None:
    edit = await world.opened()
    await world.canvas.submit_mask(edit, png(), key="a")
    assert await world.refusal(edit, png(at=5), key="b") == "still-working"
    await world.store.begin(edit.id)
    assert await world.refusal(edit, png(at=5), key="b") == "still-working"
    assert await world.stored(edit) == png()


async def test_after_undoing_the_result_a_round_works_on_the_photo(world: World) -> None:
    edit = await world.erased()
    on_result = await world.finish(await world.canvas.submit_mask(edit, png(), key="second"))
    on_photo = await world.canvas.submit_mask(edit, png(), key="second", on_photo=True)
    assert on_photo.id != on_result.id
    assert on_photo.photo == edit.photo


async def test_an_automatic_result_is_corrected_on_its_photo(world: World) -> None:
    edit = await world.finish(await world.opened(Operation.REMOVE_SUBJECT))
    corrected = await world.canvas.submit_mask(edit, png(), key=None)
    assert (corrected.operation, corrected.photo, corrected.parent) == (Operation.ERASE, edit.photo, edit.id)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
async def test_after_a_failure_the_next_round_is_on_the_photo(world: World, state: State) -> None:
    edit = await world.opened()
    await world.finish(await world.canvas.submit_mask(edit, png(), key="a"), state)
    again = await world.canvas.submit_mask(edit, png(), key="b")
    assert (again.id != edit.id, again.photo) == (True, edit.photo)


async def test_a_round_on_a_file_stays_a_file(world: World) -> None:
    edit = await world.erased(as_file=True)
    again = await world.canvas.submit_mask(edit, png(), key="second")
    assert (again.photo.file_id, again.photo.as_file, again.photo.name) == ("result", True, "beach.png")


async def test_an_unusable_mask_changes_nothing(world: World) -> None:
    edit = await world.opened()
    assert await world.refusal(edit, b"no picture") == "mask-broken"
    assert await world.refusal(edit, b"") == "mask-broken"
    assert await world.refusal(edit, encode_mask(painted(240, 320))) == "mask-wrong-shape"
    assert await world.refusal(edit, encode_mask(np.zeros((240, 320), np.uint8))) == "mask-empty"
    assert await world.refusal(edit, b"\x89PNG\r\n\x1a\n" + b"\0" * 5_000_000) == "mask-broken"
    known = await world.store.get(edit.id)
    assert known is not None
    assert (known.state, known.has_mask) == (State.WAITING_FOR_MASK, False)


async def test_a_person_with_too_many_pending_edits_can_submit_later(world: World) -> None:
    edit = await world.opened()
    for _ in range(2):
        await world.opened(Operation.REMOVE_SUBJECT)
    assert await world.refusal(edit, png()) == "too-many-pending"
    known = await world.store.get(edit.id)
    assert known is not None
    assert known.state is State.WAITING_FOR_MASK


async def test_a_deleted_edit_is_too_old(world: World) -> None:
    edit = await world.erased()
    await world.store.deletion.delete_person(ADA, await world.store.deletion.ended_of(ADA))
    assert await world.refusal(edit, png()) == "too-old"


async def test_a_round_replaces_the_picture_in_the_same_message(world: World) -> None:
    first = await world.erased()
    shown = await world.store.change(first.id, status_message=77)
    assert shown is not None
    second = await world.canvas.submit_mask(shown, png(at=5), key="second")
    assert second.status_message == 77
    other = await world.store.change(first.id, state=State.DONE)
    assert other is not None
    with pytest.raises(PersonError, match="still-working"):  # the second round is to replace what the message shows
        await world.canvas.submit_mask(other, png(at=6), key="third")


async def test_the_chat_follows_a_round_that_is_undone_or_redone(world: World) -> None:
    first = await world.erased()
    shown = await world.store.change(first.id, status_message=77)
    assert shown is not None
    second = await world.canvas.submit_mask(shown, png(at=5), key="second")
    await world.canvas.show(shown)
    assert world.shown == [], "a round runs that is to replace what the message shows"
    await world.finish(second)
    for photo in (False, True):
        await world.canvas.show(shown, photo=photo)
    assert world.shown == [(first.id, False), (first.id, True)]


async def test_a_cut_out_corrects_another_only_where_its_mask_differs(world: World) -> None:
    cut = await world.finish(await world.opened(Operation.REMOVE_BACKGROUND))
    await world.store.change(cut.id, mask=png(), status_message=77)
    white = await world.finish(await world.variants.change_finish(cut.id, ADA, "white"))
    assert white.parent == cut.id
    assert await world.canvas.previous(white) is None, "another finish of the same cut-out"
    current = await world.store.get(cut.id)
    assert current is not None
    corrected = await world.canvas.submit_mask(current, png(at=5), key="corrected")
    assert await world.canvas.previous(corrected) == cut.id
