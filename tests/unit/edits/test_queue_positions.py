"""The places in line: shown when they change, at most every three seconds each, one in a chat at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.edits import announcer, queue_positions
from bot.edits.announcer import Announcer
from bot.edits.model import Edit, EditRequest, Operation, PhotoRef, State
from bot.edits.progress import PROGRESS_SECONDS
from bot.edits.queue_positions import AT_A_TIME, QueuePositions
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.storage.database import Database


@dataclass
class Courier:
    """Notes what is said."""

    shown: list[tuple[int, int]] = field(default_factory=list)

    def highest(self, edit: Edit) -> int:
        return edit.message

    async def post_status(self, edit: Edit, **_: Any) -> int:
        return 1000 + edit.message

    async def show_progress(self, edit: Edit, *, stage: object, position: int) -> None:
        assert stage is None
        self.shown.append((edit.message, position))


class World:
    def __init__(self, store: Store) -> None:
        self.now = 100.0
        self.store = store
        self.courier = Courier()
        self.announcer = Announcer(store, self.courier, alone=True)  # type: ignore[arg-type]
        self.positions = QueuePositions(store, self.courier, self.announcer)  # type: ignore[arg-type]

    async def asks(self, message: int, chat: int) -> Edit:
        order = EditRequest(
            f"{chat}:{message}", chat, chat, message, Operation.REMOVE_SUBJECT, PhotoRef("f", "u"), "en"
        )
        edit, _ = await self.store.add(order)
        return await self.announcer.announce(edit)

    async def round(self) -> list[tuple[int, int]]:
        """What is shown in the next round, three seconds later."""
        self.now += PROGRESS_SECONDS
        return await self.round_now()

    async def round_now(self) -> list[tuple[int, int]]:
        self.courier.shown.clear()
        await self.positions._round()
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


async def test_what_has_not_changed_is_not_said_again(world: World) -> None:
    for number in range(3):
        await world.asks(number, chat=number)
    assert await world.round() == []


async def test_those_behind_move_up(world: World) -> None:
    edits = [await world.asks(number, chat=number) for number in range(3)]
    await world.store.change(edits[0].id, state=State.DONE)
    assert await world.round() == [(1, 0), (2, 1)]
    assert await world.round() == []


async def test_one_that_runs_is_before_the_others_and_says_so_itself(world: World) -> None:
    edits = [await world.asks(number, chat=number) for number in range(3)]
    await world.store.change(edits[0].id, state=State.RUNNING)
    assert await world.round() == []


async def test_nothing_is_said_within_three_seconds_of_the_last_word(world: World) -> None:
    edits = [await world.asks(number, chat=number) for number in range(3)]
    await world.store.change(edits[0].id, state=State.DONE)
    assert await world.round_now() == [], "the status messages were posted just now"
    assert await world.round() == [(1, 0), (2, 1)]
    await world.store.change(edits[1].id, state=State.DONE)
    assert await world.round_now() == []
    assert await world.round() == [(2, 0)]


async def test_one_message_of_a_chat_is_edited_in_a_round(world: World) -> None:
    first = await world.asks(0, chat=9)
    for number in range(1, 4):
        await world.asks(number, chat=7)
    await world.store.change(first.id, state=State.DONE)
    assert [await world.round() for _ in range(4)] == [[(1, 0)], [(2, 1)], [(3, 2)], []]


async def test_a_round_is_bounded(world: World) -> None:
    first = await world.asks(0, chat=0)
    for number in range(1, AT_A_TIME + 4):
        await world.asks(number, chat=number)
    await world.store.change(first.id, state=State.DONE)
    assert [len(await world.round()) for _ in range(3)] == [AT_A_TIME, 3, 0]
