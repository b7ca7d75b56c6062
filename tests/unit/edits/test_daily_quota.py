"""What counts for EDITS_PER_DAY, and how many edits may wait for a person."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.edits.bare_photos import BarePhoto
from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.offers import MAX_PER_PERSON
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.storage.database import Database

ADA, BEN = 7, 8
LIMIT, WAITING = 3, 4


class World:
    """A store with a small limit for the day, whose clock a test can set."""

    def __init__(self, database: Database) -> None:
        self.now = 1_000_000.0
        limits = EditLimits(pending_per_person=50, edits_per_day=LIMIT, waiting_per_person=WAITING)
        self.store = Store(database, limits, lambda: self.now)
        self._messages = itertools.count(1)

    async def start(self, operation: Operation = Operation.REMOVE_SUBJECT, person: int = ADA) -> Edit:
        message = next(self._messages)
        request = EditRequest(f"{message}", person, person, message, operation, PhotoRef("file", "unique"), "en")
        state = State.WAITING_FOR_MASK if request.waits_for_mask else State.QUEUED
        return (await self.store.add(request, state))[0]

    async def left(self) -> int:
        """How many edits Ada may still start today."""
        for started in range(LIMIT + 1):
            try:
                await self.start()
            except PersonError:
                return started
        raise AssertionError("there is no limit")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield World(database)
    await database.close()


async def test_edits_that_wait_run_or_are_done_count(world: World) -> None:
    await world.start()
    running = await world.start()
    await world.store.begin(running.id)
    await world.store.finish(running.id, PhotoRef("result", "ru"))
    assert await world.left() == LIMIT - 2


async def test_a_failed_edit_is_given_back_once(world: World) -> None:
    edit = await world.start()
    await world.store.fail(edit.id, "took-too-long")
    await world.store.fail(edit.id, "took-too-long")
    assert await world.left() == LIMIT


async def test_a_mask_that_is_sent_and_cancelled_counts_each_time(world: World) -> None:
    for number in range(LIMIT):
        edit = await world.start(Operation.ERASE)
        await world.store.queueing.queue_with_mask(edit.id, b"png", f"{number}")
        await world.store.cancel(edit.id)
    assert await world.left() == 0
    edit = await world.start(Operation.ERASE)
    with pytest.raises(PersonError):
        await world.store.queueing.queue_with_mask(edit.id, b"png", "one more")


async def test_an_edit_cancelled_while_it_runs_counts_and_so_does_each_further_try(world: World) -> None:
    edit = await world.start()
    for _ in range(LIMIT - 1):
        await world.store.begin(edit.id)
        await world.store.cancel(edit.id)
        await world.store.queueing.retry(edit.id)
    assert await world.left() == 0


async def test_an_edit_cancelled_before_it_began_is_given_back(world: World) -> None:
    for _ in range(LIMIT + 2):
        await world.store.cancel((await world.start()).id)
    assert await world.left() == LIMIT


async def test_cancelling_while_the_bot_waits_for_a_mask_costs_nothing(world: World) -> None:
    for _ in range(LIMIT + 2):
        await world.store.cancel((await world.start(Operation.ERASE)).id)
    assert await world.left() == LIMIT


async def test_deleting_ones_data_does_not_reset_the_count(world: World) -> None:
    for _ in range(LIMIT):
        edit = await world.start()
        await world.store.begin(edit.id)
        await world.store.finish(edit.id, PhotoRef("result", "ru"))
    await world.store.deletion.delete_person(ADA, await world.store.deletion.ended_of(ADA))
    assert await world.left() == 0
    await world.start(person=BEN)
    world.now += 86_401
    await world.store.deletion.sweep(older_than=world.now)
    assert await world.left() == LIMIT


async def test_a_question_that_is_cancelled_counts_once_and_asking_again_counts_too(world: World) -> None:
    shown = await world.start()
    await world.store.finish(shown.id, PhotoRef("result", "ru"))
    asked, _ = await world.store.add(EditRequest.something_else(shown))
    await world.store.begin(asked.id)
    await world.store.objects.replace(asked.id, [b"one"])
    await world.store.change(asked.id, state=State.WAITING_FOR_CHOICE)
    await world.store.cancel(asked.id)
    assert await world.store.queueing.ask_for_choice_again(asked.id) is not None
    assert await world.left() == LIMIT - 3


async def test_edits_that_wait_for_a_person_are_limited(world: World) -> None:
    waiting = [await world.start(Operation.ERASE) for _ in range(WAITING)]
    with pytest.raises(PersonError) as refused:
        await world.start(Operation.ERASE)
    assert (refused.value.message_id, refused.value.facts) == ("too-many-waiting", {"limit": WAITING})
    await world.start(Operation.ERASE, person=BEN)
    await world.start()
    await world.store.change(waiting[0].id, state=State.WAITING_FOR_CHOICE)
    with pytest.raises(PersonError):
        await world.start(Operation.ERASE)
    await world.store.cancel(waiting[0].id)
    await world.start(Operation.ERASE)


async def test_the_oldest_offer_gives_way(world: World) -> None:
    photo = PhotoRef("file", "unique")
    offers = []
    for message in range(MAX_PER_PERSON + 2):
        world.now += 1
        offers.append(await world.store.offers.add(BarePhoto(ADA, ADA, message, photo, "en")))
    repeated = await world.store.offers.add(BarePhoto(ADA, ADA, MAX_PER_PERSON, photo, "en"))
    assert repeated == offers[-2], "a repeat is no new one"
    kept = [await world.store.offers.get(offer.id) is not None for offer in offers]
    assert kept == [False, False] + [True] * MAX_PER_PERSON
