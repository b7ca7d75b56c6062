"""👀 on the message of an accepted photo, where that is allowed; it delays nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.playground.person import Upload
from tests.chat.groups import answer_in_group
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())


async def marked(talk: Talk, message: int, chat: int | None = None) -> None:
    """Wait until a message has 👀."""
    reactions = talk.telegram.chats[chat or talk.person.id].reactions
    await talk.telegram.events.wait_until(lambda: reactions.get(message) == "👀")


def reaction_calls(talk: Talk) -> int:
    return talk.telegram.calls["setMessageReaction"]


async def test_an_accepted_photo_gets_eyes_after_its_status_message(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    await marked(talk, sent["message_id"])
    events = talk.telegram.events.after(0)
    mine = [event for event in events if event.chat == talk.person.id]
    reacted = next(event.number for event in mine if event.kind == "reaction")
    posted = next(event.number for event in mine if event.kind == "message" and event.data["from"]["is_bot"])
    assert posted < reacted, "the first word comes first"
    assert "photo" in await talk.answer_to(sent)
    assert talk.person.chat.reactions == {sent["message_id"]: "👀"}, "it stays: the photo was seen"


async def test_a_question_about_a_photo_does_not_accept_it_but_its_button_does(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG))
    question = await talk.answer_to(sent)
    assert talk.person.chat.reactions == {}
    await talk.person.press_labelled(question["message_id"], "The subject")
    await marked(talk, sent["message_id"])
    await talk.telegram.events.wait_until(lambda: "photo" in talk.person.chat.messages[question["message_id"]])


async def test_another_finish_does_not_react_again(talk: Talk) -> None:
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background")
    answer = await talk.answer_to(sent)
    await marked(talk, sent["message_id"])
    before = reaction_calls(talk)
    await talk.person.press_labelled(answer["message_id"], "White")
    await talk.telegram.events.wait_until(
        lambda: "white" in talk.person.chat.messages[answer["message_id"]].get("caption", "").lower()
    )
    assert reaction_calls(talk) == before


async def test_an_album_gets_one_reaction(talk: Talk) -> None:
    before = reaction_calls(talk)
    sent = await talk.person.send(*(Upload(encoded(scene(seed=n))) for n in range(3)), caption="/remove_subject")
    for message in sent:
        assert "photo" in await talk.answer_to(message)
    await marked(talk, sent[0]["message_id"])
    assert reaction_calls(talk) == before + 1


async def test_a_group_without_reactions_is_asked_once(meet: Callable[[], Talk]) -> None:
    talk = meet()
    group = talk.telegram.add_group(-880, "No reactions")
    group.allowed_reactions = set()
    before = reaction_calls(talk)
    for _ in range(2):
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject", group=group)
        assert "photo" in await answer_in_group(talk, group, sent)
    assert reaction_calls(talk) == before + 1
    assert group.reactions == {}


async def test_a_flood_error_of_a_reaction_delays_no_answer(talk: Talk) -> None:
    talk.telegram.faults.plan("flood", "setMessageReaction", retry_after=60)
    before = reaction_calls(talk)
    for _ in range(2):
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
        assert "photo" in await talk.answer_to(sent, seconds=30)
    assert reaction_calls(talk) == before + 1, "the chat gets no further one for a while"


async def test_a_reaction_that_hangs_delays_no_answer(talk: Talk) -> None:
    talk.telegram.faults.plan("hang", "setMessageReaction")
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject")
    assert "photo" in await talk.answer_to(sent, seconds=30)
    talk.telegram.faults.release()
