"""From a photo's update to its status message while 100 photos a second come in, for five seconds.

Telegram's own limit (30 messages a second) is lifted here: with it, a bot may not say more than that, however quick.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.faults.bots import BotProcess, bare_environment
from tests.support import Talk, encoded, scene

A_SECOND, SECONDS = 100, 5


async def measure() -> list[str]:
    """The table's lines."""
    photo = Upload(encoded(scene(160, 120)))
    async with TelegramServer() as server:
        with tempfile.TemporaryDirectory() as folder:
            settings = bare_environment(server, Path(folder), ENGINE="local")
            bot = BotProcess(server.telegram, settings, module="tests.benchmarks._bare_bot")
            await bot.start()
            try:
                warm = Talk(server.telegram, 999_999)
                await warm.answer_to((await warm.person.send(photo, caption="/remove_subject"))[0])
                waits = await _series(server, photo)
                pause = await bot.number("bot_loop_longest_own_pause_seconds")
            finally:
                await bot.kill()
    median, p99 = np.median(waits), np.percentile(waits, 99)
    return [
        "| photos a second | median | p99 | the loop's longest pause |",
        "|---|---|---|---|",
        f"| {A_SECOND} | {median * 1000:.0f} ms | {p99 * 1000:.0f} ms | {pause * 1000:.0f} ms |",
    ]


async def _series(server: TelegramServer, photo: Upload) -> list[float]:
    telegram, loop = server.telegram, asyncio.get_running_loop()
    talks = [Talk(telegram, number) for number in range(1, A_SECOND * SECONDS + 1)]
    sent: dict[int, float] = {}
    said: dict[int, float] = {}
    contents = [await talk.person._content(photo) for talk in talks]  # Telegram's own work, done beforehand

    async def listen() -> None:
        async for event in telegram.events.follow(telegram.events.last):
            if event.kind == "message" and event.data["from"]["is_bot"]:
                said.setdefault(event.chat, time.perf_counter())
            if len(said) == len(talks):
                return

    listening = asyncio.create_task(listen())
    begun = loop.time()
    for index, (talk, content) in enumerate(zip(talks, contents, strict=True)):
        await asyncio.sleep(max(0.0, begun + index / A_SECOND - loop.time()))
        message: Any = {**content, "caption": "/remove_subject"}
        sent[talk.person.id] = time.perf_counter()
        talk.person._send(message, None, None)
    await asyncio.wait_for(listening, 120)
    return [said[number] - at for number, at in sent.items()]


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
