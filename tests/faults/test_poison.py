"""A file that kills the process that opens it: three attempts, an honest answer, and no harm to other edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.edits.pictures import pixels
from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults import poison
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

PHOTO = encoded(scene(160, 120))


async def test_a_poisonous_file_fails_after_three_attempts(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "load", poison.load)
    settings = settings_for(server, tmp_path, **with_cloud(cloud), volc_concurrency=4)
    villain, victim = Talk(server.telegram, 1), Talk(server.telegram, 2)
    deadly = Upload(PHOTO + poison.MARK, name="deadly.jpg", as_file=True)
    async with running_bot(settings, server.telegram):
        (killer,) = await villain.person.send(deadly, caption="/remove_subject")
        sent = [(await victim.person.send(Upload(PHOTO), caption="/remove_subject"))[0] for _ in range(3)]
        for message in sent:
            assert "photo" in await victim.answer_to(message)
        answer = await villain.answer_to(killer)
        assert "gave up" in answer["text"]
        (healthy,) = await villain.person.send(Upload(PHOTO), caption="/remove_subject")
        assert "photo" in await villain.answer_to(healthy), "the person can send other photos"
    assert (tmp_path / "cache" / "deaths").read_text() == "xxx"
