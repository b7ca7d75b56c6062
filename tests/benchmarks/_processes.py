"""Processor time and memory of all processes of a session, as /proc tells them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def processor_seconds(session: int) -> float:
    """Time that all processes of a session have computed."""
    ticks = sum(int(fields[11]) + int(fields[12]) for _, fields in _processes(session))
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(session: int) -> float:
    """Memory of all processes of a session; shared pages are split among those that share them."""
    kilobytes = 0
    for folder, _ in _processes(session):
        with contextlib.suppress(OSError):  # it has ended
            lines = (folder / "smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 2**10


def _processes(session: int) -> list[tuple[Path, list[str]]]:
    """The /proc folders of a session's processes, and the fields of their `stat` from the state on."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(") ")[2].split()
            if int(fields[3]) == session:
                found.append((folder, fields))
    return found
