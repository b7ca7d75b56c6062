"""The loop monitor finds code that blocks the loop, and does not count time in which the machine was busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bot import loop_monitor as module
from bot.loop_monitor import LoopMonitor, MonitoredLoop, _Reading


def block_loop(seconds: float) -> None:
    """Block the calling thread, as code on a loop must not."""
    time.sleep(seconds)


def run(monitored: Coroutine[Any, Any, None]) -> None:
    """Run on a loop whose turns can be measured."""
    with asyncio.Runner(loop_factory=MonitoredLoop) as runner:
        runner.run(monitored)


def reading(clock: float, waited: float, cpu: float, process: float) -> _Reading:
    return _Reading(clock, b"%d %d 7" % (round(cpu * 1e9), round(waited * 1e9)), cpu, process)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0.001)


def test_code_that_blocks_the_loop_is_logged() -> None:
    monitor = LoopMonitor()

    async def blocking() -> None:
        async with monitor.running():
            await turns(3)
            block_loop(0.3)
            await turns(3)

    with capture_logs() as logs:
        run(blocking())
    assert 0.25 < monitor.longest_own <= monitor.longest
    assert REGISTRY.get_sample_value("bot_loop_longest_own_pause_seconds") == monitor.longest_own
    (entry,) = [entry for entry in logs if entry["event"] == "loop_blocked"]
    assert entry["log_level"] == "warning"
    assert "block_loop" in entry["at"]
    assert entry["cpu"] < 0.1, "it slept"


def test_work_in_another_thread_does_not_count() -> None:
    monitor = LoopMonitor()

    async def in_thread() -> None:
        async with monitor.running():
            await asyncio.to_thread(block_loop, 0.3)

    run(in_thread())
    assert monitor.longest_own < 0.1


def test_an_idle_loop_has_no_pause() -> None:
    monitor = LoopMonitor()

    async def idle() -> None:
        async with monitor.running():
            await asyncio.sleep(0.3)

    run(idle())
    assert monitor.longest < 0.2


async def test_another_kind_of_loop_is_left_alone() -> None:
    monitor = LoopMonitor()
    async with monitor.running():
        block_loop(0.15)
        await turns(2)
    assert monitor.longest == 0.0


def test_time_in_which_the_machine_ran_something_else_does_not_count() -> None:
    monitor = LoopMonitor()
    with capture_logs() as logs:
        monitor._note(reading(10.0, 1.0, 5.0, 7.0), reading(10.5, 1.45, 5.01, 7.4))
    assert monitor.longest == pytest.approx(0.5)
    assert monitor.longest_own == pytest.approx(0.05)
    assert logs == []


@pytest.mark.parametrize(("computed", "own"), [(0.02, 0.02), (0.3, 0.3)])
def test_when_no_thread_ran_only_the_processor_time_of_the_process_counts(computed: float, own: float) -> None:
    monitor = LoopMonitor()
    monitor._note(reading(10.0, 1.0, 5.0, 7.0), reading(10.3, 1.0, 5.0, 7.0 + computed))
    assert monitor.longest_own == pytest.approx(own)


def test_without_kernel_statistics_the_clock_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: str, _flags: int) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(module.os, "open", missing)
    monitor = LoopMonitor()

    async def blocking() -> None:
        async with monitor.running():
            await turns(1)
            block_loop(0.15)
            await turns(2)

    run(blocking())
    assert monitor.longest_own == monitor.longest > 0.1
