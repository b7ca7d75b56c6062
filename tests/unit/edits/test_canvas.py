"""What the Mini App may ask for: masks that come once however often they are sent, and erasing round after round."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.edits.announcer import Announcer
from bot.edits.canvas import MAX_TAPS, Canvas
from bot.edits.editor import Editor
from bot.edits.model import Edit, EditRequest, Operation, PhotoRef, Stage, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.edits.steps import EditSteps
from bot.errors import PersonError
from bot.imaging import masks
from bot.imaging.encoding import encode_mask
from bot.imaging.photo import Mask
from bot.imaging.pool import PixelPool
from bot.segmentation import Tap
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from tests.support import encoded, scene

ADA, BEN = 7, 8
SIZE = (320, 240)


class Courier:
    """Carries photos out of memory; words are not carried: nothing in the background runs here."""

    def __init__(self) -> None:
        self.photos = {"file": encoded(scene(*SIZE)), "result": encoded(scene(*SIZE, seed=8), "PNG")}
        self.fetched: list[str] = []

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        self.fetched.append(photo.file_id)
        return self.photos[photo.file_id]

    async def show_cancelled(self, edit: Edit, *, can_go_back: bool = False) -> None:
        raise AssertionError("nothing in the background runs here")


class Queue:
    """Notes what it is to stop."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    async def cancel(self, edit_id: str, attempt: int) -> None:
        self.cancelled.append(edit_id)


def painted(width: int = SIZE[0], height: int = SIZE[1], *, at: int = 2) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 8 * at : width // 8 * (at + 1)] = 255
    return mask


def png(*, at: int = 2) -> bytes:
    return encode_mask(painted(at=at))


class World:
    """One canvas, and the edits that are opened on it."""

    def __init__(self, database: Database, pool: PixelPool, folder: Path) -> None:
        self.store = Store(database, EditLimits(pending_per_person=2))
        self.courier, self.queue = Courier(), Queue()
        announcer = Announcer(self.store, self.courier, alone=True)
        photos, results = (FileCache(folder / name, max_bytes=10**8) for name in ("photos", "results"))
        steps = EditSteps(
            store=self.store,
            editor=Editor([], pool, max_megapixels=50),
            courier=self.courier,
            announcer=announcer,
            photos=photos,
            results=results,
            max_file_bytes=10**7,
        )
        self.edits = Edits(self.store, self.queue, self.courier, announcer)
        self.canvas = Canvas(self.edits, steps, pool, max_megapixels=50)
        self._message = 0

    async def opened(self, operation: Operation = Operation.ERASE, *, as_file: bool = False) -> Edit:
        self._message += 1
        photo = PhotoRef("file", "unique", as_file, "beach.png" if as_file else None)
        order = EditRequest(f"{self._message}", ADA, ADA, self._message, operation, photo, "en")
        edit, _ = await self.edits.submit(order)
        return edit

    async def finish(self, edit: Edit, state: State = State.DONE) -> Edit:
        values: dict[str, object] = {"state": state}
        if state is State.DONE:
            values |= {"result_file_id": "result", "result_unique_id": "ru", "result_as_file": edit.photo.as_file}
        done = await self.store.change(edit.id, **values)
        assert done is not None
        return done

    async def erased(self, *, key: str | None = "first", as_file: bool = False) -> Edit:
        edit = await self.opened(as_file=as_file)
        return await self.finish(await self.canvas.submit_mask(edit, png(), key=key))

    async def refusal(self, edit: Edit, mask: bytes, **options: object) -> str:
        with pytest.raises(PersonError) as refused:
            await self.canvas.submit_mask(edit, mask, **{"key": None, **options})
        return refused.value.message_id

    async def stored(self, edit: Edit) -> bytes | None:
        found = await self.store.mask(edit.id)
        return found[0] if found else None


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pixels",)) as pool:
        yield World(database, pool, tmp_path)
    await database.close()


async def test_an_edit_is_shown_to_its_owner_with_its_photos_size(world: World) -> None:
    edit = await world.opened()
    mine = await world.canvas.own(edit.id, ADA)
    assert mine is not None
    assert (mine.id, mine.width, mine.height) == (edit.id, *SIZE)
    await world.canvas.own(edit.id, ADA)
    assert world.courier.fetched == ["file"]


