"""Who may use the pixel pool next: people take turns, whatever they ask for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.errors import OutageError
from bot.imaging import turns
from bot.imaging.turns import Turns, on_behalf_of


class Queue:
    """Jobs of people that hold a slot until the test ends them."""

    def __init__(self, slots: int) -> None:
        self.turns = Turns(slots)
        self.started: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *jobs: str) -> None:
        """Ask for jobs in this order; a job's first letter is its person."""
        for job in jobs:
            self._ends[job] = asyncio.Event()
            self._tasks[job] = asyncio.create_task(self._hold(job))
            await settle()

    async def _hold(self, job: str) -> None:
        with on_behalf_of(ord(job[0])):
            async with self.turns.turn():
                self.started.append(job)
                await self._ends[job].wait()

    async def end(self, job: str) -> None:
        self._ends[job].set()
        await self._tasks[job]
        await settle()

    async def cancel(self, job: str) -> None:
        self._tasks[job].cancel()
        await asyncio.gather(self._tasks[job], return_exceptions=True)
        await settle()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def settle() -> None:
    """Let every task run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def queue(slots: int) -> AsyncIterator[Queue]:
    made = Queue(slots)
    yield made
    await made.close()
    assert made.turns.waiting == 0


async def test_one_person_has_one_job_at_a_time_though_slots_are_free() -> None:
    async with queue(3) as jobs:
        await jobs.ask("a1", "a2", "a3", "b1")
        assert jobs.started == ["a1", "b1"]
        await jobs.end("a1")
        assert jobs.started == ["a1", "b1", "a2"]


async def test_people_take_turns() -> None:
    async with queue(1) as jobs:
        await jobs.ask("a1", "a2", "a3", "a4", "b1", "c1", "b2")
        for job in ("a1", "b1", "c1", "a2", "b2", "a3"):
            await jobs.end(job)
        assert jobs.started == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


async def test_the_person_who_has_just_had_a_turn_stands_behind_those_who_wait() -> None:
    async with queue(1) as jobs:
        await jobs.ask("a1", "a2")
        await jobs.ask("b1")
        await jobs.end("a1")
        assert jobs.started == ["a1", "b1"]


async def test_a_cancelled_job_frees_its_place_and_its_slot() -> None:
    async with queue(1) as jobs:
        await jobs.ask("a1", "b1", "c1", "d1")
        await jobs.cancel("b1")
        await jobs.cancel("a1")
        assert jobs.started == ["a1", "c1"]
        await jobs.end("c1")
        assert jobs.started == ["a1", "c1", "d1"]


async def test_a_job_cancelled_in_the_moment_of_its_turn_passes_the_slot_on() -> None:
    async with queue(1) as jobs:
        await jobs.ask("a1", "b1", "c1")
        jobs._ends["a1"].set()
        await asyncio.sleep(0)  # a1 ends and b1 is granted the slot, but b1 has not run since
        await jobs.cancel("b1")
        await settle()
        assert jobs.started[-1] == "c1"


async def test_jobs_of_no_person_do_not_wait_for_each_other() -> None:
    line = Turns(2)
    async with line.turn(), line.turn():
        assert line.waiting == 0


async def test_the_queue_is_bounded_for_a_person_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_WAITING_OF_PERSON", 3)
    monkeypatch.setattr(turns, "MAX_WAITING", 5)
    async with queue(1) as jobs:
        await jobs.ask("a1", "a2", "a3", "a4")
        with pytest.raises(OutageError, match="busy"), on_behalf_of(ord("a")):
            async with jobs.turns.turn():
                pass
        await jobs.ask("b1", "c1")
        with pytest.raises(OutageError, match="busy"), on_behalf_of(ord("d")):
            async with jobs.turns.turn():
                pass
        await jobs.end("a1")
        await jobs.ask("d1")
        assert jobs.turns.waiting == 5


async def test_a_block_inside_a_block_ends_with_it() -> None:
    async with queue(2) as jobs:
        with on_behalf_of(ord("a")):
            with on_behalf_of(ord("b")):
                pass
            async with jobs.turns.turn():
                await jobs.ask("a1", "b1")
                assert jobs.started == ["b1"]
