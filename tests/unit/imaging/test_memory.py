"""The memory of the machine or the container, divided among the pixel processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import structlog

from bot import engine_wiring
from bot.errors import MemoryLimitError
from bot.imaging.memory import MB_PER_MEGAPIXEL, OWN_MB, memory_of_this_machine, plan_memory
from bot.settings import Settings

GIB = 2**30


def machine(root: Path, groups: str, **files: int | str) -> Path:
    """A folder that looks like a machine with control groups; `__` in a name stands for a slash."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, value in files.items():
        file = root / "sys/fs/cgroup" / name.replace("__", "/").replace("memory_", "memory.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    return root


def test_without_a_limit_it_is_the_memory_of_the_machine(tmp_path: Path) -> None:
    physical = memory_of_this_machine(tmp_path)
    assert 100 < physical < 100_000_000
    assert memory_of_this_machine(machine(tmp_path / "v2", "0::/\n", memory_max="max")) == physical
    v1 = machine(tmp_path / "v1", "3:memory:/\n", memory__memory_limit_in_bytes=9223372036854771712)
    assert memory_of_this_machine(v1) == physical


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/\n", {"memory_max": GIB // 2}),
        ("0::/system.slice/bot.service\n", {"system.slice__bot.service__memory_max": GIB // 2}),
        ("0::/outer/inner\n", {"outer__memory_max": GIB // 2, "outer__inner__memory_max": "max"}),
        ("0::/outer/inner\n", {"outer__memory_max": GIB, "outer__inner__memory_max": GIB // 2}),
        ("0::/../../of/the/host\n", {"memory_max": GIB // 2}),
        ("9:cpu:/x\n4:memory:/docker/1\n", {"memory__docker__1__memory_limit_in_bytes": GIB // 2}),
        ("4:memory:/docker/of-the-host\n0::/\n", {"memory__memory_limit_in_bytes": GIB // 2}),
    ],
)
def test_the_smallest_limit_of_a_control_group_holds(tmp_path: Path, groups: str, files: dict[str, int | str]) -> None:
    assert memory_of_this_machine(machine(tmp_path, groups, **files)) == 512


def test_a_large_machine_runs_all_processes() -> None:
    plan = plan_memory(4, 50, 64_000)
    assert (plan.processes, plan.process_mb, plan.megapixels) == (4, 4000, 50)


@pytest.mark.parametrize("total", [500, 1000, 2000, 4000, 6000, 8000, 16_000])
@pytest.mark.parametrize("wanted", [1, 2, 8])
def test_the_processes_together_never_exceed_the_memory(wanted: int, total: int) -> None:
    plan = plan_memory(wanted, 50, total)
    assert 1 <= plan.processes <= wanted
    assert plan.processes * plan.process_mb + OWN_MB <= max(total, OWN_MB + 300)
    assert plan.processes == 1 or plan.process_mb >= 50 * MB_PER_MEGAPIXEL, "each can take the largest photo"


def test_a_small_machine_takes_smaller_photos() -> None:
    plan = plan_memory(2, 50, 1000)
    assert plan.processes == 1
    assert 10 < plan.megapixels < 20
    assert plan_memory(2, 10, 2000).processes == 2, "a smaller MAX_MEGAPIXELS gives more processes"


def settings(tmp_path: Path, **changes: object) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"workers": 2, "memory_mb": 64_000}, None),
        ({"workers": 4, "memory_mb": 4000}, "2 of WORKERS=4 photos"),
        ({"workers": 2, "memory_mb": 1000}, "set MAX_MEGAPIXELS=12"),
        ({"workers": 1, "memory_mb": 1000, "max_megapixels": 6}, None),
    ],
)
def test_an_operator_learns_at_the_start_that_memory_is_short(
    tmp_path: Path, changes: dict[str, object], words: str | None
) -> None:
    given = settings(tmp_path, **changes)
    with structlog.testing.capture_logs() as logs:
        engine_wiring.log_memory_plan(given)
    (line,) = logs
    assert (line["event"], line["log_level"]) == (("memory", "info") if words is None else ("memory_short", "warning"))
    assert words is None or words in line["advice"]


async def test_the_pool_of_the_program_has_these_limits(tmp_path: Path) -> None:
    async with engine_wiring.pixel_pool(settings(tmp_path, memory_mb=1000), 2) as pool:
        assert await pool.run(allocate, 300) == 300 * 2**20
        with pytest.raises(MemoryLimitError):
            await pool.run(allocate, 450)
        assert await pool.run(allocate, 300) == 300 * 2**20


def allocate(megabytes: int) -> int:
    return int(np.ones(megabytes * 2**20, np.uint8).sum())