async def test_to_others_it_is_not_there_and_costs_nothing(world: World) -> None:
    edit = await world.opened()
    assert await world.canvas.own(edit.id, BEN) is None
    assert await world.canvas.own("nothing", ADA) is None
    assert world.courier.fetched == []


async def test_the_first_mask_is_the_waiting_edits_own(world: World) -> None:
    edit = await world.opened()
    assert edit.state is State.WAITING_FOR_MASK
    queued = await world.canvas.submit_mask(edit, png(), key="k")
    assert (queued.id, queued.state, queued.has_mask) == (edit.id, State.QUEUED, True)
    assert await world.stored(edit) == png()


@pytest.mark.parametrize("key", ["k", None])
async def test_a_mask_that_is_sent_again_is_the_same_submission(world: World, key: str | None) -> None:
    edit = await world.opened()
    first = await world.canvas.submit_mask(edit, png(), key=key)
    assert (await world.canvas.submit_mask(edit, png(), key=key)).id == first.id
    await world.finish(first)
    assert (await world.canvas.submit_mask(edit, png(), key=key)).id == first.id
    assert await world.store.pending_of(ADA) == []


async def test_one_that_is_sent_twice_at_once_is_one(world: World) -> None:
    edit = await world.opened()
    both = await asyncio.gather(*(world.canvas.submit_mask(edit, png(), key="k") for _ in range(5)))
    assert {one.id for one in both} == {edit.id}
    assert {one.state for one in both} == {State.QUEUED}
    await world.finish(edit)
    rounds = await asyncio.gather(*(world.canvas.submit_mask(edit, png(at=5), key="l") for _ in range(5)))
    assert len({one.id for one in rounds}) == 1
    assert rounds[0].id != edit.id


async def test_the_same_mask_under_a_new_key_is_a_new_round_on_the_result(world: World) -> None:
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


async def test_while_it_is_worked_on_another_mask_has_to_wait(world: World) -> None:
    edit = await world.opened()
    await world.canvas.submit_mask(edit, png(), key="a")
    assert await world.refusal(edit, png(at=5), key="b") == "still-working"
    await world.store.begin(edit.id)
    assert await world.refusal(edit, png(at=5), key="b") == "still-working"
    assert await world.stored(edit) == png()


async def test_who_took_the_result_back_goes_on_from_the_photo(world: World) -> None:
    edit = await world.erased()
    on_result = await world.finish(await world.canvas.submit_mask(edit, png(), key="second"))
    on_photo = await world.canvas.submit_mask(edit, png(), key="second", on_photo=True)
    assert on_photo.id != on_result.id
    assert on_photo.photo == edit.photo


async def test_an_automatic_result_is_mended_on_its_photo(world: World) -> None:
    edit = await world.finish(await world.opened(Operation.REMOVE_SUBJECT))
    mended = await world.canvas.submit_mask(edit, png(), key=None)
    assert (mended.operation, mended.photo, mended.parent) == (Operation.ERASE, edit.photo, edit.id)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
async def test_after_a_failure_the_next_round_is_on_the_photo(world: World, state: State) -> None:
    edit = await world.opened()
    await world.finish(await world.canvas.submit_mask(edit, png(), key="a"), state)
    again = await world.canvas.submit_mask(edit, png(), key="b")
    assert (again.id != edit.id, again.photo) == (True, edit.photo)


async def test_what_came_as_a_file_goes_on_as_a_file(world: World) -> None:
    edit = await world.erased(as_file=True)
    again = await world.canvas.submit_mask(edit, png(), key="second")
    assert (again.photo.file_id, again.photo.as_file, again.photo.name) == ("result", True, "beach.png")


