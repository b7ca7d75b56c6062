"""The objects found in a photo: stored by number, chosen, chosen again, deleted with their edit."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.storage.database import Database
from bot.storage.tables import found_objects


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database, EditLimits(pending_per_person=1))


async def waiting(store: Store, key: str = "key", person: int = 7) -> Edit:
    """An edit that waits for a choice of three objects."""
    photo = PhotoRef("file", "unique")
    request = EditRequest(key, person, person, 1, Operation.REMOVE_SUBJECT, photo, "en", parent="first", chooses=True)
    edit, _ = await store.add(request)
    await store.objects.replace(edit.id, [b"one", b"two", b"three"])
    changed = await store.change(edit.id, state=State.WAITING_FOR_CHOICE)
    assert changed is not None
    return changed


async def test_new_objects_replace_the_old_ones(store: Store) -> None:
    edit = await waiting(store)
    await store.objects.replace(edit.id, [b"other"])
    assert [(item.number, item.matte, item.chosen) for item in await store.objects.of(edit.id)] == [
        (1, b"other", False)
    ]


async def test_a_choice_queues_the_edit_once(store: Store) -> None:
    edit = await waiting(store)
    queued = await store.queueing.queue_with_objects(edit.id, [1, 3])
    assert queued is not None
    assert (queued.state, queued.attempt) == (State.QUEUED, edit.attempt + 1)
    assert await store.objects.marked(edit.id) == {1: True, 2: False, 3: True}
    assert await store.queueing.queue_with_objects(edit.id, [2]) is None, "pressed twice, or another one too late"
    assert await store.objects.marked(edit.id) == {1: True, 2: False, 3: True}


async def test_marks_are_set_one_by_one_and_a_repeated_press_changes_nothing(store: Store) -> None:
    edit = await waiting(store)
    for number, chosen in ((2, True), (2, True), (3, True), (3, False)):
        await store.objects.mark(edit.id, number, chosen=chosen)
    assert await store.objects.marked(edit.id) == {1: False, 2: True, 3: False}


async def test_choosing_again_clears_the_choice_and_its_mask_but_not_the_objects(store: Store) -> None:
    edit = await waiting(store)
    await store.queueing.queue_with_objects(edit.id, [2])
    await store.change(edit.id, state=State.CANCELLED, mask=b"two", mask_is_matte=True)
    again = await store.queueing.ask_for_choice_again(edit.id)
    assert again is not None
    assert (again.state, again.has_mask) == (State.QUEUED, False)
    assert await store.objects.marked(edit.id) == {1: False, 2: False, 3: False}
    assert await store.queueing.ask_for_choice_again(edit.id) is None, "it is under way"
    await store.change(edit.id, state=State.DONE)
    assert await store.queueing.ask_for_choice_again(edit.id) is None, "its result is shown"


async def test_a_choice_counts_as_a_pending_edit(store: Store) -> None:
    edit = await waiting(store)
    await store.add(EditRequest("other", 7, 7, 2, Operation.ERASE, PhotoRef("file", "unique"), "en", mask=b"mask"))
    with pytest.raises(PersonError) as refused:
        await store.queueing.queue_with_objects(edit.id, [1])
    assert refused.value.message_id == "too-many-pending"
    assert await store.objects.marked(edit.id) == {1: False, 2: False, 3: False}, "nothing is stored"


async def test_an_edit_that_waits_for_a_choice_can_be_cancelled(store: Store) -> None:
    edit = await waiting(store)
    cancelled = await store.cancel(edit.id)
    assert cancelled is not None
    assert cancelled.state is State.CANCELLED


async def test_the_objects_are_deleted_with_their_edit(store: Store, database: Database) -> None:
    async def left() -> list[str]:
        query = sa.select(found_objects.c.edit).distinct()
        return await database.run(lambda connection: list(connection.execute(query).scalars()))

    mine, theirs = await waiting(store, "mine"), await waiting(store, "theirs", person=8)
    assert sorted(await left()) == sorted([mine.id, theirs.id])
    await store.deletion.delete_person(7, await store.deletion.ended_of(7))
    assert await left() == [theirs.id]
    await store.deletion.sweep(older_than=time.time() + 60)
    assert await left() == []
