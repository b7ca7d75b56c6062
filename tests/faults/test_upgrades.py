"""Upgrades, all at once or process by process: no edit that the old version accepted or started is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.faults.postgres import PostgresServer
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))
ADDED = {
    "edits": (
        "asks_for_mask",
        "thread",
        "spoiler",
        "guessed",
        "album_status",
        "notes",
        "requested",
        "background_file_id",
        "background_unique_id",
        "album",
    ),
    "offers": ("thread", "spoiler", "album", "silent"),
    "wishes": ("finish", "edit"),
}
"""Columns that came after the renaming."""
ADDED_TABLES = (
    "deletions",
    "quota_uses",
    "person_settings",
    "people",
    "bans",
    "daily_counts",
    "announcements",
    "announcement_recipients",
    "invoices",
    "payments",
    "support_requests",
    "work_times",
)
ADDED_INDEXES = (
    "edits_by_album",
    "edits_by_message",
    "edits_by_status_message",
    "edits_by_album_status",
    "offers_by_person",
    "offers_by_age",
    "offers_by_message",
    "offers_by_status_message",
    "offers_silent",
)
NEXT = "tests.faults.next_version"
PREVIOUS = "tests.faults.previous_version"


def undo_renaming(folder: Path) -> None:
    """Give the tables the names, and the steps the checkpoints, that the version before the renaming wrote."""
    (path,) = folder.glob("*.sqlite")
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE pending_commands RENAME TO wishes")
        database.execute("ALTER TABLE rate_limits RENAME TO paces")
        database.execute("ALTER TABLE found_objects RENAME TO things")
        for table in ADDED_TABLES:
            database.execute(f"DROP TABLE {table}")
        for index in ADDED_INDEXES:
            database.execute(f"DROP INDEX {index}")
        for table, columns in ADDED.items():
            for column in columns:
                database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        database.execute("UPDATE schema_version SET version_num = '0005'")
        versions = database.execute("SELECT DISTINCT application_version FROM workflow_status").fetchall()
        assert versions == [("2",)]
        # A pickle of a class that the renaming removed: it can no longer be read.
        database.execute("UPDATE operation_outputs SET output = 'cbot.edits.steps\nKept\n.'")
    database.close()


async def test_edits_of_the_version_before_the_renaming_are_finished(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = environment(server, cloud, tmp_path)
    old, new = BotProcess(server.telegram, settings, module=PREVIOUS), BotProcess(server.telegram, settings)
    talks = [Talk(server.telegram, number) for number in (1, 2)]
    try:
        await old.start()
        with cloud.holding():
            sent = await send_photos(talks, 2, PHOTO)  # one runs, one waits
            await cloud.wait_for_calls(2)
            await server.telegram.events.wait_until(lambda: all(len(talk.person.answers) == 2 for talk in talks))
            await old.kill()
        undo_renaming(tmp_path)
        await new.start()
        await all_answered(sent, seconds=60)
        check_once(sent)
    finally:
        for process in (old, new):
            await process.kill()


async def test_the_next_version_finishes_the_edits_of_a_killed_one(
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
