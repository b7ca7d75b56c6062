"""Everything to Telegram and to the cloud goes through the proxies that the operator names."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.support import Talk, encoded, free_port, scene

PHOTO = Upload(encoded(scene(160, 120)))
SECRET = "w0rd-of-the-proxy"


@contextlib.asynccontextmanager
async def proxy_program(kind: str, folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """A proxy that asks for a password; yields its address, and the file in which it lists connections."""
    port, log = free_port(), folder / f"{kind}.log"
    with log.open("wb") as file:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "pproxy", "-v", "-l", f"{kind}://127.0.0.1:{port}#anna:{SECRET}",
            stdout=file, stderr=file,
        )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"{kind}://anna:{SECRET}@127.0.0.1:{port}", log
    finally:
        program.kill()
        await program.wait()


@pytest.mark.parametrize(("telegram", "volc"), [("http", "socks5"), ("socks5", "http")])
async def test_a_photo_is_cleaned_through_two_proxies(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path, telegram: str, volc: str
) -> None:
    (tmp_path / "telegram").mkdir()
    (tmp_path / "volc").mkdir()
    async with (
        proxy_program(telegram, tmp_path / "telegram") as (to_telegram, telegram_log),
        proxy_program(volc, tmp_path / "volc") as (to_volc, volc_log),
    ):
        settings = environment(
            server, cloud, tmp_path / "data", LOG_LEVEL="DEBUG", TELEGRAM_PROXY=to_telegram, VOLC_PROXY=to_volc
        )
        bot, talk = BotProcess(server.telegram, settings), Talk(server.telegram, 1)
        try:
            await bot.start()
            (sent,) = await talk.person.send(PHOTO, caption="/remove_subject")
            assert "photo" in await talk.answer_to(sent)
        finally:
            await bot.kill()
        assert str(server.url).removeprefix("http://").rstrip("/") in telegram_log.read_text()
        assert str(cloud.url).removeprefix("http://").rstrip("/") in volc_log.read_text()
        assert SECRET not in bot.log


async def test_without_its_proxy_the_bot_waits_and_sends_nothing_directly(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = environment(server, cloud, tmp_path, TELEGRAM_PROXY=f"socks5://anna:{SECRET}@127.0.0.1:{free_port()}")
    bot = BotProcess(server.telegram, settings)
    try:
        await bot.start(wait=False)
        await bot.says("telegram_not_reached")
        assert not server.telegram.calls
        assert SECRET not in bot.log
        assert "Traceback" not in bot.log
    finally:
        await bot.kill()
