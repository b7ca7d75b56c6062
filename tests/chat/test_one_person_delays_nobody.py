"""What one person sends, in any amount, does not delay another person's first word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.playground.person import Upload
from tests.support import Talk, encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON = 10
"""Seconds; a hundred replies at Telegram's one message a second in a chat take a hundred."""


async def send_photo(talk: Talk) -> dict[str, Any]:
    photo = Upload(encoded(scene()), "photo.jpg", "image/jpeg", False)
    (message,) = await talk.person.send(photo, caption="/remove_subject")
    return message


async def test_a_hundred_texts_of_one_person_do_not_delay_a_photo_of_another(meet: Callable[..., Talk]) -> None:
    loud, other = meet(), meet()
    for number in range(100):
        await loud.person.write(f"hello {number}")
    sent = await send_photo(other)
    await other.answer_to(sent, settled=False, seconds=SOON)


async def test_texts_that_are_not_understood_are_answered_a_few_times(meet: Callable[..., Talk]) -> None:
    loud = meet()
    for number in range(50):
        await loud.person.write(f"hello {number}")
    last = await loud.person.write("/help")
    await loud.answer_to(last, seconds=SOON)
    assert len(loud.person.answers) == 3, "two answers to fifty texts, and the help"


async def test_three_hundred_people_who_write_nonsense_do_not_delay_a_photo(meet: Callable[..., Talk]) -> None:
    crowd, other = [meet() for _ in range(300)], meet()
    for person in crowd:
        await person.person.write("what is this?")
    sent = await send_photo(other)
    await other.answer_to(sent, settled=False, seconds=SOON)


async def test_a_text_is_answered_in_the_chat_while_that_chats_limit_is_used_up(meet: Callable[..., Talk]) -> None:
    talk = meet()
    for command in ("/help", "/start", "/help", "/erase", "/start", "/remove_subject"):
        last = await talk.person.write(command)
    await talk.answer_to(last, seconds=30)
