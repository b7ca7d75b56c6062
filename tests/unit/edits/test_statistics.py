"""Counts of /stats: their arithmetic, and that an edit's end counts once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.edits.model import DOUBTFUL, Operation, PhotoRef
from bot.edits.records import statistics
from bot.edits.records.limits import EditLimits
from bot.edits.records.statistics import DAY, KEEP_DAYS, LAST_BUCKET, QueueDepth, bucket_of, quantile
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.storage.database import Database
from bot.storage.tables import daily_counts
from tests.support import seen
from tests.unit.edits.fake_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(20_000.0 * DAY + 3600)


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, EditLimits(pending_per_person=50), clock)


async def added(store: Store, message: int, person: int = 7, *, chat: int | None = None) -> str:
    place = chat or person
    photo = PhotoRef("file", "unique")
    request = EditRequest(f"{place}:{message}", person, place, message, Operation.ERASE, photo, "en", mask=b"png")
    edit, _ = await store.add(request)
    return edit.id


@given(st.floats(0.1, 80_000))
def test_a_time_is_known_to_ten_percent(seconds: float) -> None:
    estimate = quantile({bucket_of(seconds): 1}, 0.5)
    assert estimate is not None
    assert abs(estimate - seconds) <= 0.1 * seconds


@pytest.mark.parametrize(("seconds", "bucket"), [(0, 0), (0.1, 0), (0.11, 1), (0.12, 1), (0.13, 2), (1e9, LAST_BUCKET)])
def test_buckets(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


def test_quantiles_over_buckets() -> None:
    counts = {bucket_of(1.0): 94, bucket_of(20.0): 6}
    assert quantile(counts, 0.5) == pytest.approx(1.0, rel=0.1)
    assert quantile(counts, 0.95) == pytest.approx(20.0, rel=0.1)
    assert quantile({}, 0.5) is None


async def test_an_end_that_is_recorded_twice_counts_once(store: Store, clock: Clock) -> None:
    edit = await added(store, 1)
    clock.now += 4
    for _ in range(2):
        await store.finish(edit, PhotoRef("result", "result"))
    await store.fail(edit, "photo-broken")
    figures = await store.statistics.figures()
    assert figures.done == {"erase": (1, 1, 1)}
    assert figures.failed == {}
    assert figures.median[0] == pytest.approx(4, rel=0.1)


async def test_a_result_that_is_shown_again_is_not_counted_again(store: Store) -> None:
    edit = await added(store, 1)
    await store.finish(edit, PhotoRef("result", "result"))
    assert await store.queueing.show_again(edit) is not None
    await store.finish(edit, PhotoRef("result", "result"))
    assert (await store.statistics.figures()).done == {"erase": (1, 1, 1)}


async def test_the_time_counts_from_the_try_that_succeeded(store: Store, clock: Clock) -> None:
    edit = await added(store, 1)
    await store.fail(edit, "took-too-long")
    clock.now += 7200
    await store.queueing.retry(edit)
    clock.now += 2
    await store.finish(edit, PhotoRef("result", "result"))
    figures = await store.statistics.figures()
    assert figures.median[0] == pytest.approx(2, rel=0.1)
    assert figures.failed == {"took-too-long": (1, 1, 1)}


async def test_a_question_is_no_failure(store: Store) -> None:
    await store.fail(await added(store, 1), DOUBTFUL)
    assert (await store.statistics.figures()).failed == {}


async def test_today_seven_and_thirty_days_and_no_more(store: Store, clock: Clock) -> None:
    for days in (40, 20, 3, 0):
        clock.now = (20_000 - days) * DAY + 10.0
        await store.finish(await added(store, days + 1, person=days + 1, chat=-9), PhotoRef("result", "result"))
        await seen(store, 100 + days)
    figures = await store.statistics.figures()
    assert figures.done == {"erase": (1, 2, 3)}
    assert figures.people == (2, 4, 6)
    assert (figures.waiting, figures.running) == (0, 0)


async def test_counts_outlive_edits_and_people_and_go_in_the_end(store: Store, clock: Clock) -> None:
    await store.finish(await added(store, 1), PhotoRef("result", "result"))
    await store.statistics.count_call("saliency_seg", succeeded=True)
    await store.statistics.count_call("saliency_seg", succeeded=False)
    await store.deletion.sweep(older_than=clock.now + 1)
    await store.deletion.delete_person(7, [])
    figures = await store.statistics.figures()
    assert figures.done == {"erase": (1, 1, 1)}
    assert (figures.calls, figures.failed_calls) == ({"saliency_seg": (1, 1, 1)}, {"saliency_seg": (1, 1, 1)})
    clock.now += (KEEP_DAYS + 1) * DAY
    await store.deletion.sweep(older_than=clock.now)
    left = await store._database.run(lambda c: c.execute(sa.select(daily_counts)).all())
    assert left == []


async def test_the_most_frequent_failures_come_first(store: Store) -> None:
    for number, kind in enumerate(["rare", "often", "often", "sometimes", "often", "sometimes"]):
        await store.fail(await added(store, number), kind)
    assert list((await store.statistics.figures()).failed) == ["often", "sometimes", "rare"]


def test_no_name_is_longer_than_its_column() -> None:
    width = daily_counts.c.kind.type.length
    kinds = (statistics.DONE, statistics.FAILED, statistics.SECONDS, statistics.CALL, statistics.FAILED_CALL)
    assert all(len(kind) <= width for kind in kinds)


async def test_the_queue_is_counted_with_the_age_of_the_oldest(store: Store, clock: Clock) -> None:
    assert await store.statistics.queue() == QueueDepth(0, 0, 0.0)
    first = await added(store, 1)
    clock.now += 30
    await added(store, 2)
    clock.now += 5
    assert await store.statistics.queue() == QueueDepth(2, 0, 35.0)
    await store.begin(first)
    assert await store.statistics.queue() == QueueDepth(1, 1, 5.0)
