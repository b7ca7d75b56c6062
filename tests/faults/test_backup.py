"""A backup of a running bot, as docs/operating.md describes it, restored on another machine."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.faults.postgres import PostgresServer, programs
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))


def back_up(database: Path, copy: Path) -> None:
    """What `sqlite3 bot.sqlite ".backup COPY"` does."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


async def test_open_edits_of_a_backup_go_on_after_it_is_restored(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.sqlite"
    first = BotProcess(server.telegram, environment(server, cloud, tmp_path / "first"))
    talks = [Talk(server.telegram, number) for number in (1, 2, 3)]
    try:
        await first.start()
        with cloud.holding():
            sent = await send_photos(talks, 1, PHOTO)
            await cloud.wait_for_calls(3)
            back_up(tmp_path / "first" / "bot.sqlite", backup)
            await first.kill()  # that machine is gone, with its cache of photos
    finally:
        await first.kill()
    (tmp_path / "second").mkdir()
    backup.rename(tmp_path / "second" / "bot.sqlite")
    second = BotProcess(server.telegram, environment(server, cloud, tmp_path / "second"))
    try:
        await second.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        await second.kill()


def run_postgres(program: str, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's own programs."""
    folder = programs()
    assert folder is not None
    subprocess.run((folder / program, *arguments), check=True, capture_output=True, timeout=60)


async def test_open_edits_of_a_dump_go_on_after_it_is_restored(
    server: TelegramServer, cloud: CloudStandIn, postgres: PostgresServer, tmp_path: Path
) -> None:
    dump, old, new = tmp_path / "backup.dump", postgres.new_database(), postgres.new_database()
    first = BotProcess(server.telegram, environment(server, cloud, tmp_path / "first", DATABASE_URL=old))
    talks = [Talk(server.telegram, number) for number in (1, 2, 3)]
    try:
        await first.start()
        with cloud.holding():
            sent = await send_photos(talks, 1, PHOTO)
            await cloud.wait_for_calls(3)
            await asyncio.to_thread(run_postgres, "pg_dump", "-Fc", "-f", dump, old)
            await first.kill()
    finally:
        await first.kill()
    await asyncio.to_thread(run_postgres, "pg_restore", "--clean", "--if-exists", "--no-owner", "-d", new, dump)
    second = BotProcess(server.telegram, environment(server, cloud, tmp_path / "second", DATABASE_URL=new))
    try:
        await second.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        await second.kill()
