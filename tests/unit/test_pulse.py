"""The pulse notices whatever holds the loop up, and does not blame the program for what the machine does."""

from __future__ import annotations

import asyncio
import time

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bot import pulse as module
from bot.pulse import BEAT_SECONDS, Pulse, _Reading


def hold_up(seconds: float) -> None:
    """What must never be done on a loop."""
    time.sleep(seconds)


async def beats(count: int) -> None:
    await asyncio.sleep(count * BEAT_SECONDS)


async def test_a_loop_that_is_held_up_is_told_with_what_held_it_up() -> None:
    pulse = Pulse()
    with capture_logs() as logs:
        async with pulse.beating():
            await beats(3)
            hold_up(0.3)
            await beats(3)
    assert 0.25 < pulse.longest_own <= pulse.longest
    assert REGISTRY.get_sample_value("bot_loop_longest_own_pause_seconds") == pulse.longest_own
    (told,) = [entry for entry in logs if entry["event"] == "loop_held_up"]
    assert told["log_level"] == "warning"
    assert "hold_up" in told["at"]
    assert told["cpu"] < 0.1, "it slept"


async def test_work_elsewhere_does_not_count() -> None:
    pulse = Pulse()
    async with pulse.beating():
        await asyncio.to_thread(hold_up, 0.3)
    assert pulse.longest_own < 0.1


def test_the_time_in_which_the_machine_ran_something_else_is_not_the_loops() -> None:
    pulse = Pulse()
    with capture_logs() as logs:
        pulse._note(_Reading(10.0, 1.0, 5.0, 7.0), _Reading(10.5 + BEAT_SECONDS, 1.45, 5.01, 7.4))
    assert pulse.longest == pytest.approx(0.5)
    assert pulse.longest_own == pytest.approx(0.05)
    assert logs == []


@pytest.mark.parametrize(("computed", "own"), [(0.02, 0.02), (0.3, 0.3)])
def test_where_nobody_came_to_run_only_what_the_process_computed_counts(computed: float, own: float) -> None:
    pulse = Pulse()
    pulse._note(_Reading(10.0, 1.0, 5.0, 7.0), _Reading(10.3 + BEAT_SECONDS, 1.0, 5.0, 7.0 + computed))
    assert pulse.longest_own == pytest.approx(own)


async def test_where_the_kernel_keeps_no_statistics_the_clock_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: str, _flags: int) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(module.os, "open", missing)
    pulse = Pulse()
    async with pulse.beating():
        await beats(1)
        hold_up(0.15)
        await beats(2)
    assert pulse.longest_own == pulse.longest > 0.1
