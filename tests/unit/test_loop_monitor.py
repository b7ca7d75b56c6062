"""The loop monitor finds code that blocks the loop, and does not count time in which the machine was busy."""

from __future__ import annotations

import asyncio
import time

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bot import loop_monitor as module
from bot.loop_monitor import INTERVAL, LoopMonitor, _Reading


def block_loop(seconds: float) -> None:
    """Block the calling thread, as code on a loop must not."""
    time.sleep(seconds)


async def ticks(count: int) -> None:
    await asyncio.sleep(count * INTERVAL)


async def test_code_that_blocks_the_loop_is_logged() -> None:
    monitor = LoopMonitor()
    with capture_logs() as logs:
        async with monitor.running():
            await ticks(3)
            block_loop(0.3)
            await ticks(3)
    assert 0.25 < monitor.longest_own <= monitor.longest
    assert REGISTRY.get_sample_value("bot_loop_longest_own_pause_seconds") == monitor.longest_own
    (entry,) = [entry for entry in logs if entry["event"] == "loop_blocked"]
    assert entry["log_level"] == "warning"
    assert "block_loop" in entry["at"]
    assert entry["cpu"] < 0.1, "it slept"


async def test_work_in_another_thread_does_not_count() -> None:
    monitor = LoopMonitor()
    async with monitor.running():
        await asyncio.to_thread(block_loop, 0.3)
    assert monitor.longest_own < 0.1


def test_time_in_which_the_machine_ran_something_else_does_not_count() -> None:
    monitor = LoopMonitor()
    with capture_logs() as logs:
        monitor._note(_Reading(10.0, 1.0, 5.0, 7.0), _Reading(10.5 + INTERVAL, 1.45, 5.01, 7.4))
    assert monitor.longest == pytest.approx(0.5)
    assert monitor.longest_own == pytest.approx(0.05)
    assert logs == []


@pytest.mark.parametrize(("computed", "own"), [(0.02, 0.02), (0.3, 0.3)])
def test_when_no_thread_ran_only_the_processor_time_of_the_process_counts(computed: float, own: float) -> None:
    monitor = LoopMonitor()
    monitor._note(_Reading(10.0, 1.0, 5.0, 7.0), _Reading(10.3 + INTERVAL, 1.0, 5.0, 7.0 + computed))
    assert monitor.longest_own == pytest.approx(own)


async def test_without_kernel_statistics_the_clock_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: str, _flags: int) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(module.os, "open", missing)
    monitor = LoopMonitor()
    async with monitor.running():
        await ticks(1)
        block_loop(0.15)
        await ticks(2)
    assert monitor.longest_own == monitor.longest > 0.1
