"""1,000 photos while 5 % of all Bot API calls fail: 429, 502, dropped connections, answers lost after the work."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, environment, send_photos
from tests.support import Talk, encoded, scene

PEOPLE, PHOTOS, RATE = 200, 5, 0.05


async def measure() -> list[str]:
    """The table's lines."""
    async with TelegramServer() as server, CloudStandIn() as cloud:
        with tempfile.TemporaryDirectory() as folder:
            bot = BotProcess(server.telegram, environment(server, cloud, Path(folder), VOLC_CONCURRENCY=8))
            talks = [Talk(server.telegram, number) for number in range(1, PEOPLE + 1)]
            await bot.start()
            try:
                server.telegram.faults.rate = RATE
                begun = time.perf_counter()
                sent = await send_photos(talks, PHOTOS, Upload(encoded(scene(160, 120))))
                await all_answered(sent, seconds=1800)
                took = time.perf_counter() - begun
                server.telegram.faults.rate = 0.0
                pause = await bot.number("bot_loop_longest_own_pause_seconds")
            finally:
                await bot.kill()
    pictures = [sum("photo" in answer for answer in talk.answers_to(message)) for talk, message in sent]
    strays = sum("photo" not in answer for talk in talks for answer in talk.person.answers)
    lost, doubled = sum(n == 0 for n in pictures), sum(n > 1 for n in pictures)
    failed = sum(server.telegram.faults.injected.values())
    return [
        "| photos | calls that failed | lost | doubled | status messages left | seconds | loop's longest pause |",
        "|---|---|---|---|---|---|---|",
        f"| {len(sent)} | {failed} | {lost} | {doubled} | {strays} | {took:.0f} | {pause * 1000:.0f} ms |",
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
