"""Outages: an update that cannot be recorded comes again, and no outage is blamed on a photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.edits.model import PhotoRef
from bot.edits.pictures.files import EditFiles
from bot.edits.workflow import queue, steps
from bot.errors import OutageError
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


async def test_an_outage_that_is_met_many_times_is_not_blamed_on_the_photo(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 3 * steps.MAX_STARTS
    monkeypatch.setattr(queue, "OUTAGE_PAUSES", (0.01,) * (failures + 1))
    fetch, tries = EditFiles.fetch, 0

    async def unreachable(files: EditFiles, photo: PhotoRef) -> Path:
        nonlocal tries
        tries += 1
        if tries <= failures:
            raise OutageError("telegram-down")
        return await fetch(files, photo)

    monkeypatch.setattr(EditFiles, "fetch", unreachable)
    talk = Talk(server.telegram, 1)
    async with running_bot(settings_for(server, tmp_path, **with_cloud(cloud)), server.telegram):
        (sent,) = await talk.person.send(Upload(encoded(scene(160, 120))), caption="/remove_subject")
        await talk.answer_to(sent)
    assert tries > failures
    check_once([(talk, sent)])
