"""A new version takes the old one's place, at once or by and by: what the old one had begun or accepted is not lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.faults.postgres import PostgresServer
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))
NEXT = "tests.faults.next_version"


async def test_the_next_version_finishes_what_a_killed_one_had_begun(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = environment(server, cloud, tmp_path)
    old, new = BotProcess(server.telegram, settings), BotProcess(server.telegram, settings, module=NEXT)
    talks = [Talk(server.telegram, number) for number in (1, 2)]
    try:
        await old.start()
        with cloud.holding():
            sent = await send_photos(talks, 2, PHOTO)  # one runs, one waits
            await cloud.wait_for_calls(2)
            await server.telegram.events.wait_until(lambda: all(len(talk.person.answers) == 2 for talk in talks))
            await old.kill()
        await new.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        for process in (old, new):
            await process.kill()


async def test_processes_are_replaced_one_by_one_while_photos_come_in(
    server: TelegramServer, cloud: CloudStandIn, postgres: PostgresServer, tmp_path: Path
) -> None:
    cloud.latency = 0.05
    common: dict[str, Any] = {"DATABASE_URL": postgres.new_database(), "VOLC_CONCURRENCY": 2, "WORKERS": 2}
    bots, workers = (
        [
            BotProcess(
                server.telegram,
                environment(server, cloud, tmp_path / f"{command}-{module}", **common),
                command=command,
                module=module,
            )
            for module in ("bot", NEXT)
        ]
        for command in ("run", "worker")
    )
    talks = [Talk(server.telegram, number) for number in range(1, 9)]
    try:
        await bots[0].start()
        await workers[0].start(wait=False)
        await workers[0].says("working")
        sent = await send_photos(talks, 1, PHOTO)
        await workers[1].start(wait=False)
        await workers[1].says("working")
        sent += await send_photos(talks, 1, PHOTO)
        assert await workers[0].terminate() == 0
        sent += await send_photos(talks, 1, PHOTO)
        assert await bots[0].terminate() == 0
        await bots[1].start()
        sent += await send_photos(talks, 1, PHOTO)
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        for process in (*bots, *workers):
            await process.kill()
