"""The pool of pixel processes: what a job receives and returns, and that a failing job does not harm the others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
from PIL import Image
from prometheus_client import REGISTRY

from bot.edits.pictures import pixels
from bot.errors import CpuLimitError, MemoryLimitError, PersonError, WorldError
from bot.imaging.photo import Photo
from bot.imaging.pool import PixelPool
from bot.imaging.turns import on_behalf_of
from bot.imaging.worker_process import cpu_limit

LONG = 600.0
"""Seconds that a job sleeps when the test stops it: longer than the test's own time limit."""


def double(value: int) -> int:
    return 2 * value


def inverted(photo: Photo, *, tag: str) -> tuple[Photo, dict[str, object]]:
    return photo.with_pixels(255 - photo.pixels), {"tag": tag, "sum": photo.pixels.sum(), "view": photo.pixels[::2, 1]}


def refuse(name: str) -> NoReturn:
    raise PersonError("photo-broken", name=name)


def divide_by_zero() -> NoReturn:
    raise ZeroDivisionError("by nothing")


def sleep_after_writing(mark: Path) -> None:
    import time

    mark.write_text(str(os.getpid()))
    time.sleep(LONG)  # the job that is too slow: the pool has to kill it


def abort() -> None:
    os.abort()


def kill_own_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def allocate(megabytes: int) -> int:
    return int(np.ones(megabytes * 2**20, np.uint8).sum())


def allocate_in_opencv(side: int) -> int:
    small = np.ones((64, 64, 3), np.uint8)
    return int(cv2.resize(small, (side, side)).shape[0])


def report_in_a_text(_: int) -> NoReturn:
    raise RuntimeError("Memory error: Security limit exceeded: std::bad_alloc")  # as a library in C++ does


def process_id() -> int:
    return os.getpid()


async def wait_until(found: Callable[[], object]) -> None:
    """Poll for what another process does, with a deadline: there is no event across processes."""
    async with asyncio.timeout(60):
        while not found():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.01)


async def wait_for_mark(mark: Path) -> int:
    """Wait for the mark and return the id of the process that wrote it."""
    await wait_until(lambda: mark.exists() and mark.read_text())
    return int(mark.read_text())  # noqa: ASYNC240 -- a few bytes


