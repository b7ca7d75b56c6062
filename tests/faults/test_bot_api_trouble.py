"""The Bot API stumbles at random: 429, 502, dropped connections, answers lost after the work was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))


@pytest.mark.timeout(240)
async def test_every_photo_is_answered_once_though_calls_fail(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talks = [Talk(server.telegram, number) for number in range(1, 21)]
    try:
        await bot.start()
        server.telegram.faults.rate = 0.15
        sent = await send_photos(talks, 3, PHOTO)
        await all_answered(sent, seconds=180)
        server.telegram.faults.rate = 0.0
    finally:
        await bot.kill()
    check_once(sent)
    assert bot.pauses == []
    assert set(server.telegram.faults.happened) == {"flood", "bad_gateway", "drop", "lose_answer"}
