"""All pixel processes are killed every second for a minute while people send photos: each photo is answered, once."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.faults.bots import BotProcess, all_answered, bare_environment, send_photos
from tests.support import Talk, encoded, scene

PEOPLE, PHOTOS, SECONDS = 10, 3, 60


async def measure() -> list[str]:
    """The table's lines."""
    photo = Upload(encoded(scene(640, 480)))
    async with TelegramServer() as server:
        with tempfile.TemporaryDirectory() as folder:
            bot = BotProcess(server.telegram, bare_environment(server, Path(folder), WORKERS=2))
            talks = [Talk(server.telegram, number) for number in range(1, PEOPLE + 1)]
            await bot.start()
            try:
                began = time.perf_counter()
                sent = await send_photos(talks, PHOTOS, photo)
                killed = 0
                while time.perf_counter() - began < SECONDS:
                    killed += bot.kill_pixel_processes()
                    await asyncio.sleep(1)
                await all_answered(sent, seconds=900)
                took = time.perf_counter() - began
            finally:
                await bot.kill()
    pictures = [sum("photo" in answer for answer in talk.answers_to(message)) for talk, message in sent]
    strays = sum("photo" not in answer for talk in talks for answer in talk.person.answers)
    return [
        "| photos | processes killed | lost | doubled | other answers | seconds |",
        "|---|---|---|---|---|---|",
        f"| {len(sent)} | {killed} | {pictures.count(0)} | {sum(n > 1 for n in pictures)} | {strays} | {took:.0f} |",
    ]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
