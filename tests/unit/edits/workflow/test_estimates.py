"""How long an answer takes, by the measured times and the place in the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.records.queue_places import QueuePlace
from bot.edits.records.work_times import WorkTimes
from bot.edits.workflow import estimates as module
from bot.edits.workflow.estimates import REFRESH_SECONDS, Estimates
from bot.storage.database import Database

QUEUED = Edit(
    id="e",
    person=7,
    chat=7,
    message=1,
    operation=Operation.REMOVE_SUBJECT,
    photo=PhotoRef("f", "u", size=90_000),
    finish="clean",
    seed=0,
    language="en",
    state=State.QUEUED,
    stage=None,
    status_message=None,
    has_mask=False,
    result=None,
    engine=None,
    error=None,
    parent=None,
    width=None,
    height=None,
    created=datetime.now(UTC),
    requested=datetime.now(UTC),
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock)
    return clock


@pytest.fixture
async def times(tmp_path: Path, clock: Clock) -> AsyncIterator[WorkTimes]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield WorkTimes(database, clock)
    await database.close()


async def test_nothing_is_said_before_anything_is_measured(times: WorkTimes) -> None:
    estimates = Estimates(times)
    await estimates.refresh()
    assert estimates.until_answer(QUEUED, QueuePlace(ahead=50, turns=50)) is None
    assert estimates.seconds_left(QUEUED, 1.0) is None
    await times.record("erase:mask:0", "local", 20.0)
    estimates = Estimates(times)
    await estimates.refresh()
    assert estimates.until_answer(QUEUED, QueuePlace()) is None, "another kind of work was measured"


async def test_an_edit_that_is_next_takes_as_long_as_the_last_ones(times: WorkTimes) -> None:
    await times.record("remove_subject:find:0", "local", 12.0)
    estimates = Estimates(times)
    await estimates.refresh()
    assert estimates.until_answer(QUEUED, QueuePlace()) == pytest.approx(12.0)
    assert estimates.seconds_left(QUEUED, 4.0) == pytest.approx(8.0)
    assert estimates.seconds_left(QUEUED, 40.0) == 0
    waits = replace(QUEUED, state=State.WAITING_FOR_MASK)
    assert estimates.until_answer(waits, QueuePlace()) is None, "that depends on the person"


@pytest.mark.parametrize(
    ("place", "rounds"),
    [
        (QueuePlace(ahead=1, running=1, turns=1), 0),  # the other worker is free
        (QueuePlace(ahead=2, running=2, turns=2), 1),
        (QueuePlace(ahead=5, running=2, turns=5), 2),
        (QueuePlace(ahead=3, running=1, own=3), 3),  # one person's run one after another
        (QueuePlace(ahead=9, running=1, own=1, turns=8), 4),
        (QueuePlace(ahead=40, running=8, turns=40), 5),  # other processes work, too
    ],
)
async def test_the_wait_is_the_rounds_of_work_ahead(times: WorkTimes, place: QueuePlace, rounds: int) -> None:
    await times.record("remove_subject:find:0", "local", 10.0)
    estimates = Estimates(times, workers=2)
    await estimates.refresh()
    assert estimates.until_answer(QUEUED, place) == pytest.approx(10.0 * (1 + rounds))


async def test_the_engine_of_the_latest_edit_counts(times: WorkTimes, clock: Clock) -> None:
    await times.record("remove_subject:find:0", "volcengine", 30.0)
    clock.now += 1
    await times.record("remove_subject:find:0", "local", 10.0)
    for engines, seconds in ((None, 10.0), ({"local", "volcengine"}, 10.0), ({"volcengine"}, 30.0)):
        estimates = Estimates(times, engines=engines)
        await estimates.refresh()
        assert estimates.until_answer(QUEUED, QueuePlace()) == pytest.approx(seconds)


async def test_what_was_read_is_used_for_some_seconds(times: WorkTimes, clock: Clock) -> None:
    estimates = Estimates(times)
    await estimates.refresh()
    await times.record("remove_subject:find:0", "local", 12.0)
    await estimates.refresh()
    assert estimates.until_answer(QUEUED, QueuePlace()) is None
    clock.now += REFRESH_SECONDS
    await estimates.refresh()
    assert estimates.until_answer(QUEUED, QueuePlace()) == pytest.approx(12.0)