async def test_a_mask_that_cannot_be_used_changes_nothing(world: World) -> None:
    edit = await world.opened()
    assert await world.refusal(edit, b"no picture") == "mask-broken"
    assert await world.refusal(edit, b"") == "mask-broken"
    assert await world.refusal(edit, encode_mask(painted(240, 320))) == "mask-wrong-shape"
    assert await world.refusal(edit, encode_mask(np.zeros((240, 320), np.uint8))) == "mask-empty"
    assert await world.refusal(edit, b"\x89PNG\r\n\x1a\n" + b"\0" * 5_000_000) == "mask-broken"
    known = await world.store.get(edit.id)
    assert known is not None
    assert (known.state, known.has_mask) == (State.WAITING_FOR_MASK, False)


async def test_who_has_too_much_in_the_works_keeps_the_canvas_open(world: World) -> None:
    edit = await world.opened()
    for _ in range(2):
        await world.opened(Operation.REMOVE_SUBJECT)
    assert await world.refusal(edit, png()) == "too-many-pending"
    known = await world.store.get(edit.id)
    assert known is not None
    assert known.state is State.WAITING_FOR_MASK


async def test_an_edit_that_was_swept_meanwhile_is_too_old(world: World) -> None:
    edit = await world.erased()
    await world.store.forget_person(ADA)
    assert await world.refusal(edit, png()) == "too-old"


def widened(mask: Mask) -> Mask:
    """A found mask as a person gets it to go on with: painted over the thing's rim, as a hand would."""
    height, width = mask.shape
    return masks.dilate(mask, masks.dilation_radius(width, height, coarse=False))


async def cut_out(world: World) -> Edit:
    """A finished cut-out before white, with the matte that was found."""
    edit = await world.opened(Operation.REMOVE_BACKGROUND)
    matte = encoded(Image.fromarray(painted()), "PNG")
    await world.store.change(edit.id, mask=matte, mask_is_matte=True, finish="white", seed=3)
    return await world.finish(edit)


def opened_png(data: bytes | None) -> Mask:
    assert data is not None
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


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


async def test_the_button_under_a_cut_out_begins_another_correction_once_one_is_made(world: World) -> None:
    edit = await cut_out(world)
    first = await world.edits.fix_by_hand(edit.id, ADA)
    await world.finish(await world.canvas.submit_mask(first, png(), key="a"))
    second = await world.edits.fix_by_hand(edit.id, ADA)
    assert (second.id != first.id, second.state) == (True, State.WAITING_FOR_MASK)
    assert np.array_equal(opened_png(await world.canvas.mask(second)), painted())


async def test_what_had_a_subject_erased_is_fixed_by_erasing_as_before(world: World) -> None:
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


async def test_another_finish_keeps_a_correction_and_knows_its_variants(world: World) -> None:
    edit = await cut_out(world)
    blurred = await world.finish(await world.edits.refinish(edit.id, ADA, "blur"))
    draft = await world.edits.fix_by_hand(edit.id, ADA)
    corrected = await world.finish(await world.canvas.submit_mask(draft, png(at=3), key="a"))
    refinished = await world.edits.refinish(corrected.id, ADA, "blur")
    assert (refinished.id != blurred.id, refinished.parent) == (True, corrected.id)
    assert await world.stored(refinished) == png(at=3)
    await world.finish(refinished)
    third = await world.finish(await world.edits.refinish(refinished.id, ADA, "transparent"))
    assert third.parent == corrected.id
    assert (await world.edits.refinish(third.id, ADA, "blur")).id == refinished.id
    assert (await world.edits.refinish(blurred.id, ADA, "blur")).id == blurred.id, "its own variants are others"


async def test_a_correction_goes_on_in_the_private_chat_as_what_it_is(world: World) -> None:
    draft = await world.edits.fix_by_hand((await cut_out(world)).id, ADA)
    private = await world.edits.go_on_in_private(draft.id, ADA, 99, "en")
    assert (private.operation, private.finish, private.seed) == (Operation.REMOVE_BACKGROUND, "white", 3)
    assert (private.parent, private.message, private.id != draft.id) == (draft.parent, 99, True)
    assert np.array_equal(opened_png(await world.canvas.mask(private)), painted())


