"""What chat, log, metrics, /readyz and doctor say while something is broken, and that all is answered afterwards.

docs/operating.md has the table. An expired certificate is in tests/cli/test_doctor.py, too, with what the doctor says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cli.broken import BROKEN
from tests.cli.mistakes import check_is_clean
from tests.cli.place import place_in
from tests.faults.bots import ROOT, BotProcess, bare_environment, check_once
from tests.faults.disks import small_disk
from tests.faults.postgres import PostgresServer
from tests.support import Talk, encoded, scene

NEW_TOKEN = "123456789:AAnew-token-after-the-old-one-was-revoked"
PHOTO = Upload(encoded(scene(160, 120)))


async def doctor(settings: dict[str, str]) -> dict[str, tuple[str, str]]:
    """What the doctor finds, by subject: level and text."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "doctor", "--json", cwd=ROOT, env=settings, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    return {one["subject"]: (one["level"], one["text"]) for one in json.loads(output)}


async def get(settings: dict[str, str], path: str) -> tuple[int, str]:
    """A page of the bot's own port."""
    async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{settings['PORT']}{path}") as answer:
        return answer.status, await answer.text()


async def becomes(settings: dict[str, str], path: str, status: int, words: str) -> None:
    """Wait until a page has this status and contains these words."""
    async with asyncio.timeout(60):
        while (found := await get(settings, path))[0] != status or words not in found[1]:  # noqa: ASYNC110 -- a page sends no event
            await asyncio.sleep(0.1)


async def send(talk: Talk) -> dict[str, Any]:
    (message,) = await talk.person.send(PHOTO, caption="/remove_subject")
    return message


async def test_a_killed_database(server: TelegramServer, postgres: PostgresServer, tmp_path: Path) -> None:
    settings = bare_environment(server, tmp_path, WORKERS=1, DATABASE_URL=postgres.new_database(), LOG_FORMAT="json")
    talk, other, bot = Talk(server.telegram, 1), Talk(server.telegram, 2), BotProcess(server.telegram, settings)
    try:
        await bot.start()
        await talk.answer_to(await send(talk))
        await postgres.stop()
        sent = await send(talk)
        help_ = await other.person.write("/help")
        await becomes(settings, "/readyz", 503, "not ready\nwarning: the database has not answered for ")
        assert (await get(settings, "/healthz"))[0] == 200
        assert await bot.number("bot_database_down_since_seconds") > 0
        assert (await doctor(settings))["database"][0] == "fail"
        assert "/erase" in (await other.answer_to(help_))["text"]
        assert talk.answers_to(sent) == [], "its update waits at Telegram"
        await postgres.start()
        await talk.answer_to(sent)
        await becomes(settings, "/readyz", 200, "ready\n")
        assert await bot.number("bot_database_down_since_seconds") == 0
        assert (await doctor(settings))["database"][0] == "ok"
        assert await bot.terminate() == 0
        check_once([(talk, sent)])
        lines = [json.loads(line) for line in bot.log.splitlines()]
        events = [line["event"] for line in lines]
        assert events.count("database_does_not_answer") >= 1
        assert events.count("database_answers_again") == 1
        assert len(lines) < 150, "DBOS alone would write twenty lines a second"
    finally:
        await bot.kill()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 300 MB."""
    with small_disk(tmp_path / "disk", "300m") as disk:
        yield disk


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte; returns the file that fills it."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


async def test_a_full_disk(server: TelegramServer, disk: Path, tmp_path: Path) -> None:
    settings = bare_environment(server, disk / "data", WORKERS=1, LOG_FORMAT="json")
    talk, other = Talk(server.telegram, 1), Talk(server.telegram, 2)
    bot = BotProcess(server.telegram, settings, log=tmp_path / "run.log")
    try:
        await bot.start()
        first = await send(talk)
        assert "photo" in await talk.answer_to(first)
        filler = await asyncio.to_thread(fill, disk)
        await becomes(settings, "/readyz", 503, "not ready\nwarning: the disk of DATA_DIR is nearly full: 0 MB free")
        assert await bot.number("bot_disk_free_bytes") < 1e6
        found = await doctor(settings)
        assert (found["disk"][0], found["database"][0]) == ("fail", "fail")
        assert "disk is full" in found["database"][1]
        sent, help_ = await send(talk), await other.person.write("/help")
        assert "My storage is full" in (await talk.answer_to(sent))["text"]
        assert "/erase" in (await other.answer_to(help_))["text"]
        filler.unlink()
        await becomes(settings, "/readyz", 200, "ready\n")
        late = await send(talk)
        assert "photo" in await talk.answer_to(late)
        found = await doctor(settings)
        assert found["database"][0] == "ok"
        assert await bot.terminate() == 0
        assert '"storage_full"' in bot.log
        assert "Traceback" not in bot.log
    finally:
        await bot.kill()


async def test_a_revoked_token(server: TelegramServer, tmp_path: Path) -> None:
    settings = bare_environment(server, tmp_path, WORKERS=1)
    talk, bot = Talk(server.telegram, 1), BotProcess(server.telegram, settings)
    try:
        await bot.start()
        server.telegram.token = NEW_TOKEN
        sent = await send(talk)
        assert await bot.ends() == 2, "a service manager starts it again, with the new token once that is set"
        check_is_clean(bot.log)
        assert "python -m bot: TELEGRAM_BOT_TOKEN: " in bot.log
        assert (await doctor(settings))["Telegram"][0] == "fail"
        settings["TELEGRAM_BOT_TOKEN"] = server.telegram.token
        assert (await doctor(settings))["Telegram"][0] == "ok"
        await bot.start()
        await talk.answer_to(sent)
        check_once([(talk, sent)])
    finally:
        await bot.kill()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
async def test_an_expired_certificate(tmp_path: Path) -> None:
    broken = BROKEN["an expired certificate"]
    async with place_in(tmp_path) as place:
        settings = await broken.make(place)
        running, talk = place.bot, Talk(place.world.telegram.telegram, 1)
        bot_settings = {**os.environ, **settings}
        assert running is not None
        found = await doctor(bot_settings)
        assert found["public address"][0] == "fail"
        assert (await get(settings, "/readyz"))[0] == 200
        sent = await send(talk)
        assert "photo" in await talk.answer_to(sent), "the chat goes on by polling; only the canvas cannot be opened"
        await broken.fix(place, settings, "")
        assert (await doctor(bot_settings))["public address"][0] == "ok"
        assert place.bot is running
        assert running.returncode is None
