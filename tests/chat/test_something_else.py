"""Correcting a wrong find: other objects are shown with numbers, and one, several or all of them are chosen."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from bot.models.files import SETUP_FOLDER, copy_missing
from bot.playground import TelegramServer
from bot.playground.person import Upload, buttons
from tests.support import Talk, encoded, record_turns, running_bot, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = itertools.count(9001)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    """A bot with the learned segmenter, where set-up has brought its file."""
    folder = tmp_path_factory.mktemp("data")
    copy_missing(SETUP_FOLDER, folder / "models")
    async with TelegramServer() as server:
        settings = settings_for(server, folder, public_url="https://photos.example.org")
        async with running_bot(settings, server.telegram):
            yield server


@pytest.fixture
def meet(server: TelegramServer) -> Callable[..., Talk]:
    return lambda language="en": Talk(server.telegram, next(_numbers), language)


@pytest.fixture
def talk(meet: Callable[..., Talk]) -> Talk:
    return meet()


RED, YELLOW = (75, 120), (240, 120)
"""Centres of the two objects, (x, y)."""


def two_objects() -> Image.Image:
    """A red block and a yellow disc on noisy blue-grey."""
    rng = np.random.default_rng(5)
    pixels = np.full((240, 320, 3), (90, 110, 140), np.uint8) + rng.integers(0, 12, (240, 320, 3), np.uint8)
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 75, 110, 165), (210, 40, 30))
    draw.ellipse((200, 80, 280, 160), (235, 205, 40))
    return picture


def left(picture: Image.Image) -> set[str]:
    """Which of the two objects a picture still shows."""
    seen = picture.convert("RGB").resize((320, 240))
    red, yellow = (np.array(seen.getpixel(place), int) for place in (RED, YELLOW))
    found = {"red"} if red[0] - red[2] > 80 else set()
    return found | ({"yellow"} if yellow[1] - yellow[2] > 80 else set())


async def becomes(talk: Talk, message: dict[str, Any], words: str) -> dict[str, Any]:
    """The answer to a message, once its text or caption contains these words."""

    def found() -> list[dict[str, Any]]:
        return [a for a in talk.answers_to(message) if words in str(a.get("text") or a.get("caption"))]

    await talk.telegram.events.wait_until(found, seconds=60)
    return found()[0]


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"] for button in buttons(message)]


async def press(talk: Talk, message: dict[str, Any], label: str) -> str | None:
    """Press the button with exactly this label; returns the alert of the bot's answer to the callback query."""
    (data,) = [button["callback_data"] for button in buttons(message) if button["text"] == label]
    events = talk.telegram.events
    for _ in range(20):
        query = await talk.person.press(message["message_id"], data)

        def answered(query: str = query) -> list[str | None]:
            return [e.data["text"] for e in events.after(0) if e.kind == "answer" and e.data["id"] == query]

        await events.wait_until(answered)
        said = answered()[0]
        if said is None or "One moment" not in said:  # the result was shown a moment before it was noted as delivered
            return said
    raise AssertionError("the bot stays busy")


async def result_of(talk: Talk, command: str = "/remove_subject") -> tuple[dict[str, Any], dict[str, Any]]:
    """A sent photo of two objects, and the first result."""
    (sent,) = await talk.person.send(Upload(encoded(two_objects(), "PNG"), "two.png", as_file=True), caption=command)
    answer = await talk.answer_to(sent)
    if "not sure" in str(answer.get("caption")):
        await talk.person.press_labelled(answer["message_id"], "👌")
        answer = await becomes(talk, sent, "is gone")
    return sent, answer


async def asked_which(talk: Talk) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """A sent photo of two objects, the question which one, and what the first result showed."""
    sent, answer = await result_of(talk)
    shown = left(talk.picture(answer))
    await press(talk, answer, "🔎 Something else")
    return sent, await becomes(talk, sent, "Which one should go?"), shown


