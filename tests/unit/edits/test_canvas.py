"""What the canvas shows: masks, previews, results, selections and progress."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bot.edits.canvas import MAX_TAPS
from bot.edits.model import Operation, Stage, State
from bot.errors import PersonError
from bot.imaging import masks
from bot.imaging.photo import Mask
from bot.segmentation import Tap
from tests.support import encoded, record_turns, scene
from tests.unit.edits.canvas_world import ADA, SIZE, World, opened_png, painted, png


def dilated(mask: Mask) -> Mask:
    """A found mask as the person gets it: dilated over the object's edge, as a hand paints."""
    height, width = mask.shape
    return masks.dilate(mask, masks.dilation_radius(width, height, coarse=False))


async def test_a_found_mask_is_dilated_if_erased_and_exact_if_kept(
    world: World,
) -> None:
    subject = painted()
    for operation, wanted in ((Operation.REMOVE_SUBJECT, dilated(subject)), (Operation.REMOVE_BACKGROUND, subject)):
        edit = await world.opened(operation)
        assert await world.canvas.mask(edit) is None
        await world.store.change(edit.id, mask=encoded(Image.fromarray(subject), "PNG"), mask_is_matte=True)
        assert np.array_equal(opened_png(await world.canvas.mask(edit)), wanted)
        await world.finish(edit)
    assert await world.canvas.mask(await world.erased()) == png()


async def test_previews_are_jpegs_of_at_most_2048_pixels(world: World) -> None:
    world.courier.photos["file"] = encoded(Image.new("RGB", (3000, 1500), (9, 99, 199)), "PNG")
    edit = await world.opened()
    preview = Image.open(io.BytesIO(await world.canvas.photo_preview(edit)))
    assert (preview.format, preview.size) == ("JPEG", (2048, 1024))


async def test_the_result_is_available_once_done(world: World) -> None:
    edit = await world.opened()
    for ask in (world.canvas.result, world.canvas.result_preview):
        with pytest.raises(PersonError) as refused:
            await ask(edit)
        assert refused.value.message_id == "still-working"
    done = await world.finish(await world.canvas.submit_mask(edit, png(), key=None))
    assert await world.canvas.result(done) == (world.courier.photos["result"], "PNG")
    assert Image.open(io.BytesIO(await world.canvas.result_preview(done))).size == SIZE


async def test_taps_select_an_object_and_surplus_taps_are_ignored(world: World) -> None:
    world.courier.photos["file"] = encoded(scene(3000, 2250))  # larger than what is worked on
    edit = await world.opened()
    taps = [Tap(1500, 1100 + number % 7) for number in range(MAX_TAPS)]
    found = np.asarray(Image.open(io.BytesIO(await world.canvas.select(edit, taps))).convert("L"))
    block = np.zeros((2250, 3000), np.uint8)
    block[750:1500, 1000:2000] = 255
    assert found.shape == block.shape
    assert (found[block > 0] == 255).all(), "dilated, as a hand would paint over its rim"
    assert np.count_nonzero(found) < 1.15 * np.count_nonzero(block)
    kept = opened_png(await world.canvas.select(await world.opened(Operation.REMOVE_BACKGROUND), taps))
    assert np.array_equal(kept & found, kept)
    assert 0.97 * np.count_nonzero(block) < np.count_nonzero(kept) < 1.03 * np.count_nonzero(block), "the object itself"
    off = [Tap(1500, 1100, keep=False) for _ in range(9)]
    again = np.asarray(Image.open(io.BytesIO(await world.canvas.select(edit, [*taps, *off]))).convert("L"))
    assert np.array_equal(found, again)


async def test_events_report_progress_until_the_edit_ends(world: World) -> None:
    edit = await world.opened()
    events = world.canvas.events(edit)
    assert (await anext(events)).kind == "waiting"
    await world.opened(Operation.REMOVE_SUBJECT)
    await world.canvas.submit_mask(edit, png(), key=None)
    event = await anext(events)
    assert (event.kind, event.position) == ("queued", 0)
    await world.store.begin(edit.id)
    await world.store.change(edit.id, stage=Stage.INPAINTING)
    event = await anext(events)
    assert (event.kind, event.stage) == ("stage", Stage.INPAINTING)
    await world.finish(edit)
    assert [event.kind async for event in events] == ["done"]


async def test_events_of_an_ended_edit_report_its_end(world: World) -> None:
    edit = await world.opened()
    await world.store.change(edit.id, state=State.FAILED, error="nothing-found")
    assert [(event.kind, event.error) async for event in world.canvas.events(edit)] == [("failed", "nothing-found")]
    other = await world.opened()
    await world.canvas.cancel(other)
    assert [event.kind async for event in world.canvas.events(other)] == ["cancelled"]
    assert world.queue.cancelled == [other.id]
    with pytest.raises(PersonError) as late:
        await world.canvas.cancel(other)
    assert late.value.message_id == "too-late"


async def test_every_pixel_job_is_the_persons_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = record_turns(monkeypatch)
    edit = await world.opened()
    opened = await world.canvas.own(edit.id, ADA)
    assert opened is not None
    await world.canvas.photo_preview(opened)
    await world.canvas.select(opened, [Tap(160, 120)])
    done = await world.finish(await world.canvas.submit_mask(opened, png(), key=None))
    await world.canvas.result_preview(done)
    found = await world.store.change(done.id, mask=encoded(Image.fromarray(painted()), "PNG"), mask_is_matte=True)
    assert found is not None
    await world.canvas.mask(found)
    assert asked == [ADA] * 6
