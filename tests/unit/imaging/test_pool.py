"""The door to the pixel processes: what goes through it, and what a job that goes wrong can do to the others."""

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

from bot.errors import PersonError, WorldError
from bot.imaging.photo import Photo
from bot.imaging.pool import PixelPool

LONG = 600.0
"""Seconds that a job sleeps which is to be stopped: the test's own time limit ends first."""


def double(value: int) -> int:
    return 2 * value


def inverted(photo: Photo, *, tag: str) -> tuple[Photo, dict[str, object]]:
    return photo.with_pixels(255 - photo.pixels), {"tag": tag, "sum": photo.pixels.sum(), "view": photo.pixels[::2, 1]}


def refuse(name: str) -> NoReturn:
    raise PersonError("photo-broken", name=name)


def stumble() -> NoReturn:
    raise ZeroDivisionError("by nothing")


def sleep_after_writing(mark: Path) -> None:
    import time

    mark.write_text(str(os.getpid()))
    time.sleep(LONG)  # the job that is too slow: the pool has to kill it


def abort() -> None:
    os.abort()


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hog(megabytes: int) -> int:
    return int(np.ones(megabytes * 2**20, np.uint8).sum())


def hog_in_opencv(side: int) -> int:
    small = np.ones((64, 64, 3), np.uint8)
    return int(cv2.resize(small, (side, side)).shape[0])


def process_number() -> int:
    return os.getpid()


async def until(found: Callable[[], object]) -> None:
    """Poll for what another process does, with a deadline: there is no event across processes."""
    async with asyncio.timeout(60):
        while not found():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.01)


async def written(mark: Path) -> int:
    """The number of the process that wrote the mark, once it has."""
    await until(lambda: mark.exists() and mark.read_text())
    return int(mark.read_text())  # noqa: ASYNC240 -- a few bytes