async def test_a_wrong_find_is_corrected_by_two_taps(talk: Talk) -> None:
    sent, asked, _ = await asked_which(talk)
    assert "photo" in asked
    assert labels(asked)[:2] == ["1", "2"]
    seen = []
    for number in (name for name in labels(asked) if name.isdigit()):
        if seen:
            await press(talk, await becomes(talk, sent, "is gone"), "🔎 Something else")
            asked = await becomes(talk, sent, "Which one should go?")
        await press(talk, asked, number)
        seen.append(left(talk.picture(await becomes(talk, sent, "is gone"))))
    assert {"red"} in seen, "one number removes the yellow disc only"
    assert {"yellow"} in seen, "another number removes the red block only"
    assert len(talk.answers_to(sent)) == 1, "all in one message"


async def test_several_marked_objects_are_removed_together(talk: Talk) -> None:
    sent, asked, _ = await asked_which(talk)
    numbers = [name for name in labels(asked) if name.isdigit()]
    await press(talk, asked, "☑️ Several…")
    message = asked["message_id"]
    await talk.telegram.events.wait_until(lambda: "⬜️ 1" in labels(talk.person.chat.messages[message]))
    said = await press(talk, talk.person.chat.messages[message], "👌 Remove it")
    assert said is not None
    assert "Mark at least one" in said
    for number in numbers:
        await press(talk, talk.person.chat.messages[message], f"⬜️ {number}")
        marked = f"✅ {number}"
        await talk.telegram.events.wait_until(
            lambda marked=marked: marked in labels(talk.person.chat.messages[message])
        )
    await press(talk, talk.person.chat.messages[message], "👌 Remove it")
    assert left(talk.picture(await becomes(talk, sent, "is gone"))) == set()


async def test_one_button_removes_all_objects(talk: Talk) -> None:
    sent, asked, _ = await asked_which(talk)
    await press(talk, asked, "All of them")
    assert left(talk.picture(await becomes(talk, sent, "is gone"))) == set()


async def test_back_shows_the_earlier_result(talk: Talk) -> None:
    sent, asked, before = await asked_which(talk)
    await press(talk, asked, "◀️ Back")
    again = await becomes(talk, sent, "is gone")
    assert left(talk.picture(again)) == before
    assert "🔎 Something else" in labels(again)


async def test_the_chosen_objects_are_kept_and_the_background_is_removed(talk: Talk) -> None:
    sent, answer = await result_of(talk, "/remove_background")
    await press(talk, answer, "🔎 Something else")
    asked = await becomes(talk, sent, "Which one should stay?")
    await press(talk, asked, "All of them")
    assert left(talk.picture(await becomes(talk, sent, "is gone"))) == {"red", "yellow"}


async def test_the_questions_are_chinese_for_chinese_speakers(meet: Callable[..., Talk]) -> None:
    talk = meet("zh-hans")
    (sent,) = await talk.person.send(Upload(encoded(two_objects())), caption="/remove_subject")
    answer = await talk.answer_to(sent)
    await press(talk, answer, "🔎 换一个目标")
    asked = await becomes(talk, sent, "要消除哪一个")
    await press(talk, asked, "全部")
    assert left(talk.picture(await becomes(talk, sent, "✨"))) == set()


async def test_presses_by_others_and_unknown_numbers_change_nothing(talk: Talk, meet: Callable[..., Talk]) -> None:
    sent, asked, _ = await asked_which(talk)
    (data,) = [button["callback_data"] for button in buttons(asked) if button["text"] == "1"]
    for person, verb in (
        (meet().person, "n-1"),
        (meet().person, "all"),
        *((talk.person, verb) for verb in ("n-9", "n-0", "n-x", "n-", "n-1-2", "on-99", "marked")),
    ):
        forged = {"id": f"forged-{person.id}-{verb}", "from": person.user, "message": asked, "chat_instance": "1"}
        before = talk.telegram.calls["answerCallbackQuery"]
        talk.telegram.updates.add("callback_query", {**forged, "data": data.replace("n-1", verb)})
        await talk.telegram.events.wait_until(lambda before=before: talk.telegram.calls["answerCallbackQuery"] > before)
    assert "Which one should go?" in talk.answers_to(sent)[0]["caption"]
    await press(talk, asked, "1")
    await becomes(talk, sent, "is gone")


async def test_every_pixel_job_belongs_to_the_person_who_asked(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = record_turns(monkeypatch)
    sent, question, _ = await asked_which(talk)
    await press(talk, question, "1")
    await becomes(talk, sent, "is gone")
    assert len(asked) >= 8, "the first result, the question and its picture, the second result"
    assert set(asked) == {talk.person.id}
