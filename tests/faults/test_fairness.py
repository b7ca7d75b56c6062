"""Nobody waits behind another person's flood, and the loop is never held up."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import all_answered, check_once, send_photos
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

PHOTO = Upload(encoded(scene(160, 120)))

LONGEST_PAUSE = 0.5
"""Seconds that the loop may be held up in a test: pixels on the loop would take longer, a busy machine does not."""


class Watchdog:
    """Notes the longest time that the loop did not run."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        for _ in itertools.count():
            await asyncio.sleep(0.01)
            now = loop.time()
            self.longest = max(self.longest, now - last - 0.01)
            last = now


@pytest.mark.timeout(180)
async def test_anothers_photo_does_not_wait_behind_a_flood(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = settings_for(
        server,
        tmp_path,
        **with_cloud(cloud),
        volc_concurrency=4,
        pending_per_user=60,
        workers=2,
    )
    flooder, other = Talk(server.telegram, 1), Talk(server.telegram, 2)
    watchdog = Watchdog()
    async with running_bot(settings, server.telegram):
        watching = asyncio.create_task(watchdog.run())
        with cloud.holding():
            flood = await send_photos([flooder], 12, PHOTO)
            await cloud.wait_for_calls(1)
            sent = await send_photos([other], 1, PHOTO)
        await all_answered(sent, seconds=60)
        before = sum(any("photo" in a for a in flooder.answers_to(m)) for _, m in flood)
        assert before <= 3, "the flood's first photos were under way, the rest waits"
        await all_answered(flood, seconds=120)
        watching.cancel()
    check_once([*flood, *sent])
    done = [
        event.data["reply_to_message"]["message_id"]
        for event in server.telegram.journal.since(0)
        if event.kind == "message" and event.chat == 1 and event.data["from"]["is_bot"] and "photo" in event.data
    ]
    assert done == [message["message_id"] for _, message in flood], "first in, first out"
    assert watchdog.longest < LONGEST_PAUSE
