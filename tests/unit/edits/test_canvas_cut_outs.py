"""Correcting a cut-out by hand on the canvas."""

from __future__ import annotations

import numpy as np
from PIL import Image

from bot.edits.model import Edit, Operation, State
from bot.imaging.encoding import encode_mask
from tests.support import encoded
from tests.unit.edits.canvas_world import ADA, SIZE, World, opened_png, painted, png


async def cut_out(world: World) -> Edit:
    """A finished cut-out on white, with the matte that was found."""
    edit = await world.opened(Operation.REMOVE_BACKGROUND)
    matte = encoded(Image.fromarray(painted()), "PNG")
    await world.store.change(edit.id, mask=matte, mask_is_matte=True, finish="white", seed=3)
    return await world.finish(edit)


async def test_a_cut_out_is_corrected_as_a_cut_out(world: World) -> None:
    edit = await cut_out(world)
    draft = await world.edits.fix_by_hand(edit.id, ADA)
    assert (draft.operation, draft.state, draft.parent) == (
        Operation.REMOVE_BACKGROUND,
        State.WAITING_FOR_MASK,
        edit.id,
    )
    assert (draft.photo, draft.finish, draft.seed) == (edit.photo, "white", 3)
    assert np.array_equal(opened_png(await world.canvas.mask(draft)), painted()), "the subject itself, with no rim"
    assert (await world.edits.fix_by_hand(edit.id, ADA)).id == draft.id
    queued = await world.canvas.submit_mask(draft, png(at=3), key="a")
    assert (queued.id, queued.operation, queued.state) == (draft.id, Operation.REMOVE_BACKGROUND, State.QUEUED)
    corrected = await world.finish(queued)
    assert await world.canvas.mask(corrected) == png(at=3)
    again = await world.edits.fix_by_hand(corrected.id, ADA)
    assert (again.parent, again.photo, again.finish) == (corrected.id, edit.photo, "white")
    assert await world.canvas.mask(again) == png(at=3), "what is corrected once more is the corrected one"


async def test_the_fix_button_starts_another_correction_after_the_first_is_done(world: World) -> None:
    edit = await cut_out(world)
    first = await world.edits.fix_by_hand(edit.id, ADA)
    await world.finish(await world.canvas.submit_mask(first, png(), key="a"))
    second = await world.edits.fix_by_hand(edit.id, ADA)
    assert (second.id != first.id, second.state) == (True, State.WAITING_FOR_MASK)
    assert np.array_equal(opened_png(await world.canvas.mask(second)), painted())


async def test_a_removed_subject_is_corrected_by_erasing(world: World) -> None:
    edit = await world.finish(await world.opened(Operation.REMOVE_SUBJECT))
    fixed = await world.edits.fix_by_hand(edit.id, ADA)
    assert (fixed.operation, fixed.state, fixed.parent) == (Operation.ERASE, State.WAITING_FOR_MASK, edit.id)


async def test_each_round_of_a_correction_cuts_out_the_photo_itself(world: World) -> None:
    draft = await world.edits.fix_by_hand((await cut_out(world)).id, ADA)
    first = await world.finish(await world.canvas.submit_mask(draft, png(at=3), key="a"))
    for on_photo in (False, True):
        again = await world.canvas.submit_mask(first, png(at=4), key="b", on_photo=on_photo)
        assert (again.operation, again.photo, again.parent) == (Operation.REMOVE_BACKGROUND, first.photo, first.id)
        assert (again.finish, again.seed) == ("white", 3)
        assert await world.stored(again) == png(at=4)
        await world.finish(again)


async def test_another_finish_keeps_a_correction_and_its_variants(world: World) -> None:
    edit = await cut_out(world)
    blurred = await world.finish(await world.variants.change_finish(edit.id, ADA, "blur"))
    draft = await world.edits.fix_by_hand(edit.id, ADA)
    corrected = await world.finish(await world.canvas.submit_mask(draft, png(at=3), key="a"))
    refinished = await world.variants.change_finish(corrected.id, ADA, "blur")
    assert (refinished.id != blurred.id, refinished.parent) == (True, corrected.id)
    assert await world.stored(refinished) == png(at=3)
    await world.finish(refinished)
    third = await world.finish(await world.variants.change_finish(refinished.id, ADA, "transparent"))
    assert third.parent == corrected.id
    assert (await world.variants.change_finish(third.id, ADA, "blur")).id == refinished.id
    assert (await world.variants.change_finish(blurred.id, ADA, "blur")).id == blurred.id, "its own variants are others"


async def test_a_correction_continues_in_the_private_chat_as_a_cut_out(world: World) -> None:
    draft = await world.edits.fix_by_hand((await cut_out(world)).id, ADA)
    private = await world.edits.continue_in_private(draft.id, ADA, ADA, 99, "en")
    assert (private.operation, private.finish, private.seed) == (Operation.REMOVE_BACKGROUND, "white", 3)
    assert (private.parent, private.message, private.id != draft.id) == (draft.parent, 99, True)
    assert np.array_equal(opened_png(await world.canvas.mask(private)), painted())


async def test_a_bad_mask_of_what_stays_has_its_own_errors(world: World) -> None:
    draft = await world.edits.fix_by_hand((await cut_out(world)).id, ADA)
    assert await world.refusal(draft, encode_mask(np.zeros(SIZE[::-1], np.uint8))) == "keep-empty"
    assert await world.refusal(draft, encode_mask(np.full(SIZE[::-1], 255, np.uint8))) == "keep-everything"
    assert await world.refusal(draft, b"no picture") == "mask-broken"
