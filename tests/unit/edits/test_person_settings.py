"""What people choose is stored for each of them, until they delete it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.edits.bare_photos import BarePhoto
from bot.edits.model import DeletionRequest, Edit, EditCommand, Operation, PhotoRef
from bot.edits.person_settings import NOTHING_CHOSEN, Delivery, PersonSettings
from bot.edits.records import person_settings as records
from bot.edits.records.limits import EditLimits
from bot.edits.records.person_settings import KNOWN_SECONDS
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.storage.database import Database
from bot.storage.tables import person_settings

PHOTO = PhotoRef("file", "unique")


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = 1000.0
        self.store = Store(database, EditLimits(pending_per_person=100), lambda: self.now)

    async def edit(self, person: int, message: int, operation: Operation, *, finish: str | None = None) -> Edit:
        key = f"{person}:{message}"
        edit, _ = await self.store.add(EditRequest(key, person, person, message, operation, PHOTO, "en", finish=finish))
        return edit


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield World(database)
    await database.close()


async def test_each_choice_leaves_the_others(world: World) -> None:
    settings = world.store.person_settings
    assert await settings.get(7) == NOTHING_CHOSEN
    await settings.change(7, finish="white")
    await settings.change(7, delivery=Delivery.FILE)
    await settings.change(7, bare_photos=Operation.REMOVE_SUBJECT)
    await settings.change(7, keeps_history=False)
    changed = await settings.change_language(7, "zh", shown="zh")
    assert changed == PersonSettings("zh", "white", Delivery.FILE, Operation.REMOVE_SUBJECT, keeps_history=False)
    assert await settings.get(7) == changed
    assert await settings.get(8) == NOTHING_CHOSEN
    assert (await settings.change(7, bare_photos=None)).bare_photos is None


async def test_what_another_version_stored_and_this_one_does_not_know_has_its_default(world: World) -> None:
    values = {"language": "zh", "finish": "sepia", "delivery": "by_post", "bare_photos": "erase"}
    await world.database.run(lambda c: c.execute(person_settings.insert().values(person=7, changed=1.0, **values)))
    assert await world.store.person_settings.get(7) == PersonSettings(language="zh")


async def test_the_default_finish_is_for_cut_outs_that_name_none(world: World) -> None:
    await world.store.person_settings.change(7, finish="white")
    assert (await world.edit(7, 1, Operation.REMOVE_BACKGROUND)).finish == "white"
    assert (await world.edit(7, 2, Operation.REMOVE_BACKGROUND, finish="clean")).finish == "clean"
    assert (await world.edit(7, 3, Operation.REMOVE_SUBJECT)).finish == "clean"
    assert (await world.edit(8, 4, Operation.REMOVE_BACKGROUND)).finish == "clean"
    await world.store.person_settings.change(7, finish="black")
    assert (await world.edit(7, 1, Operation.REMOVE_BACKGROUND)).finish == "white", "the same request, repeated"


async def test_a_waiting_command_remembers_whether_it_named_a_finish(world: World) -> None:
    commands = world.store.pending_commands
    for number, finish in enumerate((None, "clean", "white")):
        command = EditCommand(Operation.REMOVE_BACKGROUND, finish)
        await commands.remember_for_person(7, 7, command)
        assert await commands.take(7, 7, number, None) == command


async def test_a_new_language_is_spoken_by_what_is_posted_and_not_by_what_is_being_posted(world: World) -> None:
    posted, posting = await world.edit(7, 1, Operation.ERASE), await world.edit(7, 2, Operation.ERASE)
    others = await world.edit(8, 3, Operation.ERASE)
    for edit in (posted, others):
        await world.store.change(edit.id, status_message=5)
    offer = await world.store.offers.add(BarePhoto(7, 7, 4, PHOTO, "en"))
    await world.store.offers.set_status_message(offer.id, 6)
    await world.store.person_settings.change_language(7, None, shown="zh")
    languages = [found.language if (found := await world.store.get(edit.id)) else None for edit in (posted, posting)]
    assert languages == ["zh", "en"]
    assert [o.language if (o := await world.store.offers.get(offer.id)) else None] == ["zh"]
    assert [e.language if (e := await world.store.get(others.id)) else None] == ["en"]


async def test_a_deletion_takes_what_was_chosen_before_it(world: World) -> None:
    settings, deletion = world.store.person_settings, world.store.deletion
    for person in (7, 8):
        await settings.change(person, finish="white")
    await deletion.request(DeletionRequest(7, 7, 5, "en"))
    await deletion.delete_person(7, [])
    assert await settings.get(7) == NOTHING_CHOSEN
    assert (await settings.get(8)).finish == "white"
    world.now += 1
    await settings.change(7, finish="black")
    await deletion.delete_person(7, [])
    assert (await settings.get(7)).finish == "black", "chosen after the request"


@pytest.mark.parametrize(("has_own", "finish"), [(False, "white"), (True, "black")])
async def test_a_groups_settings_follow_it(world: World, *, has_own: bool, finish: str) -> None:
    settings = world.store.person_settings
    await settings.change(-5, finish="white")
    if has_own:
        await settings.change(-1005, finish="black")
    for _ in range(2):
        await world.store.chat_moves.follow(-5, -1005)
        assert (await settings.get(-1005)).finish == finish
        assert await settings.get(-5) == NOTHING_CHOSEN


async def test_what_is_remembered_is_never_older_than_this_processs_own_change(world: World) -> None:
    settings = world.store.person_settings
    assert await settings.get_remembered(7) == NOTHING_CHOSEN
    await settings.change(7, finish="white")
    assert (await settings.get_remembered(7)).finish == "white"
    reading = asyncio.create_task(settings.get_remembered(8))
    await asyncio.gather(settings.change(8, finish="black"), reading)
    assert (await settings.get_remembered(8)).finish == "black", "also if it was being read"


async def test_another_processs_change_is_seen_after_a_minute(world: World) -> None:
    settings, other = world.store.person_settings, Store(world.database, EditLimits()).person_settings
    assert await settings.get_remembered(7) == NOTHING_CHOSEN
    await other.change(7, finish="white")
    assert await settings.get_remembered(7) == NOTHING_CHOSEN
    world.now += KNOWN_SECONDS
    assert (await settings.get_remembered(7)).finish == "white"


async def test_beyond_what_is_remembered_each_person_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_KNOWN", 2)
    settings, other = world.store.person_settings, Store(world.database, EditLimits()).person_settings
    for person in (1, 2, 3):
        world.now += 1
        await other.change(person, finish="white")
    assert [(await settings.get_remembered(person)).finish for person in (1, 2, 3, 4)] == ["white"] * 3 + ["clean"]
    for person in (1, 3):
        await other.change(person, finish="black")
    assert [(await settings.get_remembered(person)).finish for person in (1, 3)] == ["black", "white"]
