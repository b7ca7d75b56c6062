"""The bot on one core with 512 MB: photos as Telegram compresses them, and the largest that it takes as a file.

The bot and its pixel processes run in a control group with this memory and no swap, on one core (Linux, as root). The
stand-in for Telegram runs outside. `memory` is the most that the group had at a time; the kernel drops the page cache
in it when it is needed for something else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.faults.bots import BotProcess, bare_environment
from tests.support import Talk, encoded, scene

MEGABYTES = 512
PHOTOS = {"1280 × 960": (1280, 960), "9 megapixels, as a file": (3464, 2598)}
CAPTIONS = ("/remove_subject", "/remove_background", "/remove_background transparent")
EACH = 3

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


class Group:
    """A control group of version 1 or 2 with little memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_v1 = folder.is_relative_to(V1)

    def limit(self, size: int) -> None:
        """Set the limit in bytes; no swap."""
        (self.folder / ("memory.limit_in_bytes" if self.is_v1 else "memory.max")).write_text(str(size))
        swap = self.folder / ("memory.memsw.limit_in_bytes" if self.is_v1 else "memory.swap.max")
        if swap.exists():
            swap.write_text(str(size) if self.is_v1 else "0")

    @property
    def peak(self) -> int:
        """The most bytes that it had at a time."""
        return int((self.folder / ("memory.max_usage_in_bytes" if self.is_v1 else "memory.peak")).read_text())

    @property
    def kills(self) -> int:
        """How many of its processes were killed for lack of memory."""
        text = (self.folder / ("memory.oom_control" if self.is_v1 else "memory.events")).read_text()
        found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        return int(found[1]) if found else 0


@contextlib.contextmanager
def small_group() -> Iterator[Group | None]:
    """A new group; None where this process may not make one."""
    folder = (V1 if V1.is_dir() else V2) / f"photo-bot-{os.getpid()}"
    try:
        folder.mkdir()
        group = Group(folder)
        group.limit(MEGABYTES * 2**20)
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        yield None
        return
    try:
        yield group
    finally:
        for _ in range(100):
            with contextlib.suppress(OSError):
                folder.rmdir()  # possible once the last process has ended
                break
            time.sleep(0.1)  # killed processes leave a group a moment later; version 1 sends no event for that


async def measure() -> list[str]:
    """The table's lines."""
    with small_group() as group:
        if group is None:
            return ["No control group with a limit can be made here: run it on Linux, as root."]
        lines = ["| photo | command | median of 3 | longest | |", "|---|---|---|---|---|"]
        async with TelegramServer() as server:
            with tempfile.TemporaryDirectory() as folder:
                settings = bare_environment(server, Path(folder), MODELS="auto", MAX_MEGAPIXELS=9)
                settings.pop("WORKERS")
                core = min(os.sched_getaffinity(0))
                enter = f'echo $$ > {group.folder}/cgroup.procs && exec taskset -c {core} "$@"'
                bot = BotProcess(server.telegram, settings, before=enter)
                begun = time.perf_counter()
                await bot.start()
                ready = time.perf_counter() - begun
                try:
                    for name, (width, height) in PHOTOS.items():
                        upload = Upload(encoded(scene(width, height), quality=90), as_file="file" in name)
                        for number, caption in enumerate(CAPTIONS):
                            talk = Talk(server.telegram, 10 * width + number)
                            lines.append(f"| {name} | {caption} | {await _edits(talk, upload, caption)} |")
                finally:
                    await bot.kill()
        peak = f"{group.peak / 2**20:.0f} of {MEGABYTES} MB"
        return [*lines, "", f"Ready after {ready:.1f} s; memory {peak}; killed for lack of memory: {group.kills}."]


async def _edits(talk: Talk, upload: Upload, caption: str) -> str:
    """Seconds of some edits, one after the other, and what did not become a picture."""
    took, words = [], ""
    for _ in range(EACH):
        begun = time.perf_counter()
        (sent,) = await talk.person.send(upload, caption=caption)
        answer = await talk.answer_to(sent, seconds=300)
        took.append(time.perf_counter() - begun)
        words = str(answer.get("text", words))[:80]
    return f"{sorted(took)[EACH // 2]:.1f} s | {max(took):.1f} s | {words}"


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
