"""The disk is full: what was answered is not answered again, nothing is lost, and new photos are refused in words."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.edits import retention
from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.storage import data_folder, sqlite
from tests.mask_flood import MaskSender, bytes_in, noise_png
from tests.support import Talk, encoded, running_bot, scene, settings_for


class FullDisk:
    """Lets SQLite's writes of edits fail as they do on a full disk, while `is_full`."""

    def __init__(self) -> None:
        self.is_full = False
        self.refused = 0

    def refuse(self, sql: str) -> None:
        if self.is_full and sql.lstrip().startswith("INSERT INTO edits"):
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullDisk]:
    disk, execute = FullDisk(), sqlite._Cursor.execute

    def checked(cursor: Any, sql: str, *parameters: Any) -> Any:
        disk.refuse(sql)
        return execute(cursor, sql, *parameters)

    monkeypatch.setattr(sqlite._Cursor, "execute", checked)
    yield disk
    disk.is_full = False


def photo() -> Upload:
    return Upload(encoded(scene(160, 120)))


async def test_while_the_disk_is_full_a_help_is_answered_once_and_a_photo_is_not_lost(
    server: TelegramServer, disk: FullDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.updates.intake.OUTAGE_PAUSE", 0.01)
    telegram, ada, ben, cy = server.telegram, *(Talk(server.telegram, number) for number in (1, 2, 3))
    async with running_bot(settings_for(server, tmp_path), telegram):
        disk.is_full = True
        (sent,) = await ben.person.send(photo(), caption="/remove_subject")
        helps = [await talk.person.write("/help") for talk in (ada, cy)]
        nonsense = await cy.person.write("hello")
        polls = telegram.calls["getUpdates"]
        await telegram.events.wait_until(
            lambda: disk.refused >= 30 and telegram.calls["getUpdates"] >= polls + 30, seconds=60
        )
        for talk, asked in zip((ada, cy), helps, strict=True):
            await talk.answer_to(asked)
            assert len(talk.answers_to(asked)) == 1
        assert len(cy.answers_to(nonsense)) <= 1
        assert not ben.answers_to(sent), "it is not recorded, so nothing is said yet"
        disk.is_full = False
        assert "photo" in await ben.answer_to(sent)
        await cy.answer_to(nonsense)
        late = await ada.person.write("/help")
        await ada.answer_to(late)
    assert len(ben.answers_to(sent)) == 1
    assert [len(talk.person.answers) for talk in (ada, cy)] == [2, 2]


async def test_a_full_data_folder_refuses_photos_in_words_and_takes_them_again_later(
    server: TelegramServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_folder, "MEASURE_SECONDS", 0.02)
    settings = settings_for(server, tmp_path, data_max_mb=200, public_url="https://photos.example.org")
    talk, filler = Talk(server.telegram, 1), tmp_path / "filler"
    async with running_bot(settings, server.telegram), aiohttp.ClientSession() as web:

        async def readyz_says(status: int, words: str) -> None:
            while True:
                async with web.get(f"http://127.0.0.1:{settings.port}/readyz") as answer:
                    if (answer.status, words in await answer.text()) == (status, True):
                        return

        canvas = MaskSender(talk, settings, side=240)
        await canvas.open(web)
        with filler.open("wb") as file:
            file.truncate(170_000_000)
        await readyz_says(200, "ready\nwarning: DATA_DIR takes 17")
        with filler.open("wb") as file:
            file.truncate(201_000_000)
        await readyz_says(503, "not ready\nwarning: DATA_DIR takes 20")
        for caption in ("/remove_subject", "/erase", None):
            (sent,) = await talk.person.send(photo(), caption=caption)
            assert "storage is full" in (await talk.answer_to(sent))["text"]
        assert await canvas.send(web, noise_png(1, side=240)) == (507, "storage-full")
        (help_,) = [await talk.person.write("/help")]
        assert "/erase" in (await talk.answer_to(help_))["text"]
        filler.unlink()
        await readyz_says(200, "ready\n")
        status, _ = await canvas.send(web, noise_png(1, side=240))
        assert status == 202, "what waited before still waits"
        (sent,) = await talk.person.send(photo(), caption="/remove_subject")
        assert "photo" in await talk.answer_to(sent)


async def test_masks_that_are_sent_and_cancelled_leave_nothing_on_the_disk(
    server: TelegramServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(server, tmp_path, public_url="https://photos.example.org")
    async with running_bot(settings, server.telegram), aiohttp.ClientSession() as web:
        sender = MaskSender(Talk(server.telegram, 1), settings, side=1200)
        png = await asyncio.to_thread(noise_png, 1, side=1200)
        await sender.open(web)
        for _ in range(2):
            assert await sender.send_and_cancel(web, png) == 204
        before = bytes_in(tmp_path)
        for _ in range(12):
            assert await sender.send_and_cancel(web, png) == 204
        assert len(png) > 1_400_000
        assert not [record for record in caplog.records if record.name == "dbos"], (
            "no traceback for each cancelled edit"
        )
        assert bytes_in(tmp_path) - before < 6_000_000, "SQLite's log takes 4 MB; twelve masks would take 17"


async def test_the_queues_records_of_ended_edits_are_deleted_with_them(
    server: TelegramServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SWEEP_SECONDS", 0.1)
    talk = Talk(server.telegram, 1)

    def ask(sql: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(tmp_path / "bot.sqlite", timeout=30)) as database, database:
            return database.execute(sql).fetchall()

    async def becomes(sql: str, wanted: list[Any]) -> None:
        async with asyncio.timeout(60):
            while ask(sql) != wanted:  # noqa: ASYNC110 -- a library's tables send no event
                await asyncio.sleep(0.05)

    async with running_bot(settings_for(server, tmp_path), server.telegram):
        for _ in range(2):
            (sent,) = await talk.person.send(photo(), caption="/remove_subject")
            await talk.answer_to(sent)
        await becomes("SELECT count(*) FROM workflow_status WHERE status = 'SUCCESS'", [(2,)])
        (old,), (young,) = ask("SELECT workflow_uuid FROM workflow_status ORDER BY created_at")
        ask(f"UPDATE edits SET updated = updated - 90000 WHERE id = '{old.partition(':')[0]}'")
        await becomes("SELECT workflow_uuid FROM workflow_status", [(young,)])
    for table in ("operation_outputs", "workflow_status"):
        assert {row[0] for row in ask(f"SELECT workflow_uuid FROM {table}")} == {young}
