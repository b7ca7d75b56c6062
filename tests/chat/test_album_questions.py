"""An album without a command: one question, one message that counts, an answer for each photo."""

from __future__ import annotations

from typing import Any

import pytest

from bot.playground.person import Upload, buttons
from bot.playground.telegram import Json
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


def album(count: int) -> list[Upload]:
    return [Upload(encoded(scene(120, 90, seed=seed))) for seed in range(count)]


async def asked(talk: Talk, sent: list[Json], photos: int) -> Json:
    """The question about an album, once it names this many photos."""
    await talk.answer_to(sent[0])
    (question,) = talk.answers_to(sent[0])
    await shown(talk, question, f"these {photos} photos")
    return question


async def shown(talk: Talk, message: Json, words: str) -> Json:
    """A message, once its text contains these words."""
    messages = talk.person.chat.messages
    await talk.telegram.events.wait_until(lambda: words in messages[message["message_id"]].get("text", ""), seconds=120)
    return messages[message["message_id"]]


def pictures(talk: Talk, message: Json) -> list[Json]:
    return [answer for answer in talk.answers_to(message) if "photo" in answer]


async def test_one_question_is_asked_and_one_message_counts_the_answers(talk: Talk) -> None:
    sent = await talk.person.send(*album(6))
    question = await asked(talk, sent, 6)
    assert [m["message_id"] for m in talk.person.answers] == [question["message_id"]], "nothing else is said"
    await talk.person.press_labelled(question["message_id"], "subject")
    counted = await shown(talk, question, "6 of 6 photos are ready")
    assert buttons(counted) == []
    answers = [pictures(talk, message) for message in sent]
    assert [len(found) for found in answers] == [1] * 6
    numbers = [found[0]["message_id"] for found in answers]
    assert numbers == sorted(numbers), "the answers come in the order of the photos"
    assert len(talk.person.answers) == 7


async def test_pressing_twice_changes_nothing(talk: Talk) -> None:
    sent = await talk.person.send(*album(3))
    question = await asked(talk, sent, 3)
    for _ in range(3):
        await talk.person.press_labelled(question["message_id"], "background")
    await talk.person.press(question["message_id"], data_of(question, "remove_subject"))
    await shown(talk, question, "3 of 3 photos are ready")
    assert len(talk.person.answers) == 4


def data_of(message: Json, part: str) -> str:
    """The callback data of the button that contains this text."""
    rows: list[list[dict[str, Any]]] = message["reply_markup"]["inline_keyboard"]
    (data,) = [button["callback_data"] for row in rows for button in row if part in button.get("callback_data", "")]
    return str(data)


async def test_a_photo_that_comes_after_the_answer_gets_the_same(talk: Talk) -> None:
    sent = await talk.person.send(*album(2))
    question = await asked(talk, sent, 2)
    await talk.person.press_labelled(question["message_id"], "subject")
    content = {"photo": sent[0]["photo"], "media_group_id": sent[0]["media_group_id"]}
    late = talk.telegram.post(talk.person.chat, talk.person.user, content)
    talk.telegram.updates.add("message", late)
    assert "photo" in await talk.answer_to(late, seconds=120)
    await shown(talk, question, "2 of 2 photos are ready")


async def test_each_photo_of_an_album_to_erase_from_has_a_canvas(talk: Talk) -> None:
    sent = await talk.person.send(*album(3))
    question = await asked(talk, sent, 3)
    await talk.person.press_labelled(question["message_id"], "paint")
    for message in sent:
        answer = await talk.answer_to(message, settled=False)
        await talk.telegram.events.wait_until(lambda answer=answer: "web_app" in str(buttons_of(talk, answer)))
    assert len(talk.person.answers) == 3, "the question became the first one's status message"


def buttons_of(talk: Talk, message: Json) -> list[Any]:
    return buttons(talk.person.chat.messages[message["message_id"]])


async def test_an_albums_question_in_chinese_counts_too(meet: Any) -> None:
    talk: Talk = meet("zh-hans")
    sent = await talk.person.send(*album(2))
    question = await talk.answer_to(sent[0])
    await shown(talk, question, "这 2 张照片")
    await talk.person.press_labelled(question["message_id"], "主体")
    await shown(talk, question, "已完成 2 / 2 张")
