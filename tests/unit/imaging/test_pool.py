"""The pool of pixel processes: what a job receives and returns, its limits, and whose turn it is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

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
from tests.unit.imaging.pool_jobs import (
    abort,
    allocate,
    allocate_in_opencv,
    divide_by_zero,
    double,
    double_within,
    inverted,
    is_gone,
    keep,
    leftovers,
    process_id,
    refuse,
    report_in_a_text,
    sleep_after_writing,
    use_the_processor,
    wait_for_mark,
    wait_until,
)

KILLED = "bot_pixel_processes_killed_total"


def samples(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


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


@pytest.mark.parametrize(("greedy", "size"), [(allocate, 3000), (allocate_in_opencv, 30_000), (report_in_a_text, 1)])
async def test_a_job_that_exceeds_the_memory_limit_fails_alone(pool: PixelPool, greedy: object, size: int) -> None:
    before = await pool.run(process_id)
    with pytest.raises(MemoryLimitError) as refused:
        await pool.run(greedy, size)
    assert refused.value.message_id == "photo-needs-memory"
    assert not refused.value.retry_may_help
    assert await pool.run(allocate, 50) == 50 * 2**20
    assert not is_gone(before), "the process goes on"


async def test_a_job_gets_a_new_process_if_earlier_jobs_have_used_up_the_memory(tmp_path: Path) -> None:
    used_up = samples(KILLED, reason="used up")
    async with PixelPool(workers=1, memory_mb=300, scratch=tmp_path) as pool:
        before = await pool.run(keep, 200)
        assert await pool.run(allocate, 200) == 200 * 2**20
        assert await pool.run(process_id) != before
        assert samples(KILLED, reason="used up") == used_up + 1


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


async def test_a_job_that_uses_up_its_processor_time_is_told_apart(pool: PixelPool) -> None:
    with pytest.raises(CpuLimitError) as refused:
        await pool.run(use_the_processor, 0.3)
    assert refused.value.message_id == "photo-too-complex"
    assert not refused.value.retry_may_help
    assert await pool.run(double_within, 5.0, 2) == 4
    with cpu_limit(0.001):  # no limit outside of the pool: it would kill the program
        assert sum(range(3_000_000)) > 0


async def test_metrics_tell_of_jobs_and_of_killed_processes(pool: PixelPool) -> None:
    jobs, crashed = samples("bot_pixel_job_seconds_count", job="double"), samples(KILLED, reason="crash")
    await asyncio.gather(*(pool.run(double, value) for value in range(3)))
    with pytest.raises(WorldError):
        await pool.run(abort)
    assert samples("bot_pixel_job_seconds_count", job="double") == jobs + 3
    assert samples(KILLED, reason="crash") == crashed + 1
    assert samples("bot_pixel_jobs_running") == samples("bot_pixel_jobs_waiting") == 0
