"""A flood of one person's photos does not delay other people, and each person's photos stay in order."""

from __future__ import annotations

from pathlib import Path

from bot.playground import TelegramServer
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.faults.floods import flood


async def test_anothers_photo_does_not_wait_behind_a_flood(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path, WORKERS=2, PENDING_PER_USER=60))
    try:
        await bot.start()
        seen = await flood(server, cloud, photos=8)
    finally:
        await bot.kill()
    assert seen.started_after < 1.0, "seconds from a free worker to the start of the other's photo"
    assert seen.flooded_before <= 2, "only the flood's running edits came first"
    assert seen.in_order, "first in, first out"
    assert bot.long_pauses == []
