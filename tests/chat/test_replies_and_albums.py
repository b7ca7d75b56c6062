"""Which photo is meant: replies across chats, photos in reply to photos, albums, spoilers, topics, file names."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.playground import TelegramServer
from bot.playground.person import Upload, buttons
from bot.playground.telegram import Chat, Json
from tests.chat.groups import answer_in_group
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
QUESTION = "What should go?"

_groups = itertools.count(-1_000_000_666_000, -1)


@pytest.fixture
def group(server: TelegramServer) -> Chat:
    return server.telegram.add_group(next(_groups), "Friends")


def own_messages(talk: Talk, chat: Chat) -> list[Json]:
    return [m for m in chat.messages.values() if m["from"]["id"] == talk.telegram.bot["id"]]


def painted(photo: Image.Image) -> bytes:
    copy = photo.copy()
    copy.paste((0, 255, 60), (20, 20, 90, 60))
    return encoded(copy, quality=80)


async def test_a_reply_to_a_photo_of_another_chat_is_that_photo(talk: Talk, group: Chat) -> None:
    (elsewhere,) = await talk.person.send(Upload(JPEG), group=group)
    asked = await talk.person.write("/remove_subject", reply_elsewhere=elsewhere)
    assert "photo" in await talk.answer_to(asked)
    (file,) = await talk.person.send(Upload(encoded(scene(), "PNG"), "a.png", as_file=True), group=group)
    asked = await talk.person.write("/remove_subject", reply_elsewhere=file)
    assert (await talk.answer_to(asked))["document"]["file_name"] == "a-clean.png"


async def test_a_reply_to_something_else_of_another_chat_asks_for_a_photo(talk: Talk) -> None:
    sticker = await talk.person.send_sticker()
    elsewhere = {**sticker, "animation": {**sticker["sticker"], "duration": 1}}
    asked = await talk.person.write("/remove_subject", reply_elsewhere=elsewhere)
    assert "Send me the photo" not in (await talk.answer_to(asked))["text"]


async def test_another_photo_in_reply_to_a_photo_is_a_photo_of_its_own(talk: Talk) -> None:
    (original,) = await talk.person.send(Upload(JPEG))
    await talk.answer_to(original)
    different = Image.fromarray(np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8))
    for picture in (different, scene(seed=3), scene(200, 300)):  # another one, the same one unpainted, another shape
        upload = Upload(encoded(picture))
        (sent,) = await talk.person.send(upload, reply_to=original["message_id"])
        answer = await talk.answer_to(sent)
        assert answer["text"] == QUESTION
        assert len(talk.answers_to(sent)) == 1
    await talk.person.press_labelled(answer["message_id"], "subject")
    await talk.telegram.events.wait_until(lambda: "photo" in talk.answers_to(sent)[0], seconds=120)
    assert talk.picture(talk.answers_to(sent)[0]).size == (200, 300), "the second photo, not the first"


async def test_a_copy_that_the_bot_asked_for_is_compared_with_its_photo(talk: Talk) -> None:
    (original,) = await talk.person.send(Upload(encoded(scene(), quality=95)), caption="/erase")
    await talk.answer_to(original, settled=False)
    (sent,) = await talk.person.send(Upload(encoded(scene(200, 300))), reply_to=original["message_id"])
    answer = await talk.answer_to(sent)
    assert answer["text"] != QUESTION, "the bot asked for a painted copy, and this is another photo"
    (sent,) = await talk.person.send(Upload(painted(scene())), reply_to=original["message_id"])
    assert "photo" in await talk.answer_to(sent)


async def test_in_a_group_a_photo_in_reply_to_a_photo_is_left_alone(talk: Talk, group: Chat) -> None:
    (original,) = await talk.person.send(Upload(encoded(scene(), quality=95)), group=group)
    await talk.person.send(Upload(painted(scene())), reply_to=original["message_id"], group=group)
    await talk.person.write("/unknown_command", group=group)
    await talk.person.send(Upload(JPEG), caption="/other", group=group)
    asked = await talk.person.write("/help", group=group)
    await answer_in_group(talk, group, asked)
    assert len(own_messages(talk, group)) == 1, "the bot was not asked before /help"
    named = await talk.person.write("/unknown_command@photo_cleaning_bot", group=group)
    await answer_in_group(talk, group, named)
    await talk.person.send(Upload(encoded(scene(), quality=95)), caption="/erase", group=group)
    erase = list(group.messages.values())[-1]
    await talk.telegram.events.wait_until(lambda: len(own_messages(talk, group)) == 3)
    (sent,) = await talk.person.send(Upload(painted(scene())), reply_to=erase["message_id"], group=group)
    assert "photo" in await answer_in_group(talk, group, sent), "here the bot asked"


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_an_albums_command_stands_on_any_photo_and_no_question_stays(talk: Talk, place: int) -> None:
    uploads = [Upload(encoded(scene(seed=seed))) for seed in (11, 12, 13)]
    sent = await talk.person.send(*uploads, caption="/remove_subject", caption_on=place)
    for message in sent:
        await talk.telegram.events.wait_until(
            lambda message=message: any("photo" in a for a in talk.answers_to(message)), seconds=120
        )
    await talk.telegram.events.wait_until(lambda: all(len(talk.answers_to(m)) == 1 for m in sent))
    assert QUESTION not in str(talk.person.answers)


async def test_an_albums_question_that_is_posted_already_becomes_an_answer(talk: Talk) -> None:
    first = await talk.person.send(Upload(JPEG), Upload(encoded(scene(seed=21))))
    question = await talk.answer_to(first[0])
    album, messages = first[0]["media_group_id"], talk.person.chat.messages
    await talk.telegram.events.wait_until(lambda: "2 photos" in messages[question["message_id"]]["text"])
    late = talk.telegram.post(
        talk.person.chat,
        talk.person.user,
        {"photo": first[0]["photo"], "caption": "/remove_subject", "media_group_id": album},
    )
    talk.telegram.updates.add("message", late)
    await talk.telegram.events.wait_until(lambda: "photo" in messages[question["message_id"]], seconds=120)
    for message in (first[1], late):
        assert "photo" in await talk.answer_to(message)
    assert len(talk.person.answers) == 3


async def test_in_a_group_an_albums_earlier_photos_are_edited_too(talk: Talk, group: Chat) -> None:
    uploads = [Upload(encoded(scene(seed=seed))) for seed in (31, 32)]
    sent = await talk.person.send(*uploads, caption="/remove_subject", caption_on=1, group=group)
    for message in sent:
        assert "photo" in await answer_in_group(talk, group, message)
    assert len(own_messages(talk, group)) == 2


async def test_a_spoiler_stays_a_spoiler(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG, spoiler=True), caption="/remove_background")
    answer = await talk.answer_to(sent)
    assert answer.get("has_media_spoiler") is True
    await talk.person.press_labelled(answer["message_id"], "White")
    messages = talk.person.chat.messages
    await talk.telegram.events.wait_until(lambda: "f-clean" in str(messages[answer["message_id"]]), seconds=120)
    assert messages[answer["message_id"]].get("has_media_spoiler") is True
    asked = await talk.person.write("/remove_subject", reply_to=sent["message_id"])
    assert (await talk.answer_to(asked)).get("has_media_spoiler") is True
    (open_,) = await talk.person.send(Upload(encoded(scene(seed=41))), caption="/remove_subject")
    assert "has_media_spoiler" not in await talk.answer_to(open_)


async def test_the_question_about_a_spoiler_is_one_too(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG, spoiler=True), caption="/remove_subject")
    answer = await talk.answer_to(sent)
    await talk.person.press_labelled(answer["message_id"], "Something else")
    messages = talk.person.chat.messages

    def asked() -> bool:
        return any("n-1" in str(button) for button in buttons(messages[answer["message_id"]]))

    await talk.telegram.events.wait_until(
        lambda: asked() or "nothing else" in str(messages[answer["message_id"]]).lower(), seconds=120
    )
    assert messages[answer["message_id"]].get("has_media_spoiler") is True


async def test_answers_and_actions_stay_in_the_topic(talk: Talk, group: Chat) -> None:
    talk.telegram.faults.plan("file_unavailable", "getFile", times=1)  # time for a chat action
    (sent,) = await talk.person.send(Upload(encoded(scene(seed=51))), caption="/remove_subject", group=group, topic=77)
    talk.telegram.delete(group, sent["message_id"])  # then a reply does not find the topic by itself
    await talk.telegram.events.wait_until(lambda: any("photo" in m for m in own_messages(talk, group)), seconds=120)
    (answer,) = own_messages(talk, group)
    assert answer["message_thread_id"] == 77
    actions = [e.data for e in talk.telegram.events.after(0) if e.kind == "action" and e.data.get("message_thread_id")]
    assert {action["message_thread_id"] for action in actions} == {77}
    (sent,) = await talk.person.send(Upload(encoded(scene(seed=52))), caption="/remove_subject", group=group, topic=78)
    group.topics.discard(78)  # the topic is deleted
    talk.telegram.delete(group, sent["message_id"])
    await talk.telegram.events.wait_until(
        lambda: sum("photo" in m for m in own_messages(talk, group)) == 2, seconds=120
    )


@pytest.mark.parametrize("name", ["假期 照片 (1) 😀", "cafe\u0301 – ภาพถ่าย", "हिन्दी می\u200cخواهم"])
async def test_a_files_name_carries_over_in_any_script(talk: Talk, name: str) -> None:
    upload = Upload(encoded(scene(120, 90), "PNG"), f"{name}.png", as_file=True)
    (sent,) = await talk.person.send(upload, caption="/remove_subject")
    answered: dict[str, Any] = await talk.answer_to(sent)
    assert answered["document"]["file_name"] == f"{unicodedata.normalize('NFC', name)}-clean.png"
