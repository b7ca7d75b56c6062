"""What the program takes while nothing happens: start, processor time and memory of all its processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.playground import TelegramServer
from tests.benchmarks._processes import megabytes, processor_seconds
from tests.faults.bots import ROOT, bare_environment

SETTLE_SECONDS, IDLE_SECONDS = 10, 60
READY_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Seconds from the start to /readyz, percent of one core, MB (shared pages split among those that share them)."""

    ready: float
    percent: float
    megabytes: float


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _idle(settings: dict[str, str]) -> Idle:
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=settings, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as bot:  # fmt: skip
        try:
            while not _is_ready(int(settings["PORT"])):
                if bot.poll() is not None or time.monotonic() - begun > READY_LIMIT:
                    raise RuntimeError("the bot is not ready")
                time.sleep(0.02)  # another process: there is no event to wait for
            ready = time.monotonic() - begun
            time.sleep(SETTLE_SECONDS)  # what the start left to do
            before, computed = time.monotonic(), processor_seconds(bot.pid)
            time.sleep(IDLE_SECONDS)  # the time that is measured
            percent = 100 * (processor_seconds(bot.pid) - computed) / (time.monotonic() - before)
            return Idle(ready, percent, megabytes(bot.pid))
        finally:
            os.killpg(bot.pid, signal.SIGTERM)


async def measure() -> list[str]:
    """The table's lines."""
    rows = ["| | ready after | of one core | memory of all processes |", "|---|---|---|---|"]
    async with TelegramServer() as server:
        changes: dict[str, dict[str, Any]] = {
            "with a token, polling": {},
            "playground": {"TELEGRAM_BOT_TOKEN": "", "TELEGRAM_API_URL": "https://api.telegram.org"},
        }
        for name, change in changes.items():
            with tempfile.TemporaryDirectory() as folder:
                settings = bare_environment(server, Path(folder), MODELS="auto", **change)
                settings.pop("WORKERS")
                idle = await asyncio.to_thread(_idle, settings)
            rows.append(f"| {name} | {idle.ready:.1f} s | {idle.percent:.1f} % | {idle.megabytes:.0f} MB |")
    return rows


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
