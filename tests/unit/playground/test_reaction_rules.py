"""The stand-in's setMessageReaction: Telegram's rules, with its error texts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from telegram.constants import ReactionEmoji

from bot.playground import Person, Telegram, rules
from bot.playground.errors import BotApiError
from bot.playground.methods import BotApi
from bot.playground.person import Upload
from bot.playground.rules import Parameters
from tests.support import encoded, scene

ADA = 7
EYES = [{"type": "emoji", "emoji": "👀"}]


class World:
    def __init__(self) -> None:
        self.telegram = Telegram()
        self.person = Person(self.telegram, ADA)
        self.api = BotApi(self.telegram)

    async def react(self, message: int, reaction: Any = EYES, chat: int = ADA) -> Any:
        given = {"chat_id": str(chat), "message_id": str(message), "reaction": json.dumps(reaction)}
        return await self.api.methods["setmessagereaction"](Parameters(given, {}))

    async def refusal(self, message: int, reaction: Any = EYES, chat: int = ADA) -> str:
        with pytest.raises(BotApiError) as refused:
            await self.react(message, reaction, chat)
        return refused.value.description


@pytest.fixture
def world() -> World:
    return World()


def test_the_emoji_are_those_of_the_bot_api() -> None:
    assert {emoji.value for emoji in ReactionEmoji} == rules.REACTIONS


async def test_a_reaction_is_set_again_changed_and_removed(world: World) -> None:
    message = (await world.person.write("hello"))["message_id"]
    for reaction, shown in ((EYES, "👀"), (EYES, "👀"), ([{"type": "emoji", "emoji": "👍"}], "👍"), ([], None)):
        assert await world.react(message, reaction) is True
        assert world.person.chat.reactions.get(message) == shown
        assert world.telegram.events.after(0)[-1].data == {"message_id": message, "emoji": shown}
    assert "reaction" not in world.person.chat.messages[message], "a bot's messages have no reactions"


async def test_an_album_shows_it_on_its_first_photo(world: World) -> None:
    photos = [Upload(encoded(scene(40 + n, 40))) for n in range(3)]
    first, _, last = [sent["message_id"] for sent in await world.person.send(*photos)]
    await world.react(last)
    assert world.person.chat.reactions == {first: "👀"}
    world.person.delete(first)
    assert world.person.chat.reactions == {}


async def test_what_telegram_refuses(world: World) -> None:
    message = (await world.person.write("hello"))["message_id"]
    assert await world.refusal(message + 1) == "Bad Request: message to react not found"
    assert await world.refusal(message, EYES, chat=99) == "Bad Request: chat not found"
    assert await world.refusal(message, EYES * 2) == "Bad Request: REACTIONS_TOO_MANY"
    for invalid in ([{"type": "emoji", "emoji": "⏳"}], [{"type": "custom_emoji", "custom_emoji_id": "1"}]):
        assert await world.refusal(message, invalid) == "Bad Request: REACTION_INVALID"
    assert await world.refusal(message, "👀") == "Bad Request: can't parse reaction types JSON object"
    group = world.telegram.add_group(-5, "Friends")
    group.allowed_reactions = {"👍"}
    written = (await world.person.write("hello", group=group))["message_id"]
    assert await world.refusal(written, EYES, chat=-5) == "Bad Request: REACTION_INVALID"
    assert await world.react(written, [{"type": "emoji", "emoji": "👍"}], -5) is True