def is_gone(process: int) -> bool:
    """Whether there is no such process (or only its remains)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] == "Z"
    except FileNotFoundError:
        return True


async def gone(process: int) -> None:
    await until(lambda: is_gone(process))


def leftovers(scratch: Path) -> list[Path]:
    return [path for path in scratch.rglob("*") if path.is_file()]


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[PixelPool]:
    async with PixelPool(workers=2, scratch=tmp_path / "scratch", memory_mb=700) as pool:
        yield pool
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_values_go_in_and_come_out_and_jobs_run_elsewhere(pool: PixelPool) -> None:
    assert await asyncio.gather(*(pool.run(double, value) for value in range(20))) == [2 * v for v in range(20)]
    assert await pool.run(process_number) != os.getpid()


async def test_large_arrays_arrive_whole_and_may_be_written_to(pool: PixelPool, tmp_path: Path) -> None:
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
    await until(lambda: leftovers(tmp_path) == [])


async def test_odd_arrays_arrive_too(pool: PixelPool) -> None:
    large = np.arange(300_000, dtype=np.float32).reshape(300, 1000)
    for array in (large.T, np.asfortranarray(large), large[::3, ::2], large[:0], large > 5):
        again = await pool.run(np.array, array)
        assert again.dtype == array.dtype
        assert np.array_equal(again, array)


async def test_what_a_job_raises_is_raised_here(pool: PixelPool, tmp_path: Path) -> None:
    with pytest.raises(PersonError) as refused:
        await pool.run(refuse, "a.jpg")
    assert (refused.value.message_id, refused.value.facts) == ("photo-broken", {"name": "a.jpg"})
    with pytest.raises(ZeroDivisionError, match="by nothing"):
        await pool.run(stumble)
    with pytest.raises(TypeError):
        await pool.run(double, np.zeros(100_000), "one too many")
    await until(lambda: leftovers(tmp_path) == [])


async def test_too_slow_a_job_is_killed_and_the_others_go_on(pool: PixelPool, tmp_path: Path) -> None:
    mark, timeout = tmp_path / "mark", 1.0
    while not mark.exists():  # on a busy machine the job may be killed before it starts: give it more time
        with pytest.raises(WorldError) as slow:
            await pool.run(sleep_after_writing, mark, timeout=timeout)
        assert slow.value.message_id == "took-too-long"
        assert slow.value.facts["job"] == "sleep_after_writing"
        timeout *= 2
    await gone(int(mark.read_text()))
    assert await asyncio.gather(*(pool.run(double, value) for value in range(6))) == [2 * v for v in range(6)]


@pytest.mark.parametrize("death", [abort, kill_oneself])
async def test_a_job_that_takes_its_process_down_takes_no_other(pool: PixelPool, death: object) -> None:
    results = await asyncio.gather(pool.run(double, 1), pool.run(death), pool.run(double, 2), return_exceptions=True)
    assert isinstance(results[1], WorldError)
    assert results[1].message_id == "worker-died"
    assert (results[0], results[2]) == (2, 4)
    assert await pool.run(double, 3) == 6


async def test_an_idle_process_that_is_killed_from_outside_is_replaced(pool: PixelPool) -> None:
    for _ in range(2):
        process = await pool.run(process_number)
        os.kill(process, signal.SIGKILL)
        await gone(process)
        await asyncio.sleep(0.3)  # pebble looks after its processes every 0.1 s: before and after is both to be borne
        assert await asyncio.gather(*(pool.run(double, value) for value in range(4))) == [0, 2, 4, 6]


@pytest.mark.parametrize(("greedy", "size"), [(hog, 3000), (hog_in_opencv, 30_000)])
async def test_a_greedy_job_gets_no_more_than_its_share(pool: PixelPool, greedy: object, size: int) -> None:
    with pytest.raises(WorldError) as refused:
        await pool.run(greedy, size)
    assert refused.value.message_id == "worker-died"
    assert await pool.run(hog, 50) == 50 * 2**20


async def test_cancelling_kills_the_job(pool: PixelPool, tmp_path: Path) -> None:
    job = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    process = await written(tmp_path / "mark")
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await gone(process)
    assert await pool.run(double, 4) == 8


async def test_jobs_that_are_cancelled_at_any_moment_leave_nothing_behind(pool: PixelPool, tmp_path: Path) -> None:
    photo = Photo(np.zeros((4000, 5000, 3), np.uint8))
    for moment in range(16):
        job = asyncio.create_task(pool.run(inverted, photo, tag="x"))
        await asyncio.sleep(0.005 * moment)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    assert await pool.run(double, 5) == 10
    assert await pool.run(double, 5) == 10
    await until(lambda: not leftovers(tmp_path))


async def test_the_event_loop_goes_on_while_pixels_are_worked_on(pool: PixelPool, tmp_path: Path) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    busy = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    await written(tmp_path / "mark")
    before = ticks
    await until(lambda: ticks > before + 50)
    assert not busy.done()
    for task in (busy, ticking):
        task.cancel()
    await asyncio.gather(busy, ticking, return_exceptions=True)


async def test_closing_stops_what_runs(tmp_path: Path) -> None:
    pool = PixelPool(workers=1, scratch=tmp_path / "scratch")
    await pool.start()
    job = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    process = await written(tmp_path / "mark")
    await pool.close()
    await gone(process)
    with pytest.raises(WorldError) as stopped:
        await job
    assert stopped.value.message_id == "worker-died"
    with pytest.raises(WorldError):
        await pool.run(double, 1)
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_whoever_waits_is_told_though_the_library_forgets_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pebble does now and then where it is stopped while the machine is busy."""
    pool = PixelPool(workers=1, scratch=tmp_path / "scratch")
    await pool.start()
    job = asyncio.create_task(pool.run(sleep_after_writing, tmp_path / "mark"))
    process = await written(tmp_path / "mark")
    inner = pool._pool
    assert inner is not None
    stop = inner.stop

    def forgetful_stop() -> None:
        inner._pool_manager.task_manager.tasks.clear()
        stop()

    monkeypatch.setattr(inner, "stop", forgetful_stop)
    await pool.close()
    await gone(process)
    with pytest.raises(WorldError) as stopped:
        await asyncio.wait_for(job, 30)
    assert stopped.value.message_id == "worker-died"


async def test_at_the_start_what_a_killed_bot_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead, alive, other = tmp_path / "run-999999999-x", tmp_path / f"run-{os.getppid()}-x", tmp_path / "else"
    for folder in (dead, alive, other):
        folder.mkdir()
        (folder / "arrays-1").write_bytes(b"x")
    async with PixelPool(workers=1, scratch=tmp_path):
        assert not dead.exists()
        assert (alive / "arrays-1").exists()
        assert (other / "arrays-1").exists()
