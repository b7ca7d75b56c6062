"""1,000 photos while 5 % of all Bot API calls fail: 429, 502, dropped connections, answers lost after the work."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import all_answered, send_photos
from tests.faults.test_fairness import Watchdog
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

PEOPLE, PHOTOS, RATE = 200, 5, 0.05


async def measure() -> list[str]:
    """The table's lines."""
    watchdog = Watchdog()
    async with TelegramServer() as server, CloudStandIn() as cloud:
        with tempfile.TemporaryDirectory() as folder:
            bounds = {"volc_concurrency": 8, "workers": 4, "pending_per_user": 20}
            settings = settings_for(server, Path(folder), **with_cloud(cloud), **bounds)
            talks = [Talk(server.telegram, number) for number in range(1, PEOPLE + 1)]
            async with running_bot(settings, server.telegram):
                watching = asyncio.create_task(watchdog.run())
                server.telegram.faults.rate = RATE
                begun = time.perf_counter()
                sent = await send_photos(talks, PHOTOS, Upload(encoded(scene(160, 120))))
                await all_answered(sent, seconds=1800)
                took = time.perf_counter() - begun
                server.telegram.faults.rate = 0.0
                watching.cancel()
    pictures = [sum("photo" in answer for answer in talk.answers_to(message)) for talk, message in sent]
    strays = sum("photo" not in answer for talk in talks for answer in talk.person.answers)
    lost, doubled = sum(n == 0 for n in pictures), sum(n > 1 for n in pictures)
    failed = sum(server.telegram.faults.happened.values())
    return [
        "| photos | calls that failed | lost | doubled | status messages left | seconds | loop's longest pause |",
        "|---|---|---|---|---|---|---|",
        f"| {len(sent)} | {failed} | {lost} | {doubled} | {strays} | {took:.0f} | {watchdog.longest * 1000:.0f} ms |",
    ]


def main() -> list[str]:
    """Run it; the loop's pauses are the bot's and the two stand-ins' together, which share it here."""
    return asyncio.run(measure())
