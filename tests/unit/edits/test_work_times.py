"""How long recent edits took: averages by kind of work and engine, and the places in the queue."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.queue_places import QueuePlace, place_behind
from bot.edits.records.store import Store
from bot.edits.records.work_times import ANY_WORK, KEEP_SECONDS, work_of
from bot.edits.requests import EditRequest
from bot.storage.database import Database
from tests.unit.edits.fake_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, EditLimits(pending_per_person=50), clock)


async def added(store: Store, message: int, person: int) -> Edit:
    photo = PhotoRef("f", "u", size=90_000)
    edit, _ = await store.add(
        EditRequest(f"{person}:{message}", person, person, message, Operation.REMOVE_SUBJECT, photo, "en")
    )
    return edit


async def seconds(store: Store, work: str) -> float:
    (found,) = [one.seconds for one in await store.work_times.recent() if one.work == work]
    return found


async def test_the_first_times_weigh_alike_and_later_ones_follow_what_is_new(store: Store) -> None:
    for _ in range(2):
        await store.work_times.record("erase:mask:0", "local", 10.0)
        await store.work_times.record("erase:mask:0", "local", 40.0)
    assert await seconds(store, "erase:mask:0") == pytest.approx(20.0), "the geometric mean"
    for _ in range(20):
        await store.work_times.record("erase:mask:0", "local", 5.0)
    assert await seconds(store, "erase:mask:0") == pytest.approx(5.0, rel=0.05)


async def test_a_single_slow_edit_does_not_count_for_many(store: Store) -> None:
    for _ in range(10):
        await store.work_times.record("erase:mask:0", "local", 2.0)
    await store.work_times.record("erase:mask:0", "local", 200.0)
    assert await seconds(store, "erase:mask:0") < 6


async def test_engines_and_kinds_of_work_are_apart_and_all_of_an_engine_together(store: Store) -> None:
    await store.work_times.record("erase:mask:0", "local", 4.0)
    await store.work_times.record("remove_subject:find:0", "local", 9.0)
    await store.work_times.record("erase:mask:0", "volcengine", 30.0)
    found = {(one.work, one.engine): one.seconds for one in await store.work_times.recent()}
    assert found == {
        ("erase:mask:0", "local"): pytest.approx(4.0),
        ("remove_subject:find:0", "local"): pytest.approx(9.0),
        (ANY_WORK, "local"): pytest.approx(6.0),
        ("erase:mask:0", "volcengine"): pytest.approx(30.0),
        (ANY_WORK, "volcengine"): pytest.approx(30.0),
    }


async def test_old_times_are_not_used_and_the_sweep_deletes_them(
    store: Store, database: Database, clock: Clock
) -> None:
    await store.work_times.record("erase:mask:0", "local", 4.0)
    clock.now += KEEP_SECONDS + 1
    assert await store.work_times.recent() == []
    await store.deletion.sweep(older_than=0)
    count = "SELECT count(*) FROM work_times"
    assert await database.run(lambda connection: connection.execute(sa.text(count)).scalar_one()) == 0


async def test_the_kind_of_work_follows_what_is_known_before_it(store: Store) -> None:
    edit = await added(store, 1, person=7)
    assert work_of(edit) == "remove_subject:find:0"
    assert work_of(replace(edit, has_mask=True)) == "remove_subject:mask:0"
    assert work_of(replace(edit, photo=replace(edit.photo, size=12_000_000))) == "remove_subject:find:4"
    assert work_of(replace(edit, photo=replace(edit.photo, size=None))) == "remove_subject:find:unknown"
    assert work_of(replace(edit, chooses=True)) is None


async def test_the_place_counts_running_own_and_other_peoples_turns(store: Store) -> None:
    first = await added(store, 1, person=1)
    for message in range(2, 7):
        await added(store, message, person=1)
    await added(store, 1, person=7)
    mine = await added(store, 2, person=7)
    await added(store, 1, person=8)
    await store.change(first.id, state=State.RUNNING)
    assert await store.place(mine) == QueuePlace(ahead=7, running=1, own=1, turns=2)


def test_of_a_person_with_many_edits_one_comes_before_anothers_first() -> None:
    assert place_behind(7, [(1, True, 1), (1, False, 29), (2, False, 1)]) == QueuePlace(31, 1, 0, 2)


async def test_the_database_counts_a_place_as_it_is_defined(store: Store) -> None:
    dice = random.Random(3)
    recorded = [await added(store, message, person=dice.randint(1, 6)) for message in range(1, 31)]
    for edit in dice.sample(recorded, 12):
        await store.change(edit.id, state=dice.choice([State.RUNNING, State.DONE, State.CANCELLED]))
    for edit in recorded:
        behind = [known for other in recorded if other.number < edit.number and (known := await store.get(other.id))]
        ahead = [(other.person, other.state is State.RUNNING, 1) for other in behind if not other.state.is_final]
        assert await store.place(edit) == place_behind(edit.person, ahead)


async def test_a_place_is_found_by_the_pending_edits_alone(store: Store, database: Database) -> None:
    edit, asked = await added(store, 1, person=7), []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    await store.place(edit)
    queries = [(statement, values) for statement, values in asked if "FROM edits" in statement]

    def explain(connection: sa.Connection) -> list[str]:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values) for query, values in queries]
        return [row[3] for plan in plans for row in plan if "edits" in row[3]]

    assert await database.run(explain) == [
        "SEARCH edits USING COVERING INDEX edits_by_person (person=? AND state=? AND rowid<?)",
        "SEARCH edits USING INDEX edits_by_state (state=? AND number<?)",
    ]
