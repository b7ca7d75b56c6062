"""Measuring a job: seconds and peak memory, in a separate process."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNS = 3

LONG = 10.0
"""Seconds from which a run is not repeated: it varies by less than the methods differ."""

EXPLAINED = (
    f"Seconds: median of {RUNS} runs (one, where it takes longer than {LONG:.0f} s), each in a fresh process after a "
    "tiny run that pays for imports. MB: the process's peak, interpreter and libraries included."
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Median seconds and highest peak in MB."""

    seconds: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} / {self.megabytes:.0f}"


def cost(job: Callable[..., float], *args: Any) -> Cost:
    """Measure a job.

    Args:
        job: A function of a module; it times itself, so that what it needs before is not counted, and returns seconds.
        args: Its arguments.
    """
    runs: list[tuple[float, float]] = []
    while len(runs) < RUNS and not (runs and runs[0][0] > LONG):
        # A process of its own each time, or the peak is another's.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            runs.append(pool.submit(_measured, job, args).result())
    return Cost(statistics.median(seconds for seconds, _ in runs), max(peak for _, peak in runs))


def _measured(job: Callable[..., float], args: tuple[Any, ...]) -> tuple[float, float]:
    return job(*args), peak()


def peak() -> float:
    """Peak MB of this process alone, which `getrusage` does not report after a fork."""
    status = Path("/proc/self/status")
    if not status.is_file():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**10


def tell(text: str) -> None:
    """Print on stderr what is being measured: a run takes a quarter of an hour."""
    print(text, file=sys.stderr, flush=True)
