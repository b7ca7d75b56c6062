"""A backup of a running bot, as docs/operating.md describes it, restored on another machine."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.faults.postgres import PostgresServer, programs
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))

Sent: TypeAlias = tuple[Talk, dict[str, Any]]
"""A person's chat and the message with their photo."""


def back_up(database: Path, copy: Path) -> None:
    """What `sqlite3 bot.sqlite ".backup COPY"` does."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


async def leave_edits_open(
    bot: BotProcess, server: TelegramServer, cloud: CloudStandIn, back_it_up: Callable[[], None]
) -> list[Sent]:
    """Start a bot, back up its database while three edits are open, and kill it; returns the photos."""
    talks = [Talk(server.telegram, number) for number in (1, 2, 3)]
    try:
        await bot.start()
        with cloud.holding():
            sent = await send_photos(talks, 1, PHOTO)
            await cloud.wait_for_calls(3)
            await asyncio.to_thread(back_it_up)
            await bot.kill()  # that machine is gone, with its cache of photos
    finally:
        await bot.kill()
    return sent


async def answers_once(bot: BotProcess, sent: list[Sent]) -> None:
    """Start a bot on the restored database: each photo is answered once."""
    try:
        await bot.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        await bot.kill()


async def test_open_edits_of_a_backup_go_on_after_it_is_restored(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.sqlite"
    first = BotProcess(server.telegram, environment(server, cloud, tmp_path / "first"))
    sent = await leave_edits_open(first, server, cloud, lambda: back_up(tmp_path / "first" / "bot.sqlite", backup))
    (tmp_path / "second").mkdir()
    backup.rename(tmp_path / "second" / "bot.sqlite")
    await answers_once(BotProcess(server.telegram, environment(server, cloud, tmp_path / "second")), sent)


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
    sent = await leave_edits_open(first, server, cloud, lambda: run_postgres("pg_dump", "-Fc", "-f", dump, old))
    await asyncio.to_thread(run_postgres, "pg_restore", "--clean", "--if-exists", "--no-owner", "-d", new, dump)
    second = BotProcess(server.telegram, environment(server, cloud, tmp_path / "second", DATABASE_URL=new))
    await answers_once(second, sent)