def is_gone(process: int) -> bool:
    """Whether the process has ended, or is a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] == "Z"
    except FileNotFoundError:
        return True


async def wait_until_gone(process: int) -> None:
    await wait_until(lambda: is_gone(process))


def leftovers(scratch: Path) -> list[Path]:
    return [path for path in scratch.rglob("*") if path.is_file() and path.name != "lock"]


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[PixelPool]:
    async with PixelPool(workers=2, scratch=tmp_path / "scratch", memory_mb=400) as pool:
        yield pool
    assert list((tmp_path / "scratch").glob("run-*")) == []


async def test_a_job_runs_in_another_process_and_its_result_is_returned(pool: PixelPool) -> None:
    assert await asyncio.gather(*(pool.run(double, value) for value in range(20))) == [2 * v for v in range(20)]
    assert await pool.run(process_id) != os.getpid()


async def test_large_arrays_arrive_unchanged_and_are_writable(pool: PixelPool, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pixels, alpha = rng.integers(0, 256, (1500, 2000, 3), np.uint8), rng.integers(0, 256, (1500, 2000), np.uint8)
    photo = Photo(pixels, alpha, b"profile", "WEBP")
    back, facts = await pool.run(inverted, photo, tag="x")
    assert np.array_equal(back.pixels, 255 - pixels)
    assert np.array_equal(back.alpha, alpha)
    assert (back.icc_profile, back.format, facts["tag"]) == (b"profile", "WEBP", "x")
    assert facts["sum"] == pixels.sum()
    assert np.array_equal(facts["view"], pixels[::2, 1])
    back.pixels[0, 0] = 7
    await wait_until(lambda: leftovers(tmp_path) == [])


async def test_arrays_of_any_memory_layout_arrive_unchanged(pool: PixelPool) -> None:
    large = np.arange(300_000, dtype=np.float32).reshape(300, 1000)
    for array in (large.T, np.asfortranarray(large), large[::3, ::2], large[:0], large > 5):
        again = await pool.run(np.array, array)
        assert again.dtype == array.dtype
        assert np.array_equal(again, array)


async def test_an_exception_of_a_job_is_raised_to_the_caller(pool: PixelPool, tmp_path: Path) -> None:
    with pytest.raises(PersonError) as refused:
        await pool.run(refuse, "a.jpg")
    assert (refused.value.message_id, refused.value.facts) == ("photo-broken", {"name": "a.jpg"})
    with pytest.raises(ZeroDivisionError, match="by nothing"):
        await pool.run(divide_by_zero)
    with pytest.raises(TypeError):
        await pool.run(double, np.zeros(100_000), "one too many")
    await wait_until(lambda: leftovers(tmp_path) == [])


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


@pytest.mark.parametrize(("greedy", "size"), [(allocate, 3000), (allocate_in_opencv, 30_000), (report_in_a_text, 1)])
async def test_a_job_that_exceeds_the_memory_limit_fails_alone(pool: PixelPool, greedy: object, size: int) -> None:
    before = await pool.run(process_id)
    with pytest.raises(MemoryLimitError) as refused:
        await pool.run(greedy, size)
    assert refused.value.message_id == "photo-needs-memory"
    assert not refused.value.retry_may_help
    assert await pool.run(allocate, 50) == 50 * 2**20
    assert not is_gone(before), "the process goes on"


async def test_a_photo_that_needs_more_memory_than_there_is_is_not_called_damaged(
    pool: PixelPool, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    Image.new("RGB", (12_000, 12_000)).save(large)
    small = tmp_path / "small.png"
    Image.new("RGB", (160, 120)).save(small)
    with pytest.raises(MemoryLimitError):
        await pixels.open_in_pool(pool, large, 300)
    assert (await pixels.open_in_pool(pool, small, 300)).width == 160


async def test_the_jobs_of_a_person_wait_for_each_other(pool: PixelPool, tmp_path: Path) -> None:
    marks = [tmp_path / name for name in ("first", "second", "others")]
    with on_behalf_of(1):
        jobs = [asyncio.create_task(pool.run(sleep_after_writing, mark)) for mark in marks[:2]]
    await wait_for_mark(marks[0])
    with on_behalf_of(2):
        jobs.append(asyncio.create_task(pool.run(sleep_after_writing, marks[2])))
    await wait_for_mark(marks[2])  # the second process is free for the other person
    assert not marks[1].exists()
    jobs[0].cancel()
    await wait_for_mark(marks[1])
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)


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


async def test_the_event_loop_is_not_blocked_by_a_job(pool: PixelPool, tmp_path: Path) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    busy = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    await wait_for_mark(tmp_path / "mark")
    before = ticks
    await wait_until(lambda: ticks > before + 50)
    assert not busy.done()
    for task in (busy, ticking):
        task.cancel()
    await asyncio.gather(busy, ticking, return_exceptions=True)


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


def use_the_processor(seconds: float) -> None:
    with cpu_limit(seconds):
        while True:
            pass


def double_within(seconds: float, value: int) -> int:
    with cpu_limit(seconds):
        return 2 * value


async def test_a_job_that_uses_up_its_processor_time_is_told_apart(pool: PixelPool) -> None:
    with pytest.raises(CpuLimitError) as refused:
        await pool.run(use_the_processor, 0.3)
    assert refused.value.message_id == "photo-too-complex"
    assert not refused.value.retry_may_help
    assert await pool.run(double_within, 5.0, 2) == 4
    with cpu_limit(0.001):  # no limit outside of the pool: it would kill the program
        assert sum(range(3_000_000)) > 0


def kill_own_process_once(mark: Path, number: int) -> str:
    if mark.exists():
        return "done"
    mark.touch()
    os.kill(os.getpid(), number)
    signal.pause()
    return "unreachable"


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


def finish_the_second_time(mark: Path) -> str:
    import time

    if mark.exists():
        return "done"
    mark.touch()
    time.sleep(LONG)  # until the pool is stopped
    return "unreachable"


KILLED = "bot_pixel_processes_killed_total"


def samples(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_metrics_tell_of_jobs_and_of_killed_processes(pool: PixelPool) -> None:
    jobs, crashed = samples("bot_pixel_job_seconds_count", job="double"), samples(KILLED, reason="crash")
    await asyncio.gather(*(pool.run(double, value) for value in range(3)))
    with pytest.raises(WorldError):
        await pool.run(abort)
    assert samples("bot_pixel_job_seconds_count", job="double") == jobs + 3
    assert samples(KILLED, reason="crash") == crashed + 1
    assert samples("bot_pixel_jobs_running") == samples("bot_pixel_jobs_waiting") == 0
