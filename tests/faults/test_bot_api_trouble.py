"""The Bot API fails at random: 429, 502, dropped connections, answers lost after the work was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.faults import Kind
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, all_answered, check_once, environment, send_photos
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

PHOTO = Upload(encoded(scene(160, 120)))


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
    assert bot.long_pauses == []
    assert set(server.telegram.faults.injected) == {"flood", "bad_gateway", "drop", "lose_answer"}


async def test_an_answer_that_was_lost_and_a_repeat_that_changes_nothing_are_a_picture_delivered(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    talk = Talk(server.telegram, 1)
    async with running_bot(settings_for(server, tmp_path, **with_cloud(cloud)), server.telegram):
        server.telegram.faults.plan("lose_answer", "editMessageMedia")
        server.telegram.faults.plan("not_modified", "editMessageMedia")
        sent = await send_photos([talk], 1, PHOTO)
        await all_answered(sent, seconds=60)
        (answer,) = talk.answers_to(sent[0][1])
        await talk.settles(answer["message_id"])
        # The delivered picture is recorded: the next round works on it.
        await talk.person.press_labelled(answer["message_id"], "Another try")
        await server.telegram.events.wait_until(lambda: server.telegram.calls["editMessageMedia"] == 3)
    check_once(sent)


@pytest.mark.parametrize("trouble", ["drop", "lose_answer"])
async def test_a_photo_without_a_command_gets_its_question_once(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path, trouble: Kind
) -> None:
    talk = Talk(server.telegram, 1)
    async with running_bot(settings_for(server, tmp_path, **with_cloud(cloud)), server.telegram):
        server.telegram.faults.plan(trouble, "sendMessage")
        (sent,) = await talk.person.send(PHOTO)
        question = await talk.answer_to(sent)
        await talk.answer_to(await talk.person.write("/help"))
        assert len(talk.answers_to(sent)) == 1
        await talk.person.press_labelled(question["message_id"], "subject")
        await server.telegram.events.wait_until(lambda: "photo" in talk.answers_to(sent)[0])
