"""Several processes on one PostgreSQL: workers that crash, a database that restarts, shared limits."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.faults.postgres import PostgresServer
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))


async def test_workers_killed_in_turn_and_the_database_restarted(
    server: TelegramServer, cloud: CloudStandIn, postgres: PostgresServer, tmp_path: Path
) -> None:
    dice = random.Random(3)
    cloud.latency = 0.05
    url = postgres.new_database()
    common = {"DATABASE_URL": url, "VOLC_CONCURRENCY": 2}
    telegram = server.telegram
    bot = BotProcess(telegram, environment(server, cloud, tmp_path / "bot", WORKERS=1, **common))
    workers = [
        BotProcess(telegram, environment(server, cloud, tmp_path / f"worker{n}", **common), command="worker")
        for n in (1, 2)
    ]
    talks = [Talk(telegram, number) for number in range(1, 13)]
    try:
        # All at once, on an empty database: each creates the tables, or finds them.
        await asyncio.gather(bot.start(), *(worker.start(wait=False) for worker in workers))
        await asyncio.gather(*(worker.says("working") for worker in workers))
        sent = await send_photos(talks, 3, PHOTO)
        for turn in range(3):
            enough = telegram.calls["editMessageMedia"] + dice.randrange(1, 6)
            await telegram.events.wait_until(lambda n=enough: telegram.calls["editMessageMedia"] >= n, seconds=60)
            worker = workers[turn % 2]
            await worker.kill()
            if turn in (0, 2):
                await postgres.stop()
                await postgres.start()
            await worker.start(wait=False)
        await all_answered(sent, seconds=120)
        check_once(sent)
        assert cloud.most_in_flight <= 2, "VOLC_CONCURRENCY holds over all processes"
        assert [process.long_pauses for process in (bot, *workers)] == [[], [], []]
    finally:
        for process in (bot, *workers):
            await process.kill()


async def test_the_edits_of_a_dead_worker_are_taken_over(
    server: TelegramServer, cloud: CloudStandIn, postgres: PostgresServer, tmp_path: Path
) -> None:
    common = {"DATABASE_URL": postgres.new_database()}
    telegram = server.telegram
    bot = BotProcess(telegram, environment(server, cloud, tmp_path / "bot", **common))
    worker = BotProcess(telegram, environment(server, cloud, tmp_path / "worker", **common), command="worker")
    talks = [Talk(telegram, number) for number in range(1, 9)]
    try:
        await bot.start()
        await worker.start(wait=False)
        await worker.says("working")
        with cloud.holding():
            sent = await send_photos(talks, 1, PHOTO)
            await cloud.wait_for_calls(4)
            await worker.kill()
        await all_answered(sent, seconds=30)  # the promise
        check_once(sent)
    finally:
        for process in (bot, worker):
            await process.kill()


async def test_cancelling_frees_the_worker_wherever_it_runs(
    server: TelegramServer, cloud: CloudStandIn, postgres: PostgresServer, tmp_path: Path
) -> None:
    common = {"DATABASE_URL": postgres.new_database(), "VOLC_CONCURRENCY": 2, "WORKERS": 1}
    telegram = server.telegram
    bot = BotProcess(telegram, environment(server, cloud, tmp_path / "bot", **common))
    worker = BotProcess(telegram, environment(server, cloud, tmp_path / "worker", **common), command="worker")
    talks = [Talk(telegram, number) for number in range(1, 5)]
    try:
        await asyncio.gather(bot.start(), worker.start(wait=False))
        await worker.says("working")
        with cloud.holding():
            stopped = await send_photos(talks[:2], 1, PHOTO)  # one runs here, one there
            await cloud.wait_for_calls(2)
            sent = await send_photos(talks[2:], 1, PHOTO)
            for talk, message in stopped:
                status = await talk.answer_to(message, settled=False)
                await talk.person.press_labelled(status["message_id"], "Cancel")
            async with asyncio.timeout(15):
                await cloud.wait_for_calls(4)
        await all_answered(sent, seconds=30)
        for talk, message in stopped:
            assert "Stopped" in (await talk.answer_to(message))["text"]
    finally:
        for process in (bot, worker):
            await process.kill()
