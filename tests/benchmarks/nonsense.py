"""An honest photo's first word beside 5,000 texts of 1,000 people, by polling and by webhook.

Telegram's limits hold: 30 messages a second in all.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.faults.bots import BotProcess, bare_environment
from tests.support import Talk, encoded, scene

PEOPLE, TEXTS = 1000, 5
PUBLIC = "https://photos.example.org"
HONEST = 5
"""Photos sent while the texts wait, one every two seconds."""


async def _first_words(way: str) -> list[float]:
    photo = Upload(encoded(scene(160, 120)))
    async with TelegramServer() as server:
        telegram = server.telegram
        with tempfile.TemporaryDirectory() as folder:
            settings = bare_environment(server, Path(folder), PENDING_PER_USER=3)
            if way == "webhook":
                settings |= {"TELEGRAM_UPDATES": "webhook", "PUBLIC_URL": PUBLIC}
                telegram.updates.proxies[PUBLIC] = f"http://127.0.0.1:{settings['PORT']}"
            bot = BotProcess(telegram, settings)
            await bot.start(wait=False)
            try:
                warm = Talk(telegram, 999_999)
                await warm.answer_to((await warm.person.send(photo, caption="/remove_subject"))[0])
                crowd = [Talk(telegram, number) for number in range(1, PEOPLE + 1)]
                for text in range(TEXTS):
                    for talk in crowd:
                        await talk.person.write(f"what is this? {text}")
                seconds = []
                for number in range(HONEST):
                    honest = Talk(telegram, 500_000 + number)
                    begun = time.perf_counter()
                    (sent,) = await honest.person.send(photo, caption="/remove_subject")
                    await honest.answer_to(sent, settled=False, seconds=120)
                    seconds.append(time.perf_counter() - begun)
                    await asyncio.sleep(max(0.0, 2 - seconds[-1]))
                return seconds
            finally:
                await bot.kill()


async def measure() -> list[str]:
    """The table's lines."""
    lines = [
        f"| {PEOPLE * TEXTS} texts of {PEOPLE} people by | median first word | longest of {HONEST} |",
        "|---|---|---|",
    ]
    for way in ("polling", "webhook"):
        seconds = sorted(await _first_words(way))
        lines.append(f"| {way} | {seconds[len(seconds) // 2]:.2f} s | {seconds[-1]:.2f} s |")
    return lines


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
