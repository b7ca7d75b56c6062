"""A process killed between an album's question and its last answer."""

from __future__ import annotations

from pathlib import Path

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.support import Talk, encoded, scene


async def test_killed_in_the_middle_of_an_album(server: TelegramServer, cloud: CloudStandIn, tmp_path: Path) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk = Talk(server.telegram, 1)
    messages, wait_until = talk.person.chat.messages, server.telegram.events.wait_until
    try:
        await bot.start()
        server.telegram.faults.plan("hang", "sendMessage")
        sent = await talk.person.send(*(Upload(encoded(scene(160, 120, seed=seed))) for seed in range(4)))
        await wait_until(lambda: server.telegram.calls["sendMessage"] == 1)
        await bot.kill()  # while it posts the question
        server.telegram.faults.release()
        await bot.start()
        question = await talk.answer_to(sent[0])
        await wait_until(lambda: "these 4 photos" in messages[question["message_id"]]["text"])
        with cloud.holding():
            await talk.person.press_labelled(question["message_id"], "subject")
            await cloud.wait_for_calls(1)
            await bot.kill()  # while the first photo is worked on
        await bot.start()
        await wait_until(lambda: "4 of 4 photos" in messages[question["message_id"]]["text"], seconds=60)
        assert [["photo" in answer for answer in talk.answers_to(photo)] for photo in sent[1:]] == [[True]] * 3
        pictures = [answer for answer in talk.answers_to(sent[0]) if "photo" in answer]
        assert len(pictures) == 1
        assert len(talk.person.answers) == 5, "four answers and the message that counts them"
    finally:
        await bot.kill()
