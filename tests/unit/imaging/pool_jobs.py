"""Jobs for the pool of pixel processes, and waiting for what they do in other processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np

from bot.errors import PersonError
from bot.imaging.photo import Photo
from bot.imaging.worker_process import cpu_limit

LONG = 600.0
"""Seconds that a job sleeps when the test stops it: longer than the test's own time limit."""


def double(value: int) -> int:
    return 2 * value


def inverted(photo: Photo, *, tag: str) -> tuple[Photo, dict[str, object]]:
    return photo.with_pixels(255 - photo.pixels), {"tag": tag, "sum": photo.pixels.sum(), "view": photo.pixels[::2, 1]}


def refuse(name: str) -> NoReturn:
    raise PersonError("photo-broken", name=name)


def divide_by_zero() -> NoReturn:
    raise ZeroDivisionError("by nothing")


def sleep_after_writing(mark: Path) -> None:
    import time

    mark.write_text(str(os.getpid()))
    time.sleep(LONG)  # the job that is too slow: the pool has to kill it


def abort() -> None:
    os.abort()


def kill_own_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def allocate(megabytes: int) -> int:
    return int(np.ones(megabytes * 2**20, np.uint8).sum())


_kept: list[object] = []


def keep(megabytes: int) -> int:
    """Take memory and never release it; returns the process id."""
    _kept.append(np.ones(megabytes * 2**20, np.uint8))
    return os.getpid()


def allocate_in_opencv(side: int) -> int:
    small = np.ones((64, 64, 3), np.uint8)
    return int(cv2.resize(small, (side, side)).shape[0])


def report_in_a_text(_: int) -> NoReturn:
    raise RuntimeError("Memory error: Security limit exceeded: std::bad_alloc")  # as a library in C++ does


def process_id() -> int:
    return os.getpid()


async def wait_until(found: Callable[[], object]) -> None:
    """Poll for what another process does, with a deadline: there is no event across processes."""
    async with asyncio.timeout(60):
        while not found():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.01)


async def wait_for_mark(mark: Path) -> int:
    """Wait for the mark and return the id of the process that wrote it."""
    await wait_until(lambda: mark.exists() and mark.read_text())
    return int(mark.read_text())  # noqa: ASYNC240 -- a few bytes


def is_gone(process: int) -> bool:
    """Whether the process has ended, or is a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def wait_until_gone(process: int) -> None:
    await wait_until(lambda: is_gone(process))


def leftovers(scratch: Path) -> list[Path]:
    return [path for path in scratch.rglob("*") if path.is_file() and path.name != "lock"]


def use_the_processor(seconds: float) -> None:
    with cpu_limit(seconds):
        while True:
            pass


def double_within(seconds: float, value: int) -> int:
    with cpu_limit(seconds):
        return 2 * value


def kill_own_process_once(mark: Path, number: int) -> str:
    if mark.exists():
        return "done"
    mark.touch()
    os.kill(os.getpid(), number)
    signal.pause()
    return "unreachable"


def finish_the_second_time(mark: Path) -> str:
    import time

    if mark.exists():
        return "done"
    mark.touch()
    time.sleep(LONG)  # until the pool is stopped
    return "unreachable"
