"""`doctor` tells the operator that this machine's clock is off."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.cli.conftest import Run


async def clock_line(bot: Run, folder: Path, ahead: float) -> str:
    """The doctor's line about the clock, when Telegram's is ahead by these seconds."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=404, headers={"Date": formatdate(time.time() + ahead, usegmt=True)})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        settings = {"TELEGRAM_BOT_TOKEN": "123456:ABC-DEF1234ghIkl", "TELEGRAM_API_URL": str(server.make_url(""))}
        done = await asyncio.to_thread(bot, folder, "doctor", **settings)
    (line,) = (line for line in done.stdout.splitlines() if " clock: " in line)
    return line


async def test_a_clock_that_is_off_is_one_line_that_says_how_far(bot: Run, tmp_path: Path) -> None:
    assert await clock_line(bot, tmp_path, 0) == "ok  clock: agrees with Telegram's"
    behind = await clock_line(bot, tmp_path, 7200)
    assert behind.startswith("FIX  clock: this machine's is 7")
    assert "s behind Telegram's; set it" in behind
    ahead = await clock_line(bot, tmp_path, -90_000)
    assert ahead.startswith("FIX  clock: this machine's is 9")
    assert "s ahead of Telegram's; set it" in ahead
