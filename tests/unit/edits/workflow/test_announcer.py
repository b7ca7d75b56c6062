"""Each edit gets one status message, however long posting takes and whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.edits.model import Edit, Operation, PhotoRef
from bot.edits.ports import LostMessageSearch
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.workflow import announcer as module
from bot.edits.workflow.announcer import Announcer
from bot.errors import OutageError
from bot.storage.database import Database


class Courier:
    """Posts once it is allowed to."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.begun = asyncio.Event()
        self.posted: list[LostMessageSearch | None] = []
        self.trouble: list[Exception] = []

    def highest(self, edit: Edit) -> int:
        return edit.message

    async def post_status(self, edit: Edit, *, lost: LostMessageSearch | None, **_: Any) -> int:
        self.begun.set()
        await self.free.wait()
        if self.trouble:
            raise self.trouble.pop()
        self.posted.append(lost)
        return 100 + edit.message


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield Store(database, EditLimits())
    await database.close()


async def add_edit(store: Store) -> Edit:
    request = EditRequest("key", 7, 7, 1, Operation.REMOVE_SUBJECT, PhotoRef("f", "u"), "en")
    return (await store.add(request))[0]


def process(store: Store, courier: Any, *, alone: bool = False) -> Announcer:
    return Announcer(store, courier, alone=alone)


async def test_a_delayed_message_is_not_posted_by_another_process(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLAIM_SECONDS", 2.0)
    edit, slow, quick = await add_edit(store), Courier(), Courier()
    quick.free.set()
    first = asyncio.create_task(process(store, slow).announce(edit))
    await slow.begun.wait()
    second = asyncio.create_task(process(store, quick).announce(edit))
    done, _ = await asyncio.wait({second}, timeout=3.0)  # longer than a claim holds without renewal
    assert not done
    slow.free.set()
    assert (await first).status_message == (await second).status_message == 101
    assert (slow.posted, quick.posted) == ([None], [])


@pytest.mark.parametrize("alone", [True, False])
async def test_after_a_failed_post_the_message_is_searched_for_and_posted(store: Store, alone: bool) -> None:
    edit, courier = await add_edit(store), Courier()
    courier.free.set()
    courier.trouble.append(OutageError("telegram-trouble"))
    announcer = process(store, courier, alone=alone)
    with pytest.raises(OutageError):
        await announcer.announce(edit)
    async with asyncio.timeout(12):  # less than a claim holds: the failed post has given its claim up
        assert (await announcer.announce(edit)).status_message == 101
    assert courier.posted == [LostMessageSearch(1, frozenset())]
