"""200 people send 5 photos each while the bot is killed: lost, doubled, left hanging; on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, environment, send_photos
from tests.faults.postgres import PostgresServer, programs
from tests.support import Talk, encoded, scene

PEOPLE, PHOTOS, KILLS, ENGINE_SECONDS = 200, 5, 10, 0.05
PAUSE = "bot_loop_longest_own_pause_seconds"


async def measure() -> list[str]:
    """The table's lines."""
    lines = [
        "| | photos | kills | lost | doubled | status messages left | seconds | loop's longest pause |",
        "|---|---|---|---|---|---|---|---|",
        await _on_sqlite(),
    ]
    if programs() is None:
        return [*lines, "", "No PostgreSQL on this machine: apt-get install postgresql"]
    return [*lines, await _on_postgres()]


async def _on_sqlite() -> str:
    async with TelegramServer() as server, CloudStandIn() as cloud:
        cloud.latency = ENGINE_SECONDS
        with tempfile.TemporaryDirectory() as folder:
            bot = BotProcess(server.telegram, environment(server, cloud, Path(folder), VOLC_CONCURRENCY=8, WORKERS=8))
            await bot.start()
            try:
                return await _storm("SQLite, the one process killed", server, bot, [bot], None)
            finally:
                await bot.kill()


async def _on_postgres() -> str:
    postgres = PostgresServer()
    await asyncio.to_thread(postgres.create)
    await postgres.start()
    async with TelegramServer() as server, CloudStandIn() as cloud:
        cloud.latency = ENGINE_SECONDS
        with tempfile.TemporaryDirectory() as folder:
            common = {"DATABASE_URL": postgres.new_database(), "VOLC_CONCURRENCY": 8}
            bot = BotProcess(server.telegram, environment(server, cloud, Path(folder) / "bot", WORKERS=2, **common))
            workers = [
                BotProcess(
                    server.telegram,
                    environment(server, cloud, Path(folder) / f"worker{number}", WORKERS=4, **common),
                    command="worker",
                )
                for number in (1, 2)
            ]
            try:
                await bot.start()
                for worker in workers:
                    await worker.start(wait=False)
                title = "PostgreSQL, two workers killed in turn, the database restarted twice"
                return await _storm(title, server, bot, workers, postgres)
            finally:
                for process in (bot, *workers):
                    await process.kill()
                await postgres.stop()
                postgres.remove()


async def _storm(
    title: str,
    server: TelegramServer,
    bot: BotProcess,
    victims: Sequence[BotProcess],
    postgres: PostgresServer | None,
) -> str:
    dice = random.Random(5)
    telegram = server.telegram
    talks = [Talk(telegram, number) for number in range(1, PEOPLE + 1)]
    pauses: list[float] = []
    begun = time.perf_counter()
    sent: list[tuple[Talk, dict[str, Any]]] = await send_photos(talks, PHOTOS, Upload(encoded(scene(160, 120))))
    for turn in range(KILLS):
        enough = telegram.calls["editMessageMedia"] + dice.randrange(1, PEOPLE * PHOTOS // KILLS)
        await telegram.events.wait_until(lambda n=enough: telegram.calls["editMessageMedia"] >= n, seconds=600)
        victim = victims[turn % len(victims)]
        pauses.append(await bot.number(PAUSE))
        await victim.kill()
        if postgres is not None and turn in (KILLS // 3, 2 * KILLS // 3):
            await postgres.stop()
            await postgres.start()
        await victim.start(wait=postgres is None)
    await all_answered(sent, seconds=1800)
    took = time.perf_counter() - begun
    pauses.append(await bot.number(PAUSE))
    for process in {bot, *victims}:
        pauses += process.pauses
        for line in process.pause_lines:
            print(line, file=sys.stderr)
    pictures = [sum("photo" in answer for answer in talk.answers_to(message)) for talk, message in sent]
    strays = sum("photo" not in answer for talk in talks for answer in talk.person.answers)
    lost, doubled = sum(n == 0 for n in pictures), sum(n > 1 for n in pictures)
    counts = f"{len(sent)} | {KILLS} | {lost} | {doubled} | {strays}"
    return f"| {title} | {counts} | {took:.0f} | {max(pauses) * 1000:.0f} ms |"


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
