"""A cut-out before the person's own picture, before any colour in words, and before more or less blur."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

from bot.playground.person import Upload, buttons
from bot.playground.telegram import Json
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAIN = Image.new("RGB", (500, 300), (0, 140, 255))


async def cut_out(talk: Talk, seed: int) -> tuple[Json, Json]:
    """A photo, and its cut-out."""
    (sent,) = await talk.person.send(Upload(encoded(scene(320, 240, seed=seed))), caption="/remove_background white")
    return sent, await talk.answer_to(sent)


async def becomes(talk: Talk, answer: Json, words: str) -> Json:
    """A message of the bot, once its caption contains these words."""
    messages = talk.person.chat.messages
    await talk.telegram.events.wait_until(
        lambda: words in messages[answer["message_id"]].get("caption", ""), seconds=120
    )
    return messages[answer["message_id"]]


def corner(talk: Talk, message: Json) -> tuple[int, ...]:
    pixels = np.asarray(talk.picture(message).convert("RGB"))
    return tuple(int(value) for value in pixels[:8, :8].mean(axis=(0, 1)).round())


async def test_the_next_photo_goes_behind_the_subject(talk: Talk) -> None:
    sent, answer = await cut_out(talk, 71)
    await talk.person.press_labelled(answer["message_id"], "Colour")
    await talk.telegram.events.wait_until(lambda: "picture" in str(shown(talk, answer)))
    query = await talk.person.press_labelled(answer["message_id"], "My picture")
    assert "Send me the picture" in str(await talk.told(query))
    (picture,) = await talk.person.send(Upload(encoded(PLAIN, "PNG"), "sky.png", as_file=True))
    changed = await becomes(talk, answer, "Your picture is behind it")
    assert talk.picture(changed).size == (320, 240), "the picture is fitted to the photo"
    assert np.abs(np.subtract(corner(talk, changed), (0, 140, 255))).max() <= 3
    assert talk.answers_to(picture) == [], "the picture was no photo to edit"
    (second,) = await talk.person.send(Upload(encoded(scene(seed=72))))
    assert (await talk.answer_to(second))["text"] == "What should go?", "only one picture goes behind"
    await talk.person.press_labelled(answer["message_id"], "Black")
    assert max(corner(talk, await becomes(talk, answer, "black"))) <= 3
    assert len(talk.answers_to(sent)) == 1


def shown(talk: Talk, answer: Json) -> list[Json]:
    return buttons(talk.person.chat.messages[answer["message_id"]])


async def test_the_next_text_names_any_colour(talk: Talk) -> None:
    _, answer = await cut_out(talk, 73)
    await talk.person.press_labelled(answer["message_id"], "Colour")
    await talk.telegram.events.wait_until(lambda: "picture" in str(shown(talk, answer)))
    await talk.person.press_labelled(answer["message_id"], "My picture")
    await talk.person.write("light blue")
    changed = await becomes(talk, answer, "#add8e6")
    assert np.abs(np.subtract(corner(talk, changed), (0xAD, 0xD8, 0xE6))).max() <= 3
    asked = await talk.person.write("red")
    assert "photo" in (await talk.answer_to(asked))["text"], "nothing waits for a colour any more"


async def test_a_colour_in_reply_to_a_cut_out_goes_behind_it(talk: Talk) -> None:
    _, answer = await cut_out(talk, 74)
    await talk.person.write("black background", reply_to=answer["message_id"])
    assert max(corner(talk, await becomes(talk, answer, "black"))) <= 3
    await talk.person.write("#102030", reply_to=answer["message_id"])
    assert np.abs(np.subtract(corner(talk, await becomes(talk, answer, "#102030")), (16, 32, 48))).max() <= 3


async def test_another_persons_cut_out_is_left_alone(talk: Talk, meet: object) -> None:
    assert callable(meet)
    _, answer = await cut_out(talk, 75)
    data = next(b["callback_data"] for b in shown(talk, answer) if b.get("callback_data", "").endswith(":colours"))
    edit = data.split(":")[1]
    other: Talk = meet()
    note = await other.answer_to(await other.person.write("/help"))
    other.person.chat.messages[note["message_id"]]["reply_markup"] = {
        "inline_keyboard": [[{"text": "x", "callback_data": f"e:{edit}:picture"}]]
    }
    assert await other.told(await other.person.press(note["message_id"], f"e:{edit}:picture"))
    (sent,) = await other.person.send(Upload(encoded(PLAIN)))
    assert (await other.answer_to(sent))["text"] == "What should go?"


async def test_the_blur_is_made_weaker_and_stronger(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(encoded(scene(320, 240, seed=76))), caption="/remove_background blur")
    answer = await talk.answer_to(sent)
    details = [detail(talk, answer)]
    messages, number = talk.person.chat.messages, answer["message_id"]

    def is_blurred_anew(before: object) -> bool:
        message = messages[number]
        return message.get("photo") not in (None, before) and "blurred" in message["caption"]

    for label in ("Less blur", "More blur", "More blur"):
        before = messages[number]["photo"]
        await talk.person.press_labelled(number, label)
        await talk.telegram.events.wait_until(partial(is_blurred_anew, before), seconds=120)
        details.append(detail(talk, messages[number]))
    usual, less, again, more = details
    assert less > usual > more
    assert again == usual
    labels = [button["text"] for button in shown(talk, answer)]
    assert "Less blur" in labels
    assert "More blur" not in labels


def detail(talk: Talk, message: Json) -> float:
    """How much neighbouring pixels differ in the top rows, where the background is."""
    grey = np.asarray(talk.picture(message).convert("L"), np.float32)[:40]
    return float(np.abs(np.diff(grey, axis=1)).mean())
