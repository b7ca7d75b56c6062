"""The sweeper deletes what is older than the retention time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.edits import retention
from bot.edits.bare_photos import BarePhoto
from bot.edits.model import Edit, EditCommand, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.retention import sweep, sweep_repeatedly
from bot.storage.database import Database
from bot.storage.file_cache import FileCache

HOUR = 3600.0


class World:
    """A store whose past can be written, and two caches."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.ago = 0.0
        self.store = Store(database, EditLimits(pending_per_person=100), lambda: time.time() - self.ago)
        self.caches = [FileCache(folder / name, max_bytes=10**6) for name in ("photos", "results")]

    async def edit(self, message: int, *, hours_ago: float, state: State) -> Edit:
        self.ago = hours_ago * HOUR
        photo = PhotoRef("file", "unique")
        request = EditRequest(f"{message}", 7, 7, message, Operation.REMOVE_SUBJECT, photo, "en")
        edit, _ = await self.store.add(request)
        edit = await self.store.change(edit.id, state=state, mask=b"mask") or edit
        self.ago = 0.0
        return edit

    async def offer(self, message: int, *, hours_ago: float) -> str:
        self.ago = hours_ago * HOUR
        offer = await self.store.offers.add(BarePhoto(7, 7, message, PhotoRef("file", "unique"), "en"))
        self.ago = 0.0
        return offer.id

    async def file(self, cache: FileCache, key: str, *, hours_ago: float) -> Path:
        path = await cache.put(key, b"picture")
        os.utime(path, (time.time() - hours_ago * HOUR,) * 2)
        return path


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield World(database, tmp_path)
    await database.close()


async def test_old_records_are_deleted_and_new_or_pending_ones_stay(world: World) -> None:
    old = [
        await world.edit(number, hours_ago=25, state=state)
        for number, state in enumerate((State.DONE, State.FAILED, State.CANCELLED, State.WAITING_FOR_MASK))
    ]
    kept = [
        await world.edit(10, hours_ago=23, state=State.DONE),
        await world.edit(11, hours_ago=100, state=State.QUEUED),
        await world.edit(12, hours_ago=100, state=State.RUNNING),
    ]
    offers = [await world.offer(20, hours_ago=25), await world.offer(21, hours_ago=1)]
    files = [
        await world.file(cache, key, hours_ago=hours)
        for cache in world.caches
        for key, hours in (("old", 25), ("young", 23))
    ]
    would = await sweep(world.store, world.caches, 24, dry_run=True)
    assert would == {"edits": 4, "offers": 1, "pending_commands": 0, "people": 0, "files": 2}
    assert all([await world.store.get(edit.id) for edit in old + kept])
    assert all([await world.store.mask(edit.id) for edit in old + kept])
    assert all([await world.store.offers.get(offer) for offer in offers])
    assert all(path.exists() for path in files)

    assert await sweep(world.store, world.caches, 24) == would
    assert not any([await world.store.get(edit.id) for edit in old])
    assert not any([await world.store.mask(edit.id) for edit in old])
    assert all([await world.store.get(edit.id) for edit in kept])
    assert [bool(await world.store.offers.get(offer)) for offer in offers] == [False, True]
    assert [path.exists() for path in files] == [False, True, False, True]
    assert sum((await sweep(world.store, world.caches, 24)).values()) == 0


async def test_an_expired_command_is_deleted(world: World) -> None:
    world.ago = HOUR
    await world.store.pending_commands.remember(7, "person:7", EditCommand(Operation.ERASE), seconds=600)
    world.ago = 0
    await world.store.pending_commands.remember(8, "person:8", EditCommand(Operation.ERASE), seconds=600)
    assert (await sweep(world.store, world.caches, 24))["pending_commands"] == 1
    assert await world.store.pending_commands.find(8, "person:8") == EditCommand(Operation.ERASE)


async def until(found: Callable[[], bool]) -> None:
    """Waits for a thread's work: files tell no events."""
    async with asyncio.timeout(60):
        while not found():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.005)


async def test_the_sweeper_repeats_and_survives_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0.01)
    first = await world.file(world.caches[0], "a", hours_ago=25)
    left = world.caches[1].folder / "new-left"
    left.parent.mkdir()
    left.write_bytes(b"half")
    os.utime(left, (time.time() - 25 * HOUR,) * 2)
    tidying = asyncio.create_task(sweep_repeatedly(world.store, world.caches, 24))
    await until(lambda: not first.exists() and not left.exists())

    stumbled, really_sweep = [], FileCache.sweep

    def stumble_once(cache: FileCache, *, older_than: float, dry_run: bool = False) -> int:
        if not stumbled:
            stumbled.append(True)
            raise PermissionError(13, "Permission denied")
        return really_sweep(cache, older_than=older_than, dry_run=dry_run)

    monkeypatch.setattr(FileCache, "sweep", stumble_once)
    second = await world.file(world.caches[0], "b", hours_ago=25)
    await until(lambda: bool(stumbled) and not second.exists())
    assert not tidying.done()
    tidying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tidying