async def test_a_mask_of_what_stays_is_refused_in_its_own_words(world: World) -> None:
    draft = await world.edits.fix_by_hand((await cut_out(world)).id, ADA)
    assert await world.refusal(draft, encode_mask(np.zeros(SIZE[::-1], np.uint8))) == "keep-empty"
    assert await world.refusal(draft, encode_mask(np.full(SIZE[::-1], 255, np.uint8))) == "keep-everything"
    assert await world.refusal(draft, b"no picture") == "mask-broken"


async def test_the_stored_mask_is_the_found_thing_with_a_rim_where_it_goes_and_without_where_it_stays(
    world: World,
) -> None:
    subject = painted()
    for operation, wanted in ((Operation.REMOVE_SUBJECT, widened(subject)), (Operation.REMOVE_BACKGROUND, subject)):
        edit = await world.opened(operation)
        assert await world.canvas.mask(edit) is None
        await world.store.change(edit.id, mask=encoded(Image.fromarray(subject), "PNG"), mask_is_matte=True)
        assert np.array_equal(opened_png(await world.canvas.mask(edit)), wanted)
        await world.finish(edit)
    assert await world.canvas.mask(await world.erased()) == png()


async def test_previews_are_jpegs_that_a_phone_can_hold(world: World) -> None:
    world.courier.photos["file"] = encoded(Image.new("RGB", (3000, 1500), (9, 99, 199)), "PNG")
    edit = await world.opened()
    preview = Image.open(io.BytesIO(await world.canvas.photo_preview(edit)))
    assert (preview.format, preview.size) == ("JPEG", (2048, 1024))


async def test_the_result_is_there_when_it_is_done(world: World) -> None:
    edit = await world.opened()
    for ask in (world.canvas.result, world.canvas.result_preview):
        with pytest.raises(PersonError) as refused:
            await ask(edit)
        assert refused.value.message_id == "still-working"
    done = await world.finish(await world.canvas.submit_mask(edit, png(), key=None))
    assert await world.canvas.result(done) == (world.courier.photos["result"], "PNG")
    assert Image.open(io.BytesIO(await world.canvas.result_preview(done))).size == SIZE


async def test_taps_select_a_thing_and_only_so_many_are_listened_to(world: World) -> None:
    world.courier.photos["file"] = encoded(scene(3000, 2250))  # larger than what is worked on
    edit = await world.opened()
    taps = [Tap(1500, 1100 + number % 7) for number in range(MAX_TAPS)]
    found = np.asarray(Image.open(io.BytesIO(await world.canvas.select(edit, taps))).convert("L"))
    block = np.zeros((2250, 3000), np.uint8)
    block[750:1500, 1000:2000] = 255
    assert found.shape == block.shape
    assert (found[block > 0] == 255).all(), "widened, as a hand would paint over its rim"
    assert np.count_nonzero(found) < 1.15 * np.count_nonzero(block)
    kept = opened_png(await world.canvas.select(await world.opened(Operation.REMOVE_BACKGROUND), taps))
    assert np.array_equal(kept & found, kept)
    assert 0.97 * np.count_nonzero(block) < np.count_nonzero(kept) < 1.03 * np.count_nonzero(block), "the thing itself"
    off = [Tap(1500, 1100, keep=False) for _ in range(9)]
    again = np.asarray(Image.open(io.BytesIO(await world.canvas.select(edit, [*taps, *off]))).convert("L"))
    assert np.array_equal(found, again)


async def test_what_an_edit_does_is_told_until_it_ends(world: World) -> None:
    edit = await world.opened()
    told = world.canvas.events(edit)
    assert (await anext(told)).kind == "waiting"
    await world.opened(Operation.REMOVE_SUBJECT)
    await world.canvas.submit_mask(edit, png(), key=None)
    event = await anext(told)
    assert (event.kind, event.position) == ("queued", 0)
    await world.store.begin(edit.id)
    await world.store.change(edit.id, stage=Stage.INPAINTING)
    event = await anext(told)
    assert (event.kind, event.stage) == ("stage", Stage.INPAINTING)
    await world.finish(edit)
    assert [event.kind async for event in told] == ["done"]


async def test_how_it_ended_is_told_to_whoever_comes_late(world: World) -> None:
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
