"""Mutate files and open them: `python -m tests.fuzz [--seconds S] [--count N] [--seed K] [--finds FOLDER]`."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import re
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import structlog

from tests.fuzz.judging import judge_all, pixel_pool
from tests.fuzz.mutations import mutated

FINDS = Path(__file__).parent / "finds"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Mutate pictures and open them.")
    parser.add_argument("--seconds", type=float, default=300.0, help="stop after this time")
    parser.add_argument("--count", type=int, default=sys.maxsize, help="stop after so many files")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="the same files again")
    parser.add_argument("--finds", type=Path, default=FINDS, help="where files are kept that show a fault")
    return parser.parse_args()


def _keep(folder: Path, data: bytes, fault: str) -> Path:
    """Write a find to a file named by its fault and a hash."""
    what = re.sub(r"[^a-z0-9]+", "-", fault.strip().splitlines()[-1].lower())[:40].strip("-")
    path = folder / f"{what}-{hashlib.sha256(data).hexdigest()[:8]}.bin"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


async def run(seed: int, count: int, seconds: float, finds: Path) -> int:
    """Mutate, open and report.

    Returns:
        The number of finds.
    """
    ends = time.monotonic() + seconds
    outcomes: Counter[str] = Counter()
    slowest, largest, found = (0.0, ""), (0, ""), 0

    def files() -> Iterator[tuple[str, bytes]]:
        for number in range(count):
            name, data = mutated(seed, number)
            yield f"{number} ({name})", data

    with tempfile.TemporaryDirectory() as scratch:
        async with pixel_pool(Path(scratch)) as pool:
            async for name, data, judgement in judge_all(pool, files(), lambda: time.monotonic() > ends):
                outcomes[judgement.outcome] += 1
                slowest = max(slowest, (judgement.seconds, name))
                largest = max(largest, (judgement.megabytes, name))
                if judgement.fault:
                    found += 1
                    print(f"find: {name}: {_keep(finds, data, judgement.fault)}\n{judgement.fault}", flush=True)
    print(f"seed {seed}: {outcomes.total()} mutated files, {found} finds")
    for outcome, times in outcomes.most_common():
        print(f"  {times:6} {outcome}")
    print(f"  slowest: {slowest[0]:.2f} s, file {slowest[1]}; largest: {largest[0]} MB, file {largest[1]}")
    return found


def main() -> int:
    """Exit code 0: no finds; 1: finds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    given = _arguments()
    return 1 if asyncio.run(run(given.seed, given.count, given.seconds, given.finds)) else 0


if __name__ == "__main__":
    sys.exit(main())
