"""/announce: a preview, everybody once, people who blocked the bot, and an end at any moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload, buttons
from tests.chat.announcing import NEWS, announce, ask_to_announce, ended, got, write_in_private
from tests.support import Talk, encoded, running_bot, scene, settings_for

ADMIN = 900


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        Talk(server.telegram, ADMIN)  # has started the bot
        settings = settings_for(server, tmp_path, admins=frozenset({ADMIN, 901}), workers=1)
        async with running_bot(settings, server.telegram):
            yield server


@pytest.fixture
def admin(server: TelegramServer) -> Talk:
    return Talk(server.telegram, ADMIN)


def people(server: TelegramServer, count: int) -> list[Talk]:
    return [Talk(server.telegram, number) for number in range(1, count + 1)]


async def test_everybody_gets_it_once_and_the_admin_sees_it_first(server: TelegramServer, admin: Talk) -> None:
    talks, silent = people(server, 4), Talk(server.telegram, 50)
    await write_in_private(talks)
    group = server.telegram.add_group(-700, "Friends")
    await silent.person.write("/help", group=group)
    question = await ask_to_announce(admin)
    assert [button["text"] for button in buttons(question)] == ["Send to 4 people", "Don't send"]
    assert got(admin) == 1, "the preview"
    assert not any(got(talk) for talk in talks)
    await admin.person.press_labelled(question["message_id"], "Send to")
    assert await ended(admin, question["message_id"]) == "Done. Sent: 4. Blocked me: 0. Failed: 0."
    assert [got(talk) for talk in talks] == [1, 1, 1, 1]
    assert got(silent) == 0, "who only used it in a group has no private chat with it"
    assert got(admin) == 1


async def test_a_draft_can_be_dropped(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 1)
    await write_in_private(talks)
    question = await ask_to_announce(admin)
    await admin.person.press_labelled(question["message_id"], "Don't send")
    messages = admin.person.chat.messages
    await server.telegram.events.wait_until(lambda: messages[question["message_id"]]["text"] == "Not sent.")
    assert got(talks[0]) == 0


async def test_a_reply_announces_a_copy_with_its_picture(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 2)
    await write_in_private(talks)
    (photo,) = await admin.person.send(Upload(encoded(scene())), caption="Look at this")
    panel = await announce(admin, "/announce", reply_to=photo["message_id"])
    await ended(admin, panel)
    for talk in talks:
        (copy,) = [message for message in talk.person.answers if message.get("caption") == "Look at this"]
        assert copy["photo"] == photo["photo"]


async def test_a_message_that_is_gone_cannot_be_announced(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 3)
    await write_in_private(talks)
    gone = await admin.person.write("Soon gone")
    question = await ask_to_announce(admin, "/announce", reply_to=gone["message_id"])
    admin.person.delete(gone["message_id"])
    await admin.person.press_labelled(question["message_id"], "Send to")
    assert (await ended(admin, question["message_id"])).startswith("Stopped. Sent: 0.")
    assert not any(got(talk, "Soon gone") for talk in talks)


async def test_who_blocked_the_bot_is_counted_and_left_out_until_they_write_again(
    server: TelegramServer, admin: Talk
) -> None:
    talks = people(server, 3)
    await write_in_private(talks)
    talks[1].person.block()
    assert await ended(admin, await announce(admin)) == "Done. Sent: 2. Blocked me: 1. Failed: 0."
    assert await ended(admin, await announce(admin, "/announce Once more")) == (
        "Done. Sent: 2. Blocked me: 0. Failed: 0."
    )
    talks[1].person.block(blocked=False)
    await write_in_private([talks[1]])
    assert await ended(admin, await announce(admin, "/announce And again")) == (
        "Done. Sent: 3. Blocked me: 0. Failed: 0."
    )
    assert got(talks[1]) == 0
    assert got(talks[1], "And again") == 1


async def test_it_can_be_stopped_while_it_is_sent(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 60)
    await write_in_private(talks)
    panel = await announce(admin)
    await server.telegram.events.wait_until(lambda: sum(map(got, talks)) >= 3)
    await admin.person.press_labelled(panel, "Stop")
    line = await ended(admin, panel)
    sent = sum(map(got, talks))
    assert line == f"Stopped. Sent: {sent}. Blocked me: 0. Failed: 0."
    assert 3 <= sent < 60
    await write_in_private(talks[-2:])
    assert sum(map(got, talks)) == sent, "no one gets it afterwards"


async def test_the_progress_is_shown_in_one_message(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 45)
    await write_in_private(talks)
    panel = await announce(admin)
    await ended(admin, panel)
    events = server.telegram.events.after(0)
    shown = [e.data["text"] for e in events if e.kind == "message" and e.data["message_id"] == panel]
    progress = [text for text in shown if text.startswith("Sending: ")]
    assert progress[0] == "Sending: 0 of 45."
    assert len(progress) in (2, 3), "every few seconds, not for each message"


async def test_a_lost_answer_of_telegram_is_not_sent_again(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 3)
    await write_in_private(talks)
    question = await ask_to_announce(admin)
    server.telegram.faults.plan("lose_answer", "sendMessage")
    await admin.person.press_labelled(question["message_id"], "Send to")
    line = await ended(admin, question["message_id"])
    assert line.startswith("Done. Sent: 2. Blocked me: 0. Failed: 0.\nNot known: 1.")
    assert [got(talk) for talk in talks] == [1, 1, 1]


async def test_a_flood_limit_delays_it_and_loses_nobody(server: TelegramServer, admin: Talk) -> None:
    talks = people(server, 3)
    await write_in_private(talks)
    question = await ask_to_announce(admin)
    server.telegram.faults.plan("flood", "sendMessage", retry_after=1)
    await admin.person.press_labelled(question["message_id"], "Send to")
    assert await ended(admin, question["message_id"]) == "Done. Sent: 3. Blocked me: 0. Failed: 0."
    assert [got(talk) for talk in talks] == [1, 1, 1]


async def test_without_people_or_text_nothing_can_be_sent(server: TelegramServer, admin: Talk) -> None:
    question = await ask_to_announce(admin)
    assert "nobody to send it to" in question["text"]
    assert buttons(question) == []
    how = await admin.answer_to(await admin.person.write("/announce"))
    assert "/announce and your text" in how["text"]


async def test_another_admin_cannot_press_the_buttons(server: TelegramServer, admin: Talk) -> None:
    talks, other = people(server, 2), Talk(server.telegram, 901)
    await write_in_private(talks)
    question = await ask_to_announce(admin)
    data = buttons(question)[0]["callback_data"]
    forged = await other.answer_to(await other.person.write("/help"))
    other.person.chat.messages[forged["message_id"]]["reply_markup"] = question["reply_markup"]
    talks[0].person.chat.messages[talks[0].person.answers[0]["message_id"]]["reply_markup"] = question["reply_markup"]
    for talk, message in ((other, forged), (talks[0], talks[0].person.answers[0])):
        query = await talk.person.press(message["message_id"], data)
        await server.telegram.events.wait_until(lambda query=query: query not in server.telegram.queries)
    await write_in_private(talks)
    assert NEWS not in [message.get("text") for talk in talks for message in talk.person.answers]
