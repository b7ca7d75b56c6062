"""What is kept of a person's masks: one bit a pixel, nothing of a cancelled edit, and a bounded number of bytes."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from bot.edits.model import MAX_MASK_BYTES, Edit, Operation, PhotoRef, State
from bot.edits.pictures.mask_storage import MAX_STORED_MASK_BYTES, mask_to_store
from bot.edits.pictures.pixels import painted_mask
from bot.edits.records import stored_masks
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import UnusableInputError
from bot.storage.database import Database
from tests.support import encoded
from tests.unit.edits.canvas_world import ADA, BEN, SIZE, World, png


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width), np.uint8)


async def test_a_mask_is_stored_at_one_bit_and_selects_the_same(world: World) -> None:
    sent = encoded(Image.fromarray(noise(*SIZE)), "PNG")
    edit = await world.opened()
    await world.canvas.submit_mask(edit, sent, key=None)
    stored = await world.stored(edit)
    assert stored is not None
    assert Image.open(io.BytesIO(stored)).mode == "1"
    assert len(stored) < 1.1 * SIZE[0] * SIZE[1] / 8 + 200 < len(sent) / 6
    before, after = (painted_mask(data, *SIZE, MAX_MASK_BYTES) for data in (sent, stored))
    assert np.array_equal(before, after)


def test_a_mask_of_noise_is_stored_smaller() -> None:
    mask = np.where(noise(5000, 4000) >= 128, 255, 0).astype(np.uint8)
    stored = mask_to_store(mask)
    assert len(stored) <= MAX_STORED_MASK_BYTES
    assert Image.open(io.BytesIO(stored)).size == (2048, 1638)
    painted = np.zeros((4000, 5000), np.uint8)
    painted[1000:2000, 1500:2500] = 255
    assert Image.open(io.BytesIO(mask_to_store(painted))).size == (5000, 4000), "what people paint keeps its size"


def test_noise_that_cannot_be_stored_smaller_is_refused() -> None:
    sparse = np.where(noise(7000, 7000) < 64, 255, 0).astype(np.uint8)
    sparse[:, 1::2] = sparse[1::2] = 0
    with pytest.raises(UnusableInputError) as refused:
        mask_to_store(sparse)
    assert refused.value.message_id == "mask-broken"


async def test_a_cancelled_erase_keeps_no_mask_and_another_try_waits_for_one(world: World) -> None:
    edit = await world.opened()
    await world.canvas.submit_mask(edit, png(), key="k")
    await world.edits.cancel(edit.id, ADA)
    assert await world.stored(edit) is None
    again = await world.edits.retry(edit.id, ADA)
    assert (again.state, again.has_mask) == (State.WAITING_FOR_MASK, False)
    queued = await world.canvas.submit_mask(again, png(at=4), key="l")
    assert (queued.id, queued.state) == (edit.id, State.QUEUED)
    assert await world.stored(edit) == png(at=4)


async def test_a_cancelled_variant_gets_its_mask_again_from_the_edit_it_varies(world: World) -> None:
    shown = await world.store.change((await world.erased()).id, status_message=50)
    assert shown is not None
    variant = await world.variants.another(shown.id, ADA)
    await world.edits.cancel(variant.id, ADA)
    assert await world.stored(variant) is None
    again = await world.edits.retry(variant.id, ADA)
    assert again.state is State.QUEUED
    assert await world.stored(variant) == png()


async def test_a_cancelled_correction_starts_again_from_what_was_found(world: World) -> None:
    shown = await world.opened(Operation.REMOVE_BACKGROUND)
    await world.store.change(shown.id, mask=png(), mask_is_matte=True)
    correction = await world.edits.fix_by_hand((await world.finish(shown)).id, ADA)
    await world.edits.cancel(correction.id, ADA)
    assert await world.stored(correction) is None
    again = await world.edits.retry(correction.id, ADA)
    assert again.state is State.WAITING_FOR_MASK
    assert await world.stored(correction) == png()


async def test_another_try_of_a_cancelled_round_does_not_begin_with_the_mask_of_the_last_one(world: World) -> None:
    first = await world.erased()
    second = await world.canvas.submit_mask(first, png(at=5), key="second")
    await world.edits.cancel(second.id, ADA)
    again = await world.edits.retry(second.id, ADA)
    assert (again.state, again.has_mask) == (State.WAITING_FOR_MASK, False)


async def test_a_cancelled_automatic_edit_finds_its_subject_again(world: World) -> None:
    edit = await world.opened(Operation.REMOVE_SUBJECT)
    await world.store.begin(edit.id)
    await world.store.change(edit.id, mask=png(), mask_is_matte=True)
    await world.edits.cancel(edit.id, ADA)
    assert await world.stored(edit) is None
    assert (await world.edits.retry(edit.id, ADA)).state is State.QUEUED


async def test_an_erase_whose_mask_is_gone_never_erases_something_else(world: World) -> None:
    edit = await world.opened()
    await world.canvas.submit_mask(edit, png(), key="k")
    await world.store.fail(edit.id, "took-too-long")
    await world.store.change(edit.id, mask=None)  # as after many later masks
    assert (await world.edits.retry(edit.id, ADA)).state is State.WAITING_FOR_MASK


async def test_a_finished_edit_keeps_its_mask_and_drops_its_objects(world: World) -> None:
    edit = await world.opened(Operation.REMOVE_SUBJECT)
    await world.store.begin(edit.id)
    await world.store.objects.replace(edit.id, [b"one", b"two"])
    await world.store.change(edit.id, mask=png(), mask_is_matte=True)
    assert await world.store.finish(edit.id, PhotoRef("result", "ru")) is not None
    assert await world.store.objects.of(edit.id) == []
    assert await world.stored(edit) == png()


async def test_objects_found_for_a_cancelled_edit_are_not_stored(world: World) -> None:
    edit = await world.opened(Operation.REMOVE_SUBJECT)
    await world.store.begin(edit.id)
    await world.store.objects.replace(edit.id, [b"one"])
    await world.edits.cancel(edit.id, ADA)
    assert await world.store.objects.of(edit.id) == []
    await world.store.objects.replace(edit.id, [b"late"])
    assert await world.store.objects.of(edit.id) == []


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'masks.sqlite'}")
    await database.start()
    yield database
    await database.close()


async def test_the_oldest_masks_of_a_person_give_way(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_masks, "MAX_BYTES_PER_PERSON", 1000)
    store = Store(database, EditLimits(pending_per_person=100))

    async def ended(person: int, message: int, state: State, size: int) -> Edit:
        photo = PhotoRef("file", "unique")
        request = EditRequest(f"{person}:{message}", person, person, message, Operation.REMOVE_SUBJECT, photo, "en")
        edit, _ = await store.add(request)
        return await store.change(edit.id, state=state, mask=bytes(size)) or edit

    bens = await ended(BEN, 1, State.DONE, 400)
    states = (State.DONE, State.FAILED, State.DONE, State.QUEUED, State.DONE)
    adas = [await ended(ADA, number, state, 400) for number, state in enumerate(states)]
    choice = await ended(ADA, 7, State.FAILED, 0)
    await store.objects.replace(choice.id, [bytes(100), bytes(100)])
    await ended(ADA, 8, State.DONE, 10)
    kept = [await store.mask(edit.id) is not None for edit in adas]
    assert kept == [False, False, True, True, True], "an unfinished edit keeps its mask in any case"
    assert len(await store.objects.of(choice.id)) == 2
    assert await store.mask(bens.id) is not None


async def test_after_a_flood_of_cancelled_masks_the_file_is_as_large_as_before(database: Database) -> None:
    store = Store(database, EditLimits())

    def file_bytes() -> int:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return sum(path.stat().st_size for path in Path(str(database.engine.url.database)).parent.glob("masks.sqlite*"))

    async def send_and_cancel(number: int) -> None:
        request = EditRequest(f"{number}", ADA, ADA, number, Operation.ERASE, PhotoRef("file", "unique"), "en")
        edit, _ = await store.add(request, State.WAITING_FOR_MASK)
        await store.queueing.queue_with_mask(edit.id, bytes(900_000), f"{number}")
        await store.cancel(edit.id)

    before = file_bytes()
    for number in range(30):
        await send_and_cancel(number)
    assert file_bytes() - before < 2_500_000, "each mask takes the pages of the one before"
    await database.run(lambda c: c.execute(sa.text("CREATE TABLE large (data BLOB)")) and None)
    await database.run(lambda c: c.execute(sa.text("INSERT INTO large VALUES (zeroblob(9000000))")) and None)
    await database.run(lambda c: c.execute(sa.text("DROP TABLE large")) and None)
    large = file_bytes()
    assert await database.reusable_bytes() > 8_000_000
    await store.deletion.sweep(older_than=0)
    assert large - file_bytes() > 4_000_000, "a sweep returns free pages to the disk"
