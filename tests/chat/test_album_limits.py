"""Photos beyond a limit: they are kept, and tried again by a button; an album is stopped by one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from bot.playground.person import Upload, buttons
from bot.playground.telegram import Json
from tests.chat.test_album_questions import album, asked, pictures, shown
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, running_bot, scene, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(cloud: CloudStandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        folder = tmp_path_factory.mktemp("data")
        settings = settings_for(server, folder, **with_cloud(cloud), pending_per_user=LIMIT)
        async with running_bot(settings, server.telegram):
            yield server


def labels(message: Json) -> list[str]:
    return [str(button["text"]) for button in buttons(message)]


async def test_what_a_limit_keeps_out_of_an_album_follows_by_a_button(talk: Talk, cloud: CloudStandIn) -> None:
    with cloud.holding():
        sent = await talk.person.send(*album(LIMIT + 2))
        question = await asked(talk, sent, LIMIT + 2)
        query = await talk.person.press_labelled(question["message_id"], "subject")
        assert "in the works" in str(await talk.told(query))
        counted = await shown(talk, question, f"0 of {LIMIT} photos")
        assert labels(counted) == ["🔁 Go on with 2 more", "Cancel"]
    await shown(talk, question, f"{LIMIT} of {LIMIT} photos are ready")
    await talk.person.press_labelled(question["message_id"], "Go on")
    counted = await shown(talk, question, f"{LIMIT + 2} of {LIMIT + 2} photos are ready")
    assert labels(counted) == []
    assert [len(pictures(talk, message)) for message in sent] == [1] * (LIMIT + 2)


async def test_the_rest_of_an_album_is_stopped_by_one_button(talk: Talk, cloud: CloudStandIn) -> None:
    before = len(cloud.calls)
    with cloud.holding():
        sent = await talk.person.send(*album(LIMIT))
        question = await asked(talk, sent, LIMIT)
        await talk.person.press_labelled(question["message_id"], "subject")
        await cloud.wait_for_calls(before + 1)
        counted = await shown(talk, question, f"0 of {LIMIT} photos")
        assert labels(counted) == ["Cancel"]
        await talk.person.press_labelled(question["message_id"], "Cancel")
        counted = await shown(talk, question, f"0 of {LIMIT} photos are ready")
        messages = talk.person.chat.messages
        await talk.telegram.events.wait_until(lambda: "⏳" not in messages[question["message_id"]]["text"])
        assert labels(messages[question["message_id"]]) == []
    assert not any(pictures(talk, message) for message in sent)


async def test_a_refused_photo_has_a_button_that_tries_again(talk: Talk, cloud: CloudStandIn) -> None:
    photos = [Upload(encoded(scene(120, 90, seed=seed))) for seed in range(60, 61 + LIMIT)]
    with cloud.holding():
        sent = [(await talk.person.send(photo, caption="/remove_background white"))[0] for photo in photos]
        refusal = await talk.answer_to(sent[-1])
        assert "in the works" in refusal["text"]
        query = await talk.person.press_labelled(refusal["message_id"], "Try again")
        assert "in the works" in str(await talk.told(query)), "still"
    for message in sent[:-1]:
        assert "photo" in await talk.answer_to(message)
    await talk.person.press_labelled(refusal["message_id"], "Try again")
    messages = talk.person.chat.messages
    await talk.telegram.events.wait_until(lambda: "photo" in messages[refusal["message_id"]])
    assert "white" in messages[refusal["message_id"]]["caption"], "the words of the command count"
    assert len(talk.answers_to(sent[-1])) == 1, "the refusal became the answer"


async def test_a_button_of_an_offer_with_strange_data_is_refused(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(encoded(scene(120, 90))))
    question = await talk.answer_to(sent)
    offer = buttons(question)[0]["callback_data"].split(":")[1]
    for data in (f"o:{offer}:remove_all", f"o:{offer}:", f"o:{offer}:remove_background:plaid", "o:x:erase", "o"):
        message = talk.person.chat.messages[question["message_id"]]
        message["reply_markup"]["inline_keyboard"] = [[{"text": "?", "callback_data": data}]]
        assert await talk.told(await talk.person.press(question["message_id"], data)), data
    assert talk.answers_to(sent)[0]["text"] == question["text"]
