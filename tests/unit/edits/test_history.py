"""Edits of people who keep no history are deleted some minutes after they ended, and others are not."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.edits.bare_photos import BarePhoto
from bot.edits.history import LONGEST_MINUTES, SHORTEST_MINUTES, delete_unwanted
from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.pictures.files import photo_key
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.storage.database import Database
from bot.storage.file_cache import FileCache

FORGETFUL, OTHER = 7, 8
FILES, ROWS = SHORTEST_MINUTES + 1, LONGEST_MINUTES - 1


class World:
    """A store whose present can be set, and one cache."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.now = time.time()
        self.store = Store(database, EditLimits(pending_per_person=100), lambda: self.now)
        self.running: set[str] = set()
        self.cache = FileCache(folder / "photos", max_bytes=10**6)

    async def edit(self, person: int, message: int, state: State, *, photo: str = "", **values: Any) -> Edit:
        ref = PhotoRef(f"file-{photo or message}", photo or f"photo-{message}")
        request = EditRequest(f"{person}:{message}", person, person, message, Operation.REMOVE_SUBJECT, ref, "en")
        edit, _ = await self.store.add(request)
        await self.cache.put(photo_key(ref), b"picture")
        return await self.store.change(edit.id, state=state, mask=b"mask", **values) or edit

    async def delete_unwanted(self, *, minutes: float, with_rows: bool = True) -> int:
        return await delete_unwanted(
            self.store, [self.cache], self.running, with_rows=with_rows, now=self.now + 60 * minutes
        )

    def has_file(self, edit: Edit) -> bool:
        return self.cache.find(photo_key(edit.photo)) is not None


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    world = World(database, tmp_path)
    await world.store.person_settings.change(FORGETFUL, keeps_history=False)
    yield world
    await database.close()


async def test_files_go_first_and_rows_a_little_later(world: World) -> None:
    edit = await world.edit(FORGETFUL, 1, State.DONE)
    assert await world.delete_unwanted(minutes=SHORTEST_MINUTES - 1) == 0
    assert world.has_file(edit)
    assert await world.delete_unwanted(minutes=FILES) == 0
    assert not world.has_file(edit)
    assert await world.store.get(edit.id) is not None
    assert await world.delete_unwanted(minutes=ROWS, with_rows=False) == 0, "a worker leaves the rows"
    assert await world.delete_unwanted(minutes=ROWS) == 1
    assert await world.store.get(edit.id) is None
    assert await world.delete_unwanted(minutes=ROWS) == 0


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED])
async def test_every_end_counts(world: World, state: State) -> None:
    edit = await world.edit(FORGETFUL, 1, state)
    assert await world.delete_unwanted(minutes=ROWS) == 1
    assert await world.store.get(edit.id) is None


async def test_what_has_not_ended_and_what_others_have_stays(world: World) -> None:
    states = (State.QUEUED, State.RUNNING, State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE)
    kept = [await world.edit(FORGETFUL, number, state) for number, state in enumerate(states)]
    kept.append(await world.edit(OTHER, 10, State.DONE))
    assert await world.delete_unwanted(minutes=24 * 60) == 0
    assert all([await world.store.get(edit.id) for edit in kept])
    assert all(world.has_file(edit) for edit in kept)


async def test_an_edit_stays_while_another_one_works_on_its_photo_or_its_result(world: World) -> None:
    result = {"result_file_id": "r", "result_unique_id": "the-result", "result_as_file": False}
    first = await world.edit(FORGETFUL, 1, State.DONE, photo="same", **result)
    variant = await world.edit(FORGETFUL, 2, State.RUNNING, photo="same")
    assert await world.delete_unwanted(minutes=ROWS) == 0
    assert world.has_file(first)
    await world.store.change(variant.id, state=State.DONE)
    next_round = await world.edit(FORGETFUL, 3, State.QUEUED, photo="the-result")
    assert await world.delete_unwanted(minutes=ROWS) == 1, "only the variant"
    assert await world.store.get(first.id) is not None
    await world.store.change(next_round.id, state=State.DONE)
    assert await world.delete_unwanted(minutes=ROWS) == 2


async def test_an_edit_whose_workflow_still_runs_here_stays(world: World) -> None:
    edit = await world.edit(FORGETFUL, 1, State.DONE)
    world.running.add(edit.id)
    assert await world.delete_unwanted(minutes=ROWS) == 0
    assert world.has_file(edit)
    world.running.clear()
    assert await world.delete_unwanted(minutes=ROWS) == 1


async def test_history_can_be_kept_again(world: World) -> None:
    edit = await world.edit(FORGETFUL, 1, State.DONE)
    await world.store.person_settings.change(FORGETFUL, keeps_history=True)
    assert await world.delete_unwanted(minutes=ROWS) == 0
    assert await world.store.get(edit.id) is not None


async def test_the_question_that_became_the_edit_goes_with_it_and_an_open_one_stays(world: World) -> None:
    async def offer(message: int) -> str:
        bare = BarePhoto(FORGETFUL, FORGETFUL, message, PhotoRef("file", "unique"), "en")
        return (await world.store.offers.add(bare)).id

    answered, unanswered = await offer(1), await offer(2)
    await world.edit(FORGETFUL, 1, State.DONE)
    assert await world.delete_unwanted(minutes=ROWS) == 1
    assert await world.store.offers.get(answered) is None
    assert await world.store.offers.get(unanswered) is not None


async def test_it_goes_on_after_a_restart(world: World, tmp_path: Path) -> None:
    edit = await world.edit(FORGETFUL, 1, State.DONE)
    await world.delete_unwanted(minutes=FILES)
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    try:
        store = Store(database, EditLimits())
        assert await delete_unwanted(store, [world.cache], set(), with_rows=True, now=world.now + 60 * ROWS) == 1
        assert await store.get(edit.id) is None
    finally:
        await database.close()
