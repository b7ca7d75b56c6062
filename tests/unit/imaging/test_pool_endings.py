"""Pixel processes that end: killed, crashed, cancelled or closed. A failing job does not harm the others."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from bot.errors import WorldError
from bot.imaging.photo import Photo
from bot.imaging.pool import PixelPool
from tests.unit.imaging.pool_jobs import (
    abort,
    double,
    finish_the_second_time,
    inverted,
    kill_own_process,
    kill_own_process_once,
    leftovers,
    process_id,
    sleep_after_writing,
    wait_for_mark,
    wait_until,
    wait_until_gone,
)


async def test_a_job_that_takes_too_long_is_killed_and_others_continue(pool: PixelPool, tmp_path: Path) -> None:
    mark, timeout = tmp_path / "mark", 1.0
    while not mark.exists():  # on a busy machine the job may be killed before it starts: give it more time
        with pytest.raises(WorldError) as slow:
            await pool.run(sleep_after_writing, mark, timeout=timeout)
        assert slow.value.message_id == "took-too-long"
        assert slow.value.facts["job"] == "sleep_after_writing"
        timeout *= 2
    await wait_until_gone(await wait_for_mark(mark))
    assert await asyncio.gather(*(pool.run(double, value) for value in range(6))) == [2 * v for v in range(6)]


@pytest.mark.parametrize("death", [abort, kill_own_process])
async def test_a_job_that_crashes_its_process_does_not_affect_other_jobs(pool: PixelPool, death: object) -> None:
    results = await asyncio.gather(pool.run(double, 1), pool.run(death), pool.run(double, 2), return_exceptions=True)
    assert isinstance(results[1], WorldError)
    assert results[1].message_id == "worker-died"
    assert (results[0], results[2]) == (2, 4)
    assert await pool.run(double, 3) == 6


async def test_an_idle_process_that_is_killed_is_replaced(pool: PixelPool) -> None:
    for _ in range(2):
        process = await pool.run(process_id)
        os.kill(process, signal.SIGKILL)
        await wait_until_gone(process)
        await asyncio.sleep(
            0.3
        )  # pebble checks its processes every 0.1 s: the pool has to work before and after a check
        assert await asyncio.gather(*(pool.run(double, value) for value in range(4))) == [0, 2, 4, 6]


async def test_cancelling_kills_the_job(pool: PixelPool, tmp_path: Path) -> None:
    job = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    process = await wait_for_mark(tmp_path / "mark")
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await wait_until_gone(process)
    assert await pool.run(double, 4) == 8


async def test_a_job_cancelled_at_any_moment_leaves_no_files(pool: PixelPool, tmp_path: Path) -> None:
    photo = Photo(np.zeros((4000, 5000, 3), np.uint8))
    for moment in range(16):
        job = asyncio.create_task(pool.run(inverted, photo, tag="x"))
        await asyncio.sleep(0.005 * moment)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    assert await pool.run(double, 5) == 10
    assert await pool.run(double, 5) == 10
    await wait_until(lambda: not leftovers(tmp_path))


async def test_closing_kills_running_jobs(tmp_path: Path) -> None:
    pool = PixelPool(workers=1, scratch=tmp_path / "scratch")
    await pool.start()
    job = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    process = await wait_for_mark(tmp_path / "mark")
    await pool.close()
    await wait_until_gone(process)
    with pytest.raises(WorldError) as stopped:
        await job
    assert stopped.value.message_id == "worker-died"
    with pytest.raises(WorldError):
        await pool.run(double, 1)
    assert list((tmp_path / "scratch").glob("run-*")) == []


async def test_closing_fails_a_pending_job_whose_future_pebble_drops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pebble drops a future at times when it is stopped while the machine is busy."""
    pool = PixelPool(workers=1, scratch=tmp_path / "scratch")
    await pool.start()
    job = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    process = await wait_for_mark(tmp_path / "mark")
    inner = pool._pool
    assert inner is not None
    stop = inner.stop

    def forgetful_stop() -> None:
        inner._pool_manager.task_manager.tasks.clear()
        stop()

    monkeypatch.setattr(inner, "stop", forgetful_stop)
    await pool.close()
    await wait_until_gone(process)
    with pytest.raises(WorldError) as stopped:
        await asyncio.wait_for(job, 30)
    assert stopped.value.message_id == "worker-died"


async def test_a_start_removes_what_killed_processes_left_and_nothing_else(tmp_path: Path) -> None:
    left, other = tmp_path / f"run-{os.getpid()}-x", tmp_path / "else"
    for folder in (left, other):
        folder.mkdir()
        (folder / "arrays-1").write_bytes(b"x")
    async with PixelPool(workers=1, scratch=tmp_path), PixelPool(workers=1, scratch=tmp_path):
        assert not left.exists()
        assert (other / "arrays-1").exists()
        assert sum(name.startswith("run-") for name in os.listdir(tmp_path)) == 2, "a running pool keeps its folder"
    assert not any(name.startswith("run-") for name in os.listdir(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_job_whose_process_is_killed_from_outside_is_started_again(
    pool: PixelPool, tmp_path: Path, number: int
) -> None:
    assert await pool.run(kill_own_process_once, tmp_path / "mark", number) == "done"


async def test_a_pool_that_breaks_while_a_job_is_handed_over_is_replaced(
    pool: PixelPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = pool._pool
    assert inner is not None

    def stop_first(*_args: object, **_options: object) -> NoReturn:
        inner.stop()
        raise RuntimeError("The Pool is not active")  # what pebble raises

    monkeypatch.setattr(inner, "schedule", stop_first)
    assert await pool.run(double, 4) == 8
    assert pool._pool is not inner


async def test_jobs_of_a_pool_that_is_stopped_from_outside_are_started_again(pool: PixelPool, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = asyncio.create_task(pool.run(finish_the_second_time, mark))
    await wait_until(mark.exists)
    inner = pool._pool
    assert inner is not None
    await asyncio.to_thread(inner.stop)  # as pebble does when one of its idle processes is killed
    assert await job == "done"
