"""Queue positions: shown when they change, each at most every three seconds, one in a chat at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.workflow import announcer, queue_positions
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.progress import PROGRESS_SECONDS
from bot.edits.workflow.queue_positions import MAX_UPDATES, QueuePositions
from bot.storage.database import Database


@dataclass
class Courier:
    """Records what is shown."""

    shown: list[tuple[int, int]] = field(default_factory=list)

    def highest(self, edit: Edit) -> int:
        return edit.message

    async def post_status(self, edit: Edit, **_: Any) -> int:
        return 1000 + edit.message

    async def show_progress(self, edit: Edit, *, stage: object, position: int, **_: object) -> None:
        assert stage is None
        self.shown.append((edit.message, position))


class World:
    def __init__(self, store: Store) -> None:
        self.now = 100.0
        self.store = store
        self.courier = Courier()
        self.announcer = Announcer(store, self.courier, alone=True)  # type: ignore[arg-type]
        self.positions = QueuePositions(store, self.courier, self.announcer)  # type: ignore[arg-type]

    async def add_edit(self, message: int, chat: int) -> Edit:
        request = EditRequest(
            f"{chat}:{message}", chat, chat, message, Operation.REMOVE_SUBJECT, PhotoRef("f", "u"), "en"
        )
        edit, _ = await self.store.add(request)
        return await self.announcer.announce(edit)

    async def update(self) -> list[tuple[int, int]]:
        """What the next update shows, three seconds later."""
        self.now += PROGRESS_SECONDS
        return await self.update_now()

    async def update_now(self) -> list[tuple[int, int]]:
        self.courier.shown.clear()
        await self.positions.update()
        return list(self.courier.shown)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    world = World(Store(database, EditLimits(pending_per_person=100)))
    for module in (announcer, queue_positions):
        monkeypatch.setattr(module.time, "monotonic", lambda: world.now)
    yield world
    await database.close()


async def test_an_unchanged_position_is_not_shown_again(world: World) -> None:
    for number in range(3):
        await world.add_edit(number, chat=number)
    assert await world.update() == []


async def test_the_edits_behind_a_finished_one_move_up(world: World) -> None:
    edits = [await world.add_edit(number, chat=number) for number in range(3)]
    await world.store.change(edits[0].id, state=State.DONE)
    assert await world.update() == [(1, 0), (2, 1)]
    assert await world.update() == []


async def test_a_running_edit_counts_as_ahead(world: World) -> None:
    edits = [await world.add_edit(number, chat=number) for number in range(3)]
    await world.store.change(edits[0].id, state=State.RUNNING)
    assert await world.update() == []


async def test_a_status_message_is_edited_at_most_every_three_seconds(world: World) -> None:
    edits = [await world.add_edit(number, chat=number) for number in range(3)]
    await world.store.change(edits[0].id, state=State.DONE)
    assert await world.update_now() == [], "the status messages were posted just now"
    assert await world.update() == [(1, 0), (2, 1)]
    await world.store.change(edits[1].id, state=State.DONE)
    assert await world.update_now() == []
    assert await world.update() == [(2, 0)]


async def test_an_update_edits_one_message_of_a_chat(world: World) -> None:
    first = await world.add_edit(0, chat=9)
    for number in range(1, 4):
        await world.add_edit(number, chat=7)
    await world.store.change(first.id, state=State.DONE)
    assert [await world.update() for _ in range(4)] == [[(1, 0)], [(2, 1)], [(3, 2)], []]


async def test_an_update_edits_a_limited_number_of_messages(world: World) -> None:
    first = await world.add_edit(0, chat=0)
    for number in range(1, MAX_UPDATES + 4):
        await world.add_edit(number, chat=number)
    await world.store.change(first.id, state=State.DONE)
    assert [len(await world.update()) for _ in range(3)] == [MAX_UPDATES, 3, 0]
