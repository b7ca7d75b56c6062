"""Pixel processes killed from outside, as by a machine short of memory: it is no verdict on anyone's photo."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.faults.bots import BotProcess, all_answered, bare_environment, check_once, send_photos
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(480, 360)))
KILLS = 25
"""More than the pool's own restarts of a job, so that some edits wait for the end of the outage."""


@pytest.mark.timeout(900)
async def test_no_photo_is_given_up_because_processes_are_killed(server: TelegramServer, tmp_path: Path) -> None:
    bot = BotProcess(server.telegram, bare_environment(server, tmp_path, WORKERS=2))
    talks = [Talk(server.telegram, number) for number in range(1, 4)]
    try:
        await bot.start()
        sent = await send_photos(talks, 2, PHOTO)
        killed = 0
        async with asyncio.timeout(240):
            while killed < KILLS:  # a process that starts sends no event
                killed += bot.kill_pixel_processes()
                await asyncio.sleep(0.1)
        await all_answered(sent, seconds=600)
        check_once(sent)
        assert bot.log.count("worker_killed") > 0
        assert "gave up" not in bot.log
        assert "photo-poison" not in bot.log
    finally:
        await bot.kill()
