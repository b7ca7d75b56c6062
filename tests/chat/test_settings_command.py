"""/settings and /language: what people choose holds for all their photos, and changes in the same message."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.settings_buttons import Message, labels, now, press
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
_groups = itertools.count(-1_000_000_888_000, -1)


async def choose(talk: Talk, setting: str, option: str) -> Message:
    """Choose an option in a new settings message."""
    message = await talk.answer_to(await talk.person.write("/settings"))
    message = await press(talk, message, setting, until=f"'{option}'")
    return await press(talk, message, option, until=f"✅ {option}")


async def answer_to_press(talk: Talk, query: str) -> Message:
    def found() -> list[Message]:
        return [e.data for e in talk.telegram.events.after(0) if e.kind == "answer" and e.data["id"] == query]

    await talk.telegram.events.wait_until(found)
    return found()[0]


async def photo(talk: Talk, caption: str | None = None, **options: Any) -> Message:
    """The bot's settled answer to a photo."""
    (sent,) = await talk.person.send(Upload(JPEG, **options), caption=caption)
    return await talk.answer_to(sent)


def corner(talk: Talk, answer: Message) -> int:
    """The darkest value of an answer's corner: a white background has more than 250."""
    return int(np.asarray(talk.picture(answer).convert("RGB"))[:8, :8].min())


async def test_settings_are_one_message_that_shows_them_and_changes_in_place(talk: Talk) -> None:
    asked = await talk.person.write("/settings")
    message = await talk.answer_to(asked)
    for words in ("Language – Automatic (English)", "Background – Clean", "As the photo came", "Ask me", "Keep it"):
        assert words in message["text"]
    message = await press(talk, message, "Background", until="/remove_background")
    assert "✅ Clean" in labels(message)
    assert "Mask" not in labels(message)
    message = await press(talk, message, "White", until="✅ White")
    assert "✅ Clean" not in labels(message)
    message = await press(talk, message, "Back", until="Your settings")
    assert "Background – White" in message["text"]
    assert len(talk.answers_to(asked)) == 1
    assert "Background – White" in (await talk.answer_to(await talk.person.write("/settings")))["text"]


async def test_the_default_finish_is_for_requests_that_name_none(talk: Talk) -> None:
    await choose(talk, "Background", "White")
    plain = await photo(talk, "/remove_background")
    assert "white" in plain["caption"]
    assert corner(talk, plain) > 250
    assert "transparent" in (await photo(talk, "/remove_background transparent"))["caption"]
    clean = await photo(talk, "/remove_background clean")
    assert clean["caption"] == "✨ The background is gone."
    assert corner(talk, clean) < 200
    assert "white" in (await photo(talk, "remove the background"))["caption"]


async def test_the_default_finish_is_the_one_at_the_moment_of_the_edit(talk: Talk) -> None:
    """Also for a command that waited for its photo, and for a button under an older question."""
    (bare,) = await talk.person.send(Upload(JPEG))
    question = await talk.answer_to(bare)
    await talk.answer_to(await talk.person.write("/remove_background"))
    await choose(talk, "Background", "Black")
    assert "black" in (await photo(talk))["caption"]
    await talk.person.press_labelled(question["message_id"], "background")
    await talk.telegram.events.wait_until(lambda: "black" in str(now(talk, question).get("caption")))


async def test_a_waiting_clean_stays_clean_and_an_albums_command_takes_the_default(talk: Talk) -> None:
    await choose(talk, "Background", "White")
    await talk.answer_to(await talk.person.write("/remove_background clean"))
    assert (await photo(talk))["caption"] == "✨ The background is gone."
    uploads = [Upload(encoded(scene(seed=seed))) for seed in (1, 2)]
    for message in await talk.person.send(*uploads, caption="/remove_background"):
        assert "white" in (await talk.answer_to(message))["caption"]
    for message in await talk.person.send(*uploads, caption="/remove_background clean"):
        assert (await talk.answer_to(message))["caption"] == "✨ The background is gone."


async def test_results_come_as_the_person_wants_them(talk: Talk) -> None:
    await choose(talk, "Results", "Always as a file")
    answer = await photo(talk, "/remove_subject")
    assert answer["document"]["file_name"].endswith(".jpg")
    assert talk.picture(answer).size == scene().size
    await choose(talk, "Results", "Always as a photo")
    opaque = encoded(scene(), "PNG")
    (sent,) = await talk.person.send(Upload(opaque, "p.png", as_file=True), caption="/remove_subject")
    assert "photo" in await talk.answer_to(sent)
    clear = await photo(talk, "/remove_background transparent")
    assert "document" in clear, "a photo would lose the transparency"
    assert talk.picture(clear).mode == "RGBA"


