"""Memory of the bot's process after 200 photos and after 2,000."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, environment, send_photos
from tests.support import Talk, encoded, scene

FIRST, ALL, AT_ONCE = 200, 2000, 40


async def measure() -> list[str]:
    """The table's lines."""
    photo = Upload(encoded(scene(160, 120)))
    async with TelegramServer() as server, CloudStandIn() as cloud:
        with tempfile.TemporaryDirectory() as folder:
            bot = BotProcess(server.telegram, environment(server, cloud, Path(folder), VOLC_CONCURRENCY=8, WORKERS=4))
            await bot.start()
            try:
                sizes = {}
                for done in range(0, ALL, AT_ONCE):
                    if done == FIRST:
                        sizes[FIRST] = bot.memory
                    talks = [Talk(server.telegram, done + number) for number in range(1, AT_ONCE + 1)]
                    await all_answered(await send_photos(talks, 1, photo), seconds=300)
                sizes[ALL] = bot.memory
            finally:
                await bot.kill()
    growth = sizes[ALL] / sizes[FIRST] - 1
    return [
        "| after photos | resident memory |",
        "|---|---|",
        *(f"| {count} | {size / 1e6:.0f} MB |" for count, size in sizes.items()),
        f"\nGrowth: {growth:+.0%}",
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
