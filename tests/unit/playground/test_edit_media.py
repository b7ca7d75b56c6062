"""The stand-in's editMessageMedia with a file that was sent before: Telegram's rules, with its error texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.playground import Person, Telegram
from bot.playground.errors import BotApiError
from bot.playground.methods import BotApi
from bot.playground.person import Upload
from bot.playground.rules import Parameters
from tests.support import encoded, scene

ADA = 7


class World:
    """A chat with a photo and a file of a person, and a message of the bot."""

    def __init__(self) -> None:
        self.telegram = Telegram()
        self.person = Person(self.telegram, ADA)
        self.api = BotApi(self.telegram)

    async def call(self, method: str, **given: Any) -> Any:
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        return await self.api.methods[method](Parameters({"chat_id": str(ADA), **texts}, {}))

    async def edit(self, **media: Any) -> Any:
        sent = await self.call("sendmessage", text="…")
        return await self.call("editmessagemedia", message_id=sent["message_id"], media=media)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_photo_and_a_file_are_shown_again(world: World) -> None:
    (photo,) = await world.person.send(Upload(encoded(scene())))
    (file,) = await world.person.send(Upload(encoded(scene(), "PNG"), "cup.png", as_file=True))
    shown = await world.edit(type="photo", media=photo["photo"][0]["file_id"], has_spoiler=True, caption="Here")
    assert (shown["photo"], shown["has_media_spoiler"], shown["caption"]) == (photo["photo"], True, "Here")
    shown = await world.edit(type="document", media=file["document"]["file_id"])
    assert shown["document"] == file["document"]
    assert "has_media_spoiler" not in shown


async def test_the_same_again_is_not_modified(world: World) -> None:
    (photo,) = await world.person.send(Upload(encoded(scene())))
    media = {"type": "photo", "media": photo["photo"][-1]["file_id"]}
    shown = await world.edit(**media)
    with pytest.raises(BotApiError, match="not modified"):
        await world.call("editmessagemedia", message_id=shown["message_id"], media=media)


@pytest.mark.parametrize("what", ["photo", "document", "thumbnail", "unknown"])
async def test_wrong_files_are_refused(world: World, what: str) -> None:
    (photo,) = await world.person.send(Upload(encoded(scene())))
    (file,) = await world.person.send(Upload(encoded(scene(), "PNG"), "cup.png", as_file=True))
    asked, answer = {
        "photo": (("document", photo["photo"][-1]["file_id"]), "type of file mismatch"),
        "document": (("photo", file["document"]["file_id"]), "type of file mismatch"),
        "thumbnail": (("photo", file["document"]["thumbnail"]["file_id"]), "type of file mismatch"),
        "unknown": (("photo", "AgACnonsense"), "wrong remote file identifier"),
    }[what]
    with pytest.raises(BotApiError, match=answer):
        await world.edit(type=asked[0], media=asked[1])


async def test_a_right_that_is_missing_holds_for_files_that_were_sent_before(world: World) -> None:
    (photo,) = await world.person.send(Upload(encoded(scene())))
    world.person.chat.forbidden.add("photos")
    with pytest.raises(BotApiError, match="not enough rights to send photos"):
        await world.edit(type="photo", media=photo["photo"][-1]["file_id"])
