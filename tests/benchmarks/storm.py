"""200 people send 5 photos each while the bot is killed 10 times: lost, doubled, left hanging."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, environment, send_photos
from tests.support import Talk, encoded, scene

PEOPLE, PHOTOS, KILLS, ENGINE_SECONDS = 200, 5, 10, 0.05


async def measure() -> list[str]:
    """The table's lines."""
    dice = random.Random(5)
    photo = Upload(encoded(scene(160, 120)))
    async with TelegramServer() as server, CloudStandIn() as cloud:
        cloud.latency = ENGINE_SECONDS
        with tempfile.TemporaryDirectory() as folder:
            bot = BotProcess(server.telegram, environment(server, cloud, Path(folder), VOLC_CONCURRENCY=8, WORKERS=8))
            talks = [Talk(server.telegram, number) for number in range(1, PEOPLE + 1)]
            begun = time.perf_counter()
            await bot.start()
            sent = await send_photos(talks, PHOTOS, photo)
            for _ in range(KILLS):
                enough = server.telegram.calls["editMessageMedia"] + dice.randrange(1, PEOPLE * PHOTOS // KILLS)
                await server.telegram.journal.until(
                    lambda n=enough: server.telegram.calls["editMessageMedia"] >= n, seconds=600
                )
                await bot.kill()
                await bot.start()
            try:
                await all_answered(sent, seconds=1800)
            finally:
                await bot.kill()
            took = time.perf_counter() - begun
    pictures = [sum("photo" in answer for answer in talk.answers_to(message)) for talk, message in sent]
    strays = sum("photo" not in answer for talk in talks for answer in talk.person.answers)
    lost, doubled = sum(n == 0 for n in pictures), sum(n > 1 for n in pictures)
    return [
        "| photos | kills | lost | doubled | status messages left | seconds |",
        "|---|---|---|---|---|---|",
        f"| {len(sent)} | {KILLS} | {lost} | {doubled} | {strays} | {took:.0f} |",
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
