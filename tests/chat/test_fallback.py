"""ENGINE=auto: while the cloud is down, the local engine does the work and the answer says so."""

from __future__ import annotations

from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.results import Result
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud


async def test_the_local_engine_replaces_the_cloud_until_it_is_up_again(tmp_path: Path) -> None:
    async with TelegramServer() as server, CloudStandIn() as cloud:
        settings = settings_for(
            server,
            tmp_path,
            **with_cloud(cloud, "auto"),
        )
        talk = Talk(server.telegram, 1)
        photo = Upload(encoded(scene()))
        async with running_bot(settings, server.telegram):
            (alive,) = await talk.person.send(photo, caption="/remove_subject")
            assert "cloud" not in (await talk.answer_to(alive))["caption"]
            cloud.fail_next("html-502", times=2)
            (dead,) = await talk.person.send(photo, caption="/remove_subject")
            answer = await talk.answer_to(dead)
            assert "The cloud did not answer" in answer["caption"]
            assert "photo" in answer
            (again,) = await talk.person.send(photo, caption="/remove_background")
            assert "cloud" not in (await talk.answer_to(again))["caption"]


async def test_the_note_stays_with_its_picture(tmp_path: Path) -> None:
    async with TelegramServer() as server, CloudStandIn() as cloud:
        talk = Talk(server.telegram, 1)
        async with running_bot(settings_for(server, tmp_path, **with_cloud(cloud, "auto")), server.telegram):
            cloud.fail_next("html-502", times=2)
            (sent,) = await talk.person.send(Upload(encoded(scene())), caption="/remove_subject")
            result = Result(talk, await talk.answer_to(sent))
            noted = result.now["caption"]
            assert "The cloud did not answer" in noted
            await result.press("🎲 Another try")
            assert "cloud" not in (await result.shows("2/2"))["caption"]
            await result.press("‹")
            assert (await result.shows("1/2"))["caption"] == noted
            await result.press("🖼 Original")
            await result.shows("◀️ Back")
            await result.press("◀️ Back")
            assert (await result.shows("1/2"))["caption"] == noted
