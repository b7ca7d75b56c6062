"""A request is understood however it is said; what is not plain is asked, and groups stay silent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = Upload(encoded(scene()))


@pytest.mark.parametrize("caption", ["/removesubject", "erase the person", "把主体去掉"])
async def test_words_and_misspelt_commands_remove_the_subject(talk: Talk, caption: str) -> None:
    (sent,) = await talk.person.send(JPEG, caption=caption)
    answer = await talk.answer_to(sent)
    assert "gone" in answer["caption"]


async def test_a_caption_names_the_finish(talk: Talk) -> None:
    (sent,) = await talk.person.send(JPEG, caption="/remove-background #ff8800")
    pixels = np.asarray(talk.picture(await talk.answer_to(sent)).convert("RGB"), int)
    assert np.abs(pixels[:8, :8] - (255, 136, 0)).max() < 12


async def test_words_before_the_photo_wait_for_it_with_their_finish(meet: Callable[..., Talk]) -> None:
    talk = meet("zh-hans")
    asked = await talk.person.write("抠图，白底")
    assert "10 分钟" in (await talk.answer_to(asked))["text"]
    (sent,) = await talk.person.send(JPEG)
    assert np.asarray(talk.picture(await talk.answer_to(sent)))[:8, :8].min() > 250


async def test_words_in_reply_to_a_photo_are_about_that_photo(talk: Talk) -> None:
    (sent,) = await talk.person.send(JPEG)
    asked = await talk.person.write("remove the background please", reply_to=sent["message_id"])
    assert "photo" in await talk.answer_to(asked)


async def test_what_is_not_plain_is_asked(talk: Talk) -> None:
    (sent,) = await talk.person.send(JPEG, caption="/remove")
    assert "What should" in (await talk.answer_to(sent))["text"]


async def test_in_a_group_words_are_no_request(server: TelegramServer, talk: Talk) -> None:
    group = server.telegram.add_group(-600, "Friends")
    await talk.person.send(JPEG, caption="remove the background", group=group)
    await talk.person.write("/removebg", group=group)
    await talk.person.write("/remove_subjects@AnotherBot", group=group)
    last = await talk.person.write("/help", group=group)
    await server.telegram.events.wait_until(
        lambda: [m for m in group.messages.values() if m["from"]["is_bot"]], seconds=30
    )
    (answer,) = [m for m in group.messages.values() if m["from"]["is_bot"]]
    assert answer["reply_to_message"]["message_id"] == last["message_id"]
