"""The database is down for longer than a handler waits: updates are not confirmed, and Telegram sends them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.storage import database
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import check_once
from tests.faults.postgres import PostgresServer
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud


async def test_an_update_that_cannot_be_recorded_is_requested_again(
    server: TelegramServer,
    cloud: CloudStandIn,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "RECONNECT_WITHIN", 0.1)
    settings = settings_for(server, tmp_path, **with_cloud(cloud), database_url=postgres.new_database())
    telegram, talk = server.telegram, Talk(server.telegram, 1)
    async with running_bot(settings, telegram):
        await postgres.stop()
        polls = telegram.calls["getUpdates"]
        (sent,) = await talk.person.send(Upload(encoded(scene(160, 120))), caption="/remove_subject")
        # The third request after it would have confirmed it twice over.
        await telegram.events.wait_until(lambda: telegram.calls["getUpdates"] >= polls + 3)
        assert telegram.updates.waiting == 1
        await postgres.start()
        await talk.answer_to(sent)
    check_once([(talk, sent)])
