"""Without a canvas a cut-out is corrected in Telegram's own photo editor."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.support import Talk, encoded, running_bot, scene, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = itertools.count(9001)

BLOCK, BALL = (160, 120), (50, 190)
"""Centres of the scene's red block, and of a small green ball that is not found with it, (x, y)."""


def picture() -> Image.Image:
    """The scene, and the ball."""
    image = scene()
    ImageDraw.Draw(image).ellipse((36, 176, 64, 204), fill=(30, 190, 60))
    return image


def painted() -> Image.Image:
    """A copy on which the ball is painted over."""
    image = picture()
    ImageDraw.Draw(image).ellipse((34, 174, 66, 206), fill=(255, 0, 255))
    return image


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    folder = tmp_path_factory.mktemp("data")
    async with TelegramServer() as server, running_bot(settings_for(server, folder), server.telegram):
        yield server


@pytest.fixture
def talk(server: TelegramServer) -> Talk:
    return Talk(server.telegram, next(_numbers))


def labels(message: dict[str, Any]) -> list[str]:
    """The labels of a message's buttons."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


def stays(talk: Talk, message: dict[str, Any], place: tuple[int, int]) -> bool:
    """Whether a cut-out on white shows the photo at this place."""
    x, y = place
    return bool(np.asarray(talk.picture(message).convert("RGB"))[y, x].min() < 150)


async def cut_out(talk: Talk) -> tuple[dict[str, Any], dict[str, Any]]:
    """A photo and its cut-out on white."""
    (sent,) = await talk.person.send(Upload(encoded(picture(), quality=95)), caption="/remove_background")
    answer = await talk.answer_to(sent)
    await talk.person.press_labelled(answer["message_id"], "White")
    messages = talk.person.chat.messages
    await talk.telegram.events.wait_until(lambda: "Clean" in labels(messages[answer["message_id"]]), seconds=60)
    return sent, messages[answer["message_id"]]


async def asked_to_paint(talk: Talk, sent: dict[str, Any], cut: dict[str, Any]) -> dict[str, Any]:
    """The bot's answer to the button "Fix by hand"."""
    before = len(talk.answers_to(sent))
    await talk.person.press_labelled(cut["message_id"], "Fix by hand")
    await talk.telegram.events.wait_until(lambda: len(talk.answers_to(sent)) > before)
    return talk.answers_to(sent)[-1]


@pytest.mark.parametrize("answered", ["the instructions", "the photo"])
async def test_what_is_painted_on_a_copy_is_added_to_the_subject(talk: Talk, answered: str) -> None:
    sent, cut = await cut_out(talk)
    assert [stays(talk, cut, place) for place in (BLOCK, BALL)] == [True, False]
    asks = await asked_to_paint(talk, sent, cut)
    assert "paint over what should stay" in asks["text"]
    assert "as a reply to this message" in asks["text"]
    original = asks if answered == "the instructions" else sent
    copy = Upload(encoded(painted(), quality=80))
    (reply,) = await talk.person.send(copy, reply_to=original["message_id"])
    made = await talk.settles(asks["message_id"])
    assert [stays(talk, made, place) for place in (BLOCK, BALL, (280, 40))] == [True, True, False]
    pixel = np.asarray(talk.picture(made).convert("RGB"))[BALL[1], BALL[0]]
    assert pixel.argmax() == 1, "the photo's own green, not the paint"
    assert "Transparent" in labels(made)
    assert talk.answers_to(reply) == [], "no other edit"

    (reply,) = await talk.person.send(copy, reply_to=sent["message_id"])
    erased = await talk.answer_to(reply)
    assert erased["caption"] == "✨ Erased.", "without a pending correction, paint erases"


async def test_an_unpainted_copy_is_reported_and_the_button_works_again(talk: Talk) -> None:
    sent, cut = await cut_out(talk)
    asks = await asked_to_paint(talk, sent, cut)
    await talk.person.send(Upload(encoded(picture(), quality=80)), reply_to=asks["message_id"])
    failed = await talk.settles(asks["message_id"])
    assert "I found no painted area. Press Fix by hand again" in failed["text"]
    again = await asked_to_paint(talk, sent, cut)
    assert again["message_id"] != asks["message_id"]
    await talk.person.send(Upload(encoded(painted(), quality=80)), reply_to=again["message_id"])
    made = await talk.settles(again["message_id"])
    assert [stays(talk, made, place) for place in (BLOCK, BALL)] == [True, True]