async def test_a_bare_photo_is_done_at_once_if_the_person_wants_that(talk: Talk) -> None:
    await choose(talk, "Just a photo", "Remove the subject")
    (sent,) = await talk.person.send(Upload(JPEG))
    assert "subject is gone" in (await talk.answer_to(sent))["caption"]
    assert len(talk.answers_to(sent)) == 1, "and nothing was asked"
    assert "background" in (await photo(talk, "/remove_background"))["caption"]
    await choose(talk, "Just a photo", "Remove the background")
    for message in await talk.person.send(Upload(encoded(scene(seed=3))), Upload(encoded(scene(seed=4)))):
        assert "background is gone" in (await talk.answer_to(message))["caption"]


async def test_in_a_group_a_bare_photo_stays_alone(talk: Talk) -> None:
    await choose(talk, "Just a photo", "Remove the subject")
    group = talk.telegram.add_group(next(_groups), "Friends")
    await talk.person.send(Upload(JPEG), group=group)
    (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_subject", group=group)

    def pictures() -> list[Message]:
        return [m for m in group.messages.values() if m["from"]["is_bot"] and "photo" in m]

    await talk.telegram.events.wait_until(pictures, seconds=60)
    answers = [m for m in group.messages.values() if m["from"]["is_bot"]]
    assert [m["reply_to_message"]["message_id"] for m in answers] == [sent["message_id"]]


async def test_a_chosen_language_holds_everywhere_at_once(talk: Talk) -> None:
    """Also for an answer, a question and a settings message from before."""
    cut_out = await photo(talk, "/remove_background")
    (bare,) = await talk.person.send(Upload(JPEG))
    question = await talk.answer_to(bare)
    settings = await talk.answer_to(await talk.person.write("/settings"))
    message = await talk.answer_to(await talk.person.write("/language"))
    message = await press(talk, message, "中文", until="✅ 中文")
    assert "哪种语言" in message["text"]
    assert (await talk.answer_to(await talk.person.write("hello")))["text"] == "发一张照片给我，或输入 /help。"
    assert "主体已消除" in (await photo(talk, "/remove_subject"))["caption"]
    await press(talk, settings, "Back" if "Back" in labels(settings) else "Results", until="总是发文件")
    await talk.person.press_labelled(cut_out["message_id"], "White")
    await talk.telegram.events.wait_until(lambda: "白色" in str(now(talk, cut_out).get("caption")))
    await talk.person.press_labelled(question["message_id"], "subject")
    await talk.telegram.events.wait_until(lambda: "主体已消除" in str(now(talk, question).get("caption")))
    query = await talk.person.press(settings["message_id"], labelled(now(talk, settings), "总是发文件"))
    assert (await answer_to_press(talk, query))["text"] is None
    answer = await talk.answer_to(await talk.person.write("/language en"))
    assert answer["text"] == "🌐 Language: English"


def labelled(message: Message, label: str) -> str:
    rows = message["reply_markup"]["inline_keyboard"]
    return next(str(button["callback_data"]) for row in rows for button in row if label in button["text"])


@pytest.mark.parametrize("named", ["zh", "ZH-hans", "中文", "Chinese"])
async def test_a_language_can_be_named(talk: Talk, named: str) -> None:
    assert (await talk.answer_to(await talk.person.write(f"/language {named}")))["text"] == "🌐 语言：中文"
    assert (await talk.answer_to(await talk.person.write("/language auto")))["text"] == "🌐 Language: Automatic"
    assert (await talk.answer_to(await talk.person.write("x")))["text"] == "Send me a photo, or /help."


async def test_an_unknown_language_is_answered_with_the_choice(meet: Callable[..., Talk]) -> None:
    talk = meet("zh-hans")
    answer = await talk.answer_to(await talk.person.write("/language klingon"))
    assert [label.removeprefix("✅ ") for label in labels(answer)] == ["自动", "English", "中文", "◀️ 返回"]
    await press(talk, answer, "English", until="✅ English")
    assert (await talk.answer_to(await talk.person.write("x")))["text"] == "Send me a photo, or /help."


async def test_two_messages_pressed_at_once_lose_neither_choice(talk: Talk) -> None:
    one = await talk.answer_to(await talk.person.write("/settings"))
    other = await talk.answer_to(await talk.person.write("/settings"))
    one = await press(talk, one, "Background", until="White")
    other = await press(talk, other, "Results", until="Always as a file")
    await asyncio.gather(
        talk.person.press_labelled(one["message_id"], "White"),
        talk.person.press_labelled(other["message_id"], "Always as a file"),
    )
    await talk.telegram.events.wait_until(lambda: "✅ Always as a file" in labels(now(talk, other)))
    text = (await talk.answer_to(await talk.person.write("/settings")))["text"]
    assert "Background – White" in text
    assert "Results – Always as a file" in text


async def test_after_a_deletion_nothing_is_chosen_and_old_buttons_still_work(talk: Talk) -> None:
    await talk.answer_to(await talk.person.write("/language zh"))
    old = await choose(talk, "背景", "白色")
    question = await talk.answer_to(await talk.person.write("/delete_my_data"))
    await press(talk, question, "全部删除", until="完成")
    text = (await talk.answer_to(await talk.person.write("/settings")))["text"]
    assert "Language – Automatic (English)" in text
    assert "Background – Clean" in text
    message = await press(talk, old, "黑色", until="✅ Black")
    message = await press(talk, message, "Back", until="Your settings")
    assert "Background – Black" in message["text"]
    assert "Results – As the photo came" in message["text"]


@pytest.mark.parametrize(
    "data",
    [
        "s", "s:", "s:me:main", "s:{id}", "s:{id}:", "s:{id}:nothing", "s:{id}:finish=", "s:{id}:finish=mask",
        "s:{id}:main=zh", "s:{id}:language=de", "s:{id}:history=no", "s:{id}:bare=erase", "s:{id}:finish=white=black",
        "s:{id}{id}{id}{id}{id}:main", "s:\u0661\u0662:main", "s:{id}:settings-not-yours",
    ],
)  # fmt: skip
async def test_malformed_callback_data_is_refused(talk: Talk, data: str) -> None:
    message = await talk.answer_to(await talk.person.write("/settings"))
    shown = dict(now(talk, message))
    given = data.format(id=talk.person.id)
    now(talk, message)["reply_markup"]["inline_keyboard"].append([{"text": "!", "callback_data": given}])
    answer = await answer_to_press(talk, await talk.person.press(message["message_id"], given))
    assert answer["show_alert"]
    assert "too long ago" in answer["text"]
    assert now(talk, message)["text"] == shown["text"]


async def test_in_a_group_everyone_has_their_own_and_admins_those_of_the_chat(
    meet: Callable[..., Talk], server: TelegramServer
) -> None:
    member, admin = meet(), meet()
    group = server.telegram.add_group(next(_groups), "Friends")
    group.admins.add(admin.person.id)

    def shown(words: str) -> list[Message]:
        return [m for m in group.messages.values() if m["from"]["is_bot"] and words in m.get("text", "")]

    await member.person.write("/settings", group=group)
    await server.telegram.events.wait_until(lambda: shown("Your settings"))
    (theirs,) = shown("Your settings")
    query = await admin.person.press_labelled(theirs["message_id"], "Background", group=group)
    assert "someone else's settings" in (await answer_to_press(admin, query))["text"]

    await admin.person.write("/settings", group=group, in_name_of=group.info)
    await server.telegram.events.wait_until(lambda: shown("in this chat's name"))
    (chats,) = shown("in this chat's name")
    query = await member.person.press_labelled(chats["message_id"], "Background", group=group)
    assert "someone else's settings" in (await answer_to_press(member, query))["text"]
    chats = await press(admin, chats, "Background", until="White", group=group)
    await press(admin, chats, "White", until="✅ White", group=group)

    async def caption(talk: Talk, **options: Any) -> str:
        (sent,) = await talk.person.send(Upload(JPEG), caption="/remove_background", group=group, **options)

        def answers() -> list[Message]:
            about = [m for m in group.messages.values() if m.get("reply_to_message", {}).get("message_id")]
            return [m for m in about if m["reply_to_message"]["message_id"] == sent["message_id"] and "photo" in m]

        await server.telegram.events.wait_until(answers, seconds=60)
        return str(answers()[0]["caption"])

    assert "white" in await caption(admin, in_name_of=group.info)
    assert "white" not in await caption(admin), "as a person the admin has chosen nothing"
    assert "white" not in await caption(member)
