"""The worst picture files: processor time and memory that opening each one costs, at most 8 s and 1 GB."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from pathlib import Path

from bot.edits.pictures import pixels
from bot.errors import BotError
from bot.imaging.pool import PixelPool
from bot.preload import PRELOAD
from tests import hostile


async def measure() -> list[str]:
    """The table's lines."""
    lines = ["| file | MB | answer | s of processor time | MB of memory |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (hostile.REFUSED | hostile.BOUNDED).items():
            path = Path(folder) / "picture"
            path.write_bytes(make())
            answer, seconds, megabytes = await _open(path, Path(folder))
            size = path.stat().st_size / 1e6
            lines.append(f"| {name} | {size:.1f} | {answer} | {seconds:.1f} | {megabytes:.0f} |")
    return lines


async def _open(path: Path, folder: Path) -> tuple[str, float, float]:
    """Open a file in a fresh process; returns the answer, the processor time, and the peak of resident memory."""
    async with PixelPool(workers=1, scratch=folder, preload=PRELOAD, timeout=600) as pool:
        process = await pool.run(os.getpid)
        watch = _Watch(process)
        try:
            photo = await pixels.open_in_pool(pool, path, 50)
            answer = f"{photo.width} × {photo.height}"
        except BotError as error:
            answer = error.message_id
        finally:
            watch.stop()
    return answer, watch.seconds, watch.megabytes


class _Watch(threading.Thread):
    """Reads a process's processor time and memory until it ends or is stopped.

    Args:
        process: Its id.
    """

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._folder = Path(f"/proc/{process}")
        self._done = threading.Event()
        self._first = self.seconds = 0.0
        self.megabytes = 0.0
        self._first = self._read()
        self.start()

    def run(self) -> None:
        while not self._done.wait(0.02) and self._read():
            pass

    def stop(self) -> None:
        self._read()
        self._done.set()
        self.join()

    def _read(self) -> float:
        """Read both; returns the seconds since the process began, 0 if it has ended."""
        try:
            fields = (self._folder / "stat").read_text().rpartition(") ")[2].split()
            status = (self._folder / "status").read_text().splitlines()
        except OSError:
            return 0.0
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        peak = next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
        self.megabytes = max(self.megabytes, peak / 1024)
        self.seconds = max(self.seconds, used - self._first)
        return used


def main() -> list[str]:
    """Run it."""
    began = time.perf_counter()
    lines = asyncio.run(measure())
    return [*lines, f"\n{time.perf_counter() - began:.0f} s in all."]
