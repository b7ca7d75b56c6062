"""Anonymous admins and channels: they own what they ask for, apart from one another, and admins press their buttons."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.playground.telegram import Chat, Json
from tests.chat.groups import answer_in_group
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
NOT_YOURS = "This belongs to someone else."

_groups = itertools.count(-1_000_000_777_000, -1)


@pytest.fixture
def group(server: TelegramServer) -> Chat:
    return server.telegram.add_group(next(_groups), "Friends")


async def alert(talk: Talk, group: Chat, message: Json, label: str) -> str | None:
    """What the bot says to someone who presses a button in a group."""
    query = await talk.person.press_labelled(message["message_id"], label, group=group)

    def found() -> list[Any]:
        return [e.data for e in talk.telegram.events.after(0) if e.kind == "answer" and e.data["id"] == query]

    await talk.telegram.events.wait_until(found)
    text = found()[0]["text"]
    return str(text) if text else None


async def test_admins_press_the_buttons_of_what_an_anonymous_admin_asked_for(
    group: Chat, meet: Callable[..., Talk]
) -> None:
    admin, other_admin, member = meet(), meet(), meet()
    group.admins |= {admin.person.id, other_admin.person.id}
    (sent,) = await admin.person.send(Upload(JPEG), caption="/remove_background", group=group, in_name_of=group.info)
    answer = await answer_in_group(admin, group, sent)
    assert "photo" in answer
    assert await alert(member, group, answer, "White") == NOT_YOURS
    assert await alert(admin, group, answer, "White") is None
    await admin.telegram.events.wait_until(lambda: "f-clean" in str(group.messages[answer["message_id"]]), seconds=60)
    assert await alert(other_admin, group, group.messages[answer["message_id"]], "Transparent") is None


async def test_an_admin_of_another_group_is_a_stranger_here(group: Chat, meet: Callable[..., Talk]) -> None:
    here, elsewhere = meet(), meet()
    other = here.telegram.add_group(next(_groups), "Others")
    group.admins.add(here.person.id)
    other.admins.add(elsewhere.person.id)
    (sent,) = await here.person.send(Upload(JPEG), caption="/remove_subject", group=group, in_name_of=group.info)
    (theirs,) = await elsewhere.person.send(Upload(JPEG), caption="/remove_subject", group=other, in_name_of=other.info)
    answer, other_answer = await answer_in_group(here, group, sent), await answer_in_group(elsewhere, other, theirs)
    assert await alert(elsewhere, group, answer, "Another try") == NOT_YOURS
    asked = await elsewhere.person.write("/delete_my_data", group=other, in_name_of=other.info)
    question = await answer_in_group(elsewhere, other, asked)
    assert await alert(here, other, question, "Delete everything") == NOT_YOURS
    await alert(elsewhere, other, question, "Delete everything")
    number = question["message_id"]
    await here.telegram.events.wait_until(lambda: "Done." in other.messages[number]["text"])
    assert "too long ago" in str(await alert(elsewhere, other, other_answer, "Another try"))
    assert await alert(here, group, answer, "Another try") is None, "the data of this group was not deleted"


async def test_a_channels_post_is_the_channels_and_the_groups_admins_press_its_buttons(
    group: Chat, meet: Callable[..., Talk]
) -> None:
    writer, admin = meet(), meet()
    group.admins.add(admin.person.id)
    channel = {"id": next(_groups), "type": "channel", "title": "News"}
    (sent,) = await writer.person.send(Upload(JPEG), caption="/remove_subject", group=group, in_name_of=channel)
    answer = await answer_in_group(writer, group, sent)
    assert await alert(writer, group, answer, "Another try") == NOT_YOURS, "it is unknown who writes for a channel"
    assert await alert(admin, group, answer, "Another try") is None


async def test_pending_limits_count_each_anonymous_group_alone(meet: Callable[..., Talk]) -> None:
    """Three pending edits are allowed; four groups with one each are no person with four."""
    admins = [meet() for _ in range(5)]
    groups = [talk.telegram.add_group(next(_groups), "Friends") for talk in admins]
    sent = [
        (await talk.person.send(Upload(JPEG), caption="/remove_subject", group=one, in_name_of=one.info))[0]
        for talk, one in zip(admins, groups, strict=True)
    ]
    for talk, one, message in zip(admins, groups, sent, strict=True):
        assert "photo" in await answer_in_group(talk, one, message)


async def test_a_command_of_one_anonymous_admin_waits_for_that_groups_photo(
    group: Chat, meet: Callable[..., Talk]
) -> None:
    admin = meet()
    asked = await admin.person.write("/remove_subject", group=group, in_name_of=group.info)
    await answer_in_group(admin, group, asked)
    channel = {"id": next(_groups), "type": "channel", "title": "News"}
    await admin.person.send(Upload(JPEG), group=group, in_name_of=channel)
    (sent,) = await admin.person.send(Upload(JPEG), group=group, in_name_of=group.info)
    assert "photo" in await answer_in_group(admin, group, sent)
    own = [m for m in group.messages.values() if m["from"]["id"] == admin.telegram.bot["id"]]
    assert len(own) == 2, "the channel's photo is not what the command waited for"


async def test_an_anonymous_admins_erase_goes_on_in_the_private_chat_of_an_admin(
    group: Chat, meet: Callable[..., Talk]
) -> None:
    admin, member = meet(), meet()
    group.admins.add(admin.person.id)
    await admin.person.send(Upload(JPEG), caption="/erase", group=group, in_name_of=group.info)
    links: list[str] = []

    def found() -> list[str]:
        links[:] = [
            button["url"]
            for message in group.messages.values()
            for row in message.get("reply_markup", {}).get("inline_keyboard", [])
            for button in row
            if "url" in button
        ]
        return links

    await admin.telegram.events.wait_until(found)
    start = links[0].partition("?start=")[2]
    asked = await member.person.write(f"/start {start}")
    assert (await member.answer_to(asked))["text"] == NOT_YOURS
    asked = await admin.person.write(f"/start {start}")
    canvas = await admin.answer_to(asked, settled=False)
    assert "web_app" in str(canvas["reply_markup"])
