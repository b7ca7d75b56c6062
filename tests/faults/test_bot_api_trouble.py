"""The Bot API stumbles at random: 429, 502, dropped connections, answers lost after the work was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import all_answered, check_once, send_photos
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

PHOTO = Upload(encoded(scene(160, 120)))


@pytest.mark.timeout(240)
async def test_every_photo_is_answered_once_though_calls_fail(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = settings_for(
        server,
        tmp_path,
        **with_cloud(cloud),
        volc_concurrency=4,
        pending_per_user=10,
        workers=4,
    )
    talks = [Talk(server.telegram, number) for number in range(1, 21)]
    async with running_bot(settings, server.telegram):
        server.telegram.faults.rate = 0.15
        sent = await send_photos(talks, 3, PHOTO)
        await all_answered(sent, seconds=180)
        server.telegram.faults.rate = 0.0
    check_once(sent)
    assert set(server.telegram.faults.happened) == {"flood", "bad_gateway", "drop", "lose_answer"}
