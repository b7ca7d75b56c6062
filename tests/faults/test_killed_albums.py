"""A process killed between an album's question and its last answer."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.support import Talk, encoded, most_at_a_time, scene


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


async def test_killed_while_the_photos_of_an_album_with_a_command_are_announced(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk = Talk(server.telegram, 1)
    messages, telegram = talk.person.chat.messages, server.telegram
    uploads = [Upload(encoded(scene(160, 120, seed=seed))) for seed in range(4)]

    def counts(photo: dict[str, Any], words: str) -> bool:
        return any(words in answer.get("text", "") for answer in talk.answers_to(photo))

    try:
        await bot.start()
        telegram.faults.plan("hang", "sendMessage")
        sent = await talk.person.send(*uploads, caption="/remove_subject")
        await telegram.events.wait_until(lambda: telegram.calls["sendMessage"] == 1)
        await bot.kill()  # the first status message is being posted, the other photos wait silently
        telegram.faults.release()
        with cloud.holding():
            await bot.start()
            await telegram.events.wait_until(lambda: counts(sent[0], "Photo 1 of 4"))
            await bot.kill()  # while the first photo is worked on
            telegram.faults.plan("hang", "sendMessage")
            posted = telegram.calls["sendMessage"]
            await bot.start()
        await telegram.events.wait_until(lambda: telegram.calls["sendMessage"] == posted + 1, seconds=60)
        assert any("photo" in answer for answer in talk.answers_to(sent[0]))
        await bot.kill()  # the first is answered, and the status message of the next is being posted
        telegram.faults.release()
        await bot.start()
        await telegram.events.wait_until(
            lambda: all(any("photo" in answer for answer in talk.answers_to(photo)) for photo in sent), seconds=90
        )
        assert len(talk.person.answers) == 4, "each photo is answered once, and nothing else is said"
        assert most_at_a_time(talk, talk.person.chat.info["id"]) == 1, "the recovery lets the others wait silently, too"
        numbers = [talk.answers_to(photo)[0]["message_id"] for photo in sent]
        assert numbers == sorted(numbers)
        assert all("photo" in messages[number] for number in numbers)
    finally:
        await bot.kill()


def end_first(folder: Path, message: int) -> None:
    """What the database holds if the process was killed after this photo had ended, and no worker is free."""
    (path,) = folder.glob("*.sqlite")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE edits SET state = 'failed' WHERE message = ?", (message,))
        database.execute("UPDATE edits SET enqueued = 1")
        database.execute("DELETE FROM workflow_status")  # nothing starts any more
    database.close()


async def test_killed_after_a_photo_of_an_album_ended_the_next_one_is_announced(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    bot = BotProcess(server.telegram, environment(server, cloud, tmp_path))
    talk = Talk(server.telegram, 1)
    try:
        await bot.start()
        with cloud.holding():
            sent = await talk.person.send(
                *(Upload(encoded(scene(160, 120, seed=seed))) for seed in range(3)), caption="/remove_subject"
            )
            await server.telegram.events.wait_until(lambda: "of 3" in str(talk.answers_to(sent[0])))
            await bot.kill()
            end_first(tmp_path, sent[0]["message_id"])
            await bot.start()
            await server.telegram.events.wait_until(lambda: "Photo 2 of 3" in str(talk.answers_to(sent[1])))
            # Messages to a chat are posted in order: one to the third photo would come before this answer.
            await talk.answer_to(await talk.person.write("/help"))
            assert talk.answers_to(sent[2]) == []
    finally:
        await bot.kill()
