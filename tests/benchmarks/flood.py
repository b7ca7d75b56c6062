"""One person floods 50 photos while all workers are busy: how soon another person's photo begins."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bot.playground import TelegramServer
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.faults.floods import flood

PHOTOS = 50


async def measure() -> list[str]:
    """The table's lines."""
    async with TelegramServer() as server, CloudStandIn() as cloud:
        cloud.latency = 0.05
        with tempfile.TemporaryDirectory() as folder:
            settings = environment(server, cloud, Path(folder), WORKERS=2, PENDING_PER_USER=60)
            bot = BotProcess(server.telegram, settings)
            await bot.start()
            try:
                seen = await flood(server, cloud, photos=PHOTOS)
                pause = await bot.number("bot_loop_longest_own_pause_seconds")
            finally:
                await bot.kill()
    in_order = "yes" if seen.in_order else "no"
    counts = f"{seen.started_after:.2f} s | {seen.flooded_before} | {in_order}"
    return [
        "| photos | free worker → the other's start | of the flood answered before | in order | longest pause |",
        "|---|---|---|---|---|",
        f"| {PHOTOS} | {counts} | {pause * 1000:.0f} ms |",
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
