"""An edit starts when it is enqueued, and not at the queue's next poll: between two polls is an hour here."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.edits.workflow import queue
from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOP_SECONDS = 30.0


async def test_an_edit_starts_at_once_though_the_queue_is_polled_rarely(
    tmp_path: Path, cloud: CloudStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "IDLE_SECONDS_ALONE", 3600.0)
    photo = Upload(encoded(scene(160, 120)))
    async with TelegramServer() as server:
        async with running_bot(settings_for(server, tmp_path, **with_cloud(cloud)), server.telegram):
            pass  # at the second start DBOS knows the queue already, and polls before the bot has changed the pauses
        async with running_bot(settings_for(server, tmp_path, **with_cloud(cloud)), server.telegram):
            talk = Talk(server.telegram, 4711)
            for caption in ("/remove_subject", "/remove_background"):
                (sent,) = await talk.person.send(photo, caption=caption)
                await talk.answer_to(sent)
            together = [(await talk.person.send(photo, caption="/remove_subject"))[0] for _ in range(3)]
            for sent in together:  # one after the other: each waits for the end of the one before
                await talk.answer_to(sent)
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < STOP_SECONDS, "the pause ends when the program stops"
