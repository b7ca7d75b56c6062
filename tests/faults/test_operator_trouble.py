"""What needs a real PostgreSQL, a full disk, or a bot that runs already: still one line, and nothing left open."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.models.registry import MODELS
from bot.playground import TelegramServer
from tests.cli.mistakes import check_is_clean, outcome, require_password, start
from tests.faults.bots import BotProcess, bare_environment
from tests.faults.disks import small_disk
from tests.faults.postgres import PostgresServer
from tests.support import free_port


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        yield disk


def settings_of(server: TelegramServer, **changes: str) -> dict[str, str]:
    known = {"TELEGRAM_BOT_TOKEN": server.telegram.token, "TELEGRAM_API_URL": server.url, "PORT": str(free_port())}
    return known | changes


async def test_a_wrong_password_of_the_database(
    server: TelegramServer, postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await asyncio.to_thread(require_password, postgres.new_database())
    for command in ("run", "worker"):
        code, output = await outcome(await start(tmp_path, settings_of(server, DATABASE_URL=url), command))
        check_is_clean(output)
        assert code == 2
        assert "DATABASE_URL: the database bot1 at 127.0.0.1" in output
        assert "refuses the user or the password" in output


async def test_a_full_disk_at_the_start(server: TelegramServer, tmp_path: Path, tiny_disk: Path) -> None:
    for left in (0, 50_000, 190_000):  # full for all; for the bot's tables; for DBOS's tables
        filler = tiny_disk / "filler"
        filler.unlink(missing_ok=True)
        shutil.rmtree(tiny_disk / "data", ignore_errors=True)
        space = os.statvfs(tiny_disk)
        with filler.open("wb") as file:
            file.write(bytes(max(0, space.f_bavail * space.f_frsize - left)))
        code, output = await outcome(await start(tmp_path, settings_of(server, DATA_DIR=str(tiny_disk / "data"))))
        check_is_clean(output)
        assert code == 2, output
        assert "python -m bot: DATA_DIR: " in output
        assert "make room" in output


async def test_an_api_that_cannot_be_reached_is_asked_again_and_named(server: TelegramServer, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    bot = BotProcess(server.telegram, bare_environment(server, tmp_path, WORKERS=1, TELEGRAM_API_URL=address))
    try:
        await bot.start(wait=False)
        await bot.says("check the network and TELEGRAM_API_URL")
        assert await bot.terminate() == 0
        check_is_clean(bot.log)
    finally:
        await bot.kill()


async def test_a_public_address_with_a_path_and_a_damaged_model_are_no_mistakes(
    server: TelegramServer, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for model in MODELS.values():
        (models / model.file).write_bytes(b"damaged")
    settings = bare_environment(server, tmp_path, WORKERS=1, PUBLIC_URL="https://photos.example.org/bot")
    bot = BotProcess(server.telegram, settings)
    try:
        await bot.start()
        assert await bot.terminate() == 0
        check_is_clean(bot.log)
    finally:
        await bot.kill()
