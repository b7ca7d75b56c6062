"""An album with a command: one status message at a time, which counts, becomes an answer, and cancels the rest."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from bot.playground.person import Upload, buttons
from bot.playground.telegram import Json
from tests.chat.groups import answer_in_group
from tests.chat.test_album_questions import album, pictures, shown
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, encoded, is_working, most_at_a_time, running_bot, scene, settings_for, with_cloud

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 5

_groups = itertools.count(-1_000_000_777_000, -1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(cloud: CloudStandIn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        folder = tmp_path_factory.mktemp("data")
        settings = settings_for(
            server, folder, **with_cloud(cloud), pending_per_user=LIMIT, public_url="https://photos.example.org"
        )
        async with running_bot(settings, server.telegram):
            yield server


async def status_of(talk: Talk, message: Json, words: str) -> Json:
    """The status message of a photo, once it contains these words. A question may come before it, and go."""

    def found() -> list[Json]:
        return [answer for answer in talk.answers_to(message) if words in answer.get("text", "")]

    await talk.telegram.events.wait_until(found)
    (status,) = found()
    assert is_working(status)
    return status


async def all_answered(talk: Talk, sent: list[Json]) -> list[Json]:
    """The pictures that answer these photos, in the order of the photos; each has one."""
    await talk.telegram.events.wait_until(lambda: all(pictures(talk, message) for message in sent), seconds=120)
    answers = [pictures(talk, message) for message in sent]
    assert [len(found) for found in answers] == [1] * len(sent)
    return [found[0] for found in answers]


@pytest.mark.parametrize("place", [0, 1, 3])
async def test_one_status_message_stands_at_a_time_and_the_answers_are_in_order(
    talk: Talk, cloud: CloudStandIn, place: int
) -> None:
    with cloud.holding():
        sent = await talk.person.send(*album(4), caption="/remove_background", caption_on=place)
        first = await status_of(talk, sent[0], "Photo 1 of 4")
        assert [m["message_id"] for m in talk.person.answers] == [first["message_id"]], "the others wait silently"
    answers = await all_answered(talk, sent)
    numbers = [answer["message_id"] for answer in answers]
    assert numbers == sorted(numbers)
    assert len(talk.person.answers) == 4, "and nothing else is said"
    assert most_at_a_time(talk, talk.person.chat.info["id"]) == 1


async def test_each_status_message_says_which_photo_it_is(meet: Any, cloud: CloudStandIn) -> None:
    talk: Talk = meet("zh-hans")
    with cloud.holding():
        sent = await talk.person.send(*album(3), caption="/remove_subject")
        await status_of(talk, sent[0], "第 1 / 3 张。")
    answers = await all_answered(talk, sent)
    texts = {
        answer["message_id"]: [
            event.data["text"]
            for event in talk.telegram.events.after(0)
            if event.kind == "message" and "text" in event.data and event.data["message_id"] == answer["message_id"]
        ]
        for answer in answers
    }
    for number, answer in enumerate(answers[1:], 2):
        said = texts[answer["message_id"]]
        assert said, "a status message came first"
        assert all(f"第 {number} / 3 张。" in text and "\n" not in text for text in said)


async def test_a_photo_alone_is_not_counted(talk: Talk, cloud: CloudStandIn) -> None:
    with cloud.holding():
        (sent,) = await talk.person.send(*album(1), caption="/remove_subject")
        status = await talk.answer_to(sent, settled=False)
        await shown(talk, status, "Finding the subject")
        assert "Photo" not in talk.person.chat.messages[status["message_id"]]["text"]
    assert "photo" in await talk.answer_to(sent)


async def test_a_command_that_waited_for_its_photo_takes_an_album_in_the_same_way(
    talk: Talk, cloud: CloudStandIn
) -> None:
    await talk.answer_to(await talk.person.write("/remove_background"))
    before = len(talk.person.answers)
    with cloud.holding():
        sent = await talk.person.send(*album(3))
        await status_of(talk, sent[0], "Photo 1 of 3")
        assert len(talk.person.answers) == before + 1
    await all_answered(talk, sent)
    assert most_at_a_time(talk, talk.person.chat.info["id"]) == 1


async def test_cancel_stops_the_photos_that_wait_and_try_again_brings_them_back(
    talk: Talk, cloud: CloudStandIn
) -> None:
    with cloud.holding():
        sent = await talk.person.send(*album(4), caption="/remove_background")
        status = await status_of(talk, sent[0], "Photo 1 of 4")
        await talk.person.press_labelled(status["message_id"], "Cancel")
        stopped = await shown(talk, status, "this photo and 3 more of the album")
        assert [button["text"] for button in buttons(stopped)] == ["🔁 Try again"]
        assert len(talk.person.answers) == 1
    # A later photo has its turn behind them: by its answer they would have been answered, too.
    (later,) = await talk.person.send(Upload(encoded(scene(seed=77))), caption="/remove_background")
    assert "photo" in await talk.answer_to(later)
    assert not any(pictures(talk, message) for message in sent)
    await talk.person.press_labelled(status["message_id"], "Try again")
    answers = await all_answered(talk, sent)
    assert answers[0]["message_id"] == status["message_id"], "its own message became its answer"
    assert len(talk.person.answers) == 5


async def test_cancel_in_the_middle_leaves_the_answers_before_it(talk: Talk, cloud: CloudStandIn) -> None:
    sent = await talk.person.send(*album(LIMIT), caption="/remove_background")
    await talk.telegram.events.wait_until(lambda: pictures(talk, sent[0]), seconds=120)
    with cloud.holding():

        def held() -> list[Json]:
            finding = "Finding the subject"
            return [
                answer for answer in talk.person.answers if finding in answer.get("text", "") and is_working(answer)
            ]

        await talk.telegram.events.wait_until(held)
        (status,) = held()
        place = len(talk.person.answers) - 1
        await talk.person.press_labelled(status["message_id"], "Cancel")
        await shown(talk, status, f"this photo and {LIMIT - 1 - place} more of the album")
    (later,) = await talk.person.send(Upload(encoded(scene(seed=78))), caption="/remove_background")
    assert "photo" in await talk.answer_to(later)
    found = [len(pictures(talk, message)) for message in sent]
    assert found == [1] * place + [0] * (LIMIT - place)
    assert len(talk.person.answers) == place + 2


async def test_photos_beyond_the_limit_are_refused_each(talk: Talk, cloud: CloudStandIn) -> None:
    with cloud.holding():
        sent = await talk.person.send(*album(LIMIT + 1), caption="/remove_background white")
        refusal = await talk.answer_to(sent[-1])
        assert "in the works" in refusal["text"]
        await status_of(talk, sent[0], f"Photo 1 of {LIMIT}.")
        assert len(talk.person.answers) == 2, "the first photo's status message, and the refusal"
    await all_answered(talk, sent[:-1])
    await talk.person.press_labelled(refusal["message_id"], "Try again")
    await all_answered(talk, sent)


async def test_each_photo_to_erase_from_has_its_own_canvas_at_once(talk: Talk) -> None:
    sent = await talk.person.send(*album(3), caption="/erase")
    for message in sent:
        answer = await talk.answer_to(message, settled=False)
        assert "web_app" in str(buttons(answer))
        assert "Photo" not in answer["text"]
    await talk.person.press_labelled((await talk.answer_to(sent[0], settled=False))["message_id"], "Cancel")
    await shown(talk, talk.answers_to(sent[0])[0], "Stopped. Nothing was changed.")
    for message in sent[1:]:
        assert "web_app" in str(buttons(talk.answers_to(message)[0])), "the others still wait for their paint"


async def test_in_a_groups_topic_one_status_message_stands_at_a_time(talk: Talk, cloud: CloudStandIn) -> None:
    group = talk.telegram.add_group(next(_groups), "Friends")
    sent = await talk.person.send(*album(3), caption="/remove_background", caption_on=1, group=group, topic=7)
    answers = [await answer_in_group(talk, group, message) for message in sent]
    assert all("photo" in answer and answer["message_thread_id"] == 7 for answer in answers)
    numbers = [answer["message_id"] for answer in answers]
    assert numbers == sorted(numbers)
    assert most_at_a_time(talk, group.info["id"]) == 1


async def test_another_try_of_a_result_does_not_belong_to_the_album(talk: Talk, cloud: CloudStandIn) -> None:
    sent = await talk.person.send(*album(2), caption="/remove_subject")
    answer = (await all_answered(talk, sent))[0]
    with cloud.holding():
        await talk.person.press_labelled(answer["message_id"], "Another")
        messages = talk.person.chat.messages
        await talk.telegram.events.wait_until(lambda: is_working(messages[answer["message_id"]]))
        assert "Photo" not in messages[answer["message_id"]]["caption"]
