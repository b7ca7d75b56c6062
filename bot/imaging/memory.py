"""How much memory this machine or container has, and how many pixel processes fit into it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

OWN_MB = 600
"""Megabytes for the rest of the program: the bot, the fork server, and what pixel processes have before their first
job (docs/local-engine.md#memory-of-an-edit)."""

MB_PER_MEGAPIXEL = 32
"""Megabytes that the most demanding step of an edit needs for each megapixel, a quarter of it as a reserve
(docs/local-engine.md#memory-of-an-edit)."""

LEAST_MB, MOST_MB = 300, 4000
"""Megabytes for one process: below the first no photo of a phone can be opened; no edit needs the second."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The pixel processes that fit into the memory.

    Attributes:
        processes: How many, at least one.
        process_mb: Megabytes that the jobs of each may have.
        megapixels: The largest photo that fits into that in any case.
        total_mb: Megabytes of memory in all.
    """

    processes: int
    process_mb: int
    megapixels: float
    total_mb: int


def plan_memory(processes: int, max_megapixels: float, total_mb: int) -> MemoryPlan:
    """Divide the memory: fewer processes where it is short, so that the largest photo fits into each.

    Args:
        processes: How many are wanted.
        max_megapixels: The largest photo that is accepted.
        total_mb: Megabytes of memory.
    """
    available = max(total_mb - OWN_MB, LEAST_MB)
    need = max(LEAST_MB, round(max_megapixels * MB_PER_MEGAPIXEL))
    fitting = max(1, min(processes, available // need))
    process_mb = min(max(MOST_MB, need), available // fitting)
    return MemoryPlan(fitting, process_mb, min(max_megapixels, process_mb / MB_PER_MEGAPIXEL), total_mb)


def memory_of_this_machine(root: Path = Path("/")) -> int:
    """Megabytes of memory that this program may use: of the machine, or less if its container or service has a limit.

    Args:
        root: Where `proc` and `sys` are.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_cgroup_limits(root)]
    return min(limits) // 2**20


def _cgroup_limits(root: Path) -> list[int]:
    """Limits in bytes of this process's control groups, version 2 and version 1, and of the groups that hold them."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        inner = base / group.lstrip("/")
        # In a container the group's path is often that of the host, and only the base exists.
        folders = [inner, *inner.parents] if base in (inner, *inner.parents) else [base]
        for folder in folders:
            limits += _read_limit(folder / name)
            if folder == base:
                break
    return limits


def _read_limit(file: Path) -> list[int]:
    try:
        text = file.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []  # else: "max"
