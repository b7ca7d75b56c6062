"""Telegram as it really is: files that come back, rights that are missing, groups that become supergroups."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload, buttons
from bot.playground.telegram import Chat, Json
from tests.chat.groups import answer_in_group
from tests.chat.results import Result, data_of, labels
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

_groups = itertools.count(-777_000, -1)
_seeds = itertools.count(100)


def new_photo() -> Upload:
    """A photo that no cache holds."""
    return Upload(encoded(scene(seed=next(_seeds))))


@pytest.fixture
def group(server: TelegramServer) -> Chat:
    return server.telegram.add_group(next(_groups), "Friends")


@pytest.mark.parametrize(
    ("fault", "call"),
    [("not_found", "download"), ("unauthorized", "download"), ("file_unavailable", "getFile")],
)
async def test_a_file_that_is_refused_for_a_moment_is_fetched(talk: Talk, fault: Any, call: str) -> None:
    talk.telegram.faults.plan(fault, call, times=2)
    (sent,) = await talk.person.send(new_photo(), caption="/remove_subject")
    assert "photo" in await talk.answer_to(sent)
    assert talk.telegram.faults.injected[fault] >= 2


async def test_missing_rights_to_send_pictures_are_told_without_a_retry(talk: Talk, group: Chat) -> None:
    group.forbidden.add("photos")
    (sent,) = await talk.person.send(new_photo(), caption="/remove_subject", group=group)
    answer = await answer_in_group(talk, group, sent)
    assert "may not send pictures in this chat" in answer["text"]
    assert buttons(answer) == []
    group.forbidden.clear()
    (sent,) = await talk.person.send(new_photo(), caption="/remove_subject", group=group)
    assert "photo" in await answer_in_group(talk, group, sent)


async def test_in_a_chat_without_any_rights_the_bot_is_silent_and_goes_on(talk: Talk, group: Chat) -> None:
    group.forbidden |= {"text messages", "photos"}
    await talk.person.send(new_photo(), caption="/remove_subject", group=group)
    (sent,) = await talk.person.send(new_photo(), caption="/remove_subject")
    assert "photo" in await talk.answer_to(sent), "the same person's next edit is not held up"
    assert [m for m in group.messages.values() if m["from"]["is_bot"]] == []


async def pictures_in(talk: Talk, chat: Chat) -> Json:
    def found() -> list[Json]:
        return [m for m in chat.messages.values() if m["from"]["id"] == talk.telegram.bot["id"] and "photo" in m]

    await talk.telegram.events.wait_until(found, seconds=60)
    assert len(found()) == 1
    return found()[0]


@pytest.mark.parametrize("service_message", [True, False], ids=["told by a message", "told by an error"])
async def test_a_group_that_becomes_a_supergroup_is_followed_amid_an_edit(
    talk: Talk, group: Chat, service_message: bool
) -> None:
    telegram = talk.telegram
    telegram.faults.plan("hang", "getFile")
    await talk.person.send(new_photo(), caption="/remove_subject", group=group)
    hung = telegram.faults.injected.get("hang", 0)
    await telegram.events.wait_until(lambda: telegram.faults.injected.get("hang", 0) > hung)
    kinds = telegram.updates.kinds
    telegram.updates.kinds = kinds if service_message else ()
    new = telegram.upgrade(group)
    telegram.updates.kinds = kinds
    telegram.faults.release()
    answer = await pictures_in(talk, new)
    await talk.person.press_labelled(answer["message_id"], "Another try", group=new)
    await telegram.events.wait_until(lambda: ":cancel" in str(new.messages[answer["message_id"]]), seconds=60)
    await telegram.events.wait_until(lambda: "another" in str(new.messages[answer["message_id"]]), seconds=60)
    own = talk.telegram.bot["id"]
    assert not any("photo" in m for m in group.messages.values() if m["from"]["id"] == own)


async def test_buttons_of_the_old_group_answer_in_the_supergroup(talk: Talk, group: Chat) -> None:
    (sent,) = await talk.person.send(new_photo(), caption="/remove_background", group=group)
    answer = await answer_in_group(talk, group, sent)
    new = talk.telegram.upgrade(group)
    await talk.person.press_labelled(answer["message_id"], "White", group=group)
    white = await pictures_in(talk, new)
    assert "f-clean" in str(white["reply_markup"])


async def test_a_kept_try_of_the_old_group_is_posted_in_the_supergroup(talk: Talk, group: Chat) -> None:
    (sent,) = await talk.person.send(new_photo(), caption="/remove_subject", group=group)
    result = Result(talk, await answer_in_group(talk, group, sent), group)
    await result.tries(2)
    flip, original = data_of(result.now, "‹"), data_of(result.now, "🖼 Original")
    new = talk.telegram.upgrade(group)
    await result.press("‹", data=flip)
    assert "1/2" in labels(await pictures_in(talk, new))
    assert "too long ago" in str(await result.press("🖼 Original", data=original))


async def test_a_canvas_that_waits_is_offered_again_in_the_supergroup(talk: Talk, group: Chat) -> None:
    (sent,) = await talk.person.send(new_photo(), caption="/erase", group=group)
    own = talk.telegram.bot["id"]
    await talk.telegram.events.wait_until(lambda: [m for m in group.messages.values() if m["from"]["id"] == own])
    new = talk.telegram.upgrade(group)
    await talk.telegram.events.wait_until(
        lambda: [m for m in new.messages.values() if m["from"]["id"] == own and "?start=e_" in str(m)], seconds=40
    )
    assert sent["chat"]["id"] == group.info["id"]
