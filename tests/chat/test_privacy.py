"""What is stored about a person: they can read it, and deleted means gone from every table and every file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.test_something_else import two_objects
from tests.support import Talk, encoded, running_bot, scene, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON, OTHER = 7_123_456_789_012, 7_210_987_654_321
"""Ids that need six bytes in SQLite's files, so that finding them there is no accident."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(folder: Path) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        settings = settings_for(server, folder, public_url="https://photos.example.org", workers=1)
        async with running_bot(settings, server.telegram):
            yield server


async def live(talk: Talk) -> list[dict[str, Any]]:
    """Use everything that stores something; returns the person's messages with photos."""
    person = talk.person
    (erased,) = await person.send(Upload(encoded(two_objects())), caption="/remove_subject")
    first = await talk.answer_to(erased)
    await person.press_labelled(first["message_id"], "Something else")
    await talk.telegram.events.wait_until(
        lambda: "Which one" in str(person.chat.messages[first["message_id"]].get("caption"))
    )
    (cut,) = await person.send(Upload(encoded(scene(seed=2))), caption="/remove_background")
    second = await talk.answer_to(cut)
    await person.press_labelled(second["message_id"], "White")
    await talk.telegram.events.wait_until(lambda: "Transparent" in buttons(person.chat.messages[second["message_id"]]))
    await talk.settles(second["message_id"])
    (bare,) = await person.send(Upload(encoded(scene(seed=3))))
    await talk.answer_to(bare)
    (waiting,) = await person.send(Upload(encoded(scene(seed=4))), caption="/erase")
    await talk.answer_to(waiting, settled=False)
    await talk.answer_to(await person.write("/erase"))
    await talk.answer_to(await person.write("/language en"))
    return [erased, cut, bare, waiting]


def buttons(message: dict[str, Any]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


def file_ids(talk: Talk) -> set[str]:
    """Every file id and unique id in the person's chat, theirs and the bot's."""
    found = set()
    for message in talk.person.messages:
        for file in [*message.get("photo", []), *([message["document"]] if "document" in message else [])]:
            found |= {file["file_id"], file["file_unique_id"]}
    return found


def rows(folder: Path) -> list[tuple[str, tuple[Any, ...]]]:
    """Every row of every table."""
    found = []
    with closing(sqlite3.connect(folder / "bot.sqlite")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            found += [(table, row) for row in database.execute(f"SELECT * FROM {table}")]
    return found


def traces(folder: Path, person: int, ids: set[str]) -> list[str]:
    """Where an id of the person or of a file is found."""
    found = [f"{table}: {row}" for table, row in rows(folder) if any(word in str(row) for word in (str(person), *ids))]
    needles = [str(person).encode(), person.to_bytes(6, "big"), *(word.encode() for word in ids)]
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        found += [f"{path.name}: {needle!r}" for needle in needles if needle in content]
    return found


async def delete_everything(talk: Talk, *, button: str = "Delete everything", receipt: str = "Done.") -> str:
    question = await talk.answer_to(await talk.person.write("/delete_my_data"))
    number = question["message_id"]
    await talk.person.press_labelled(number, button)
    await talk.telegram.events.wait_until(lambda: receipt in talk.person.chat.messages[number]["text"])
    return str(talk.person.chat.messages[number]["text"])


async def test_deleted_means_gone_from_every_table_and_every_file(server: TelegramServer, folder: Path) -> None:
    talk, other = Talk(server.telegram, PERSON), Talk(server.telegram, OTHER)
    await live(talk)
    (theirs,) = await other.person.send(Upload(encoded(scene(seed=5))), caption="/remove_subject")
    await other.answer_to(theirs)
    ids = file_ids(talk)
    assert traces(folder, PERSON, ids), "so the search finds what is stored"
    cached = len(list((folder / "cache").rglob("*")))

    receipt = await delete_everything(talk)

    assert "5 edits" in receipt
    assert not traces(folder, PERSON, ids), "\n".join(traces(folder, PERSON, ids))
    assert len(list((folder / "cache").rglob("*"))) < cached
    assert traces(folder, OTHER, file_ids(other)), "another person's data stay"
    assert [
        table for table, _ in rows(folder) if table in ("deletions", "found_objects", "offers", "person_settings")
    ] == []


async def test_what_a_person_asks_for_after_the_deletion_is_done(server: TelegramServer) -> None:
    talk = Talk(server.telegram, PERSON + 1)
    await delete_everything(talk)
    (sent,) = await talk.person.send(Upload(encoded(scene(seed=6))), caption="/remove_subject")
    assert "photo" in await talk.answer_to(sent)


async def test_keep_it_deletes_nothing(server: TelegramServer) -> None:
    talk = Talk(server.telegram, PERSON + 2)
    (sent,) = await talk.person.send(Upload(encoded(scene(seed=7))), caption="/remove_background")
    answer = await talk.answer_to(sent)
    await delete_everything(talk, button="Keep it", receipt="Nothing was deleted")
    await talk.person.press_labelled(answer["message_id"], "White")
    await talk.telegram.events.wait_until(
        lambda: "Transparent" in buttons(talk.person.chat.messages[answer["message_id"]])
    )


async def test_a_stranger_cannot_delete_in_a_persons_name(server: TelegramServer) -> None:
    talk, stranger = Talk(server.telegram, PERSON + 3), Talk(server.telegram, PERSON + 4)
    group = server.telegram.add_group(-500, "Friends")
    await talk.person.write("/delete_my_data", group=group)

    def questions() -> list[dict[str, Any]]:
        return [message for message in group.messages.values() if "Delete everything?" in message.get("text", "")]

    await server.telegram.events.wait_until(questions)
    (question,) = questions()
    query = await stranger.person.press(question["message_id"], f"d:yes:{talk.person.id}", group=group)

    def alerts() -> list[str]:
        events = server.telegram.events.after(0)
        return [str(e.data["text"]) for e in events if e.kind == "answer" and e.data["id"] == query]

    await server.telegram.events.wait_until(alerts)
    assert alerts()[0]
    assert questions(), "the question is still there"


@pytest.mark.parametrize(("language", "words"), [("en", "this bot's own server"), ("zh-hans", "自己的服务器")])
async def test_privacy_says_who_works_on_the_photos(server: TelegramServer, language: str, words: str) -> None:
    talk = Talk(server.telegram, PERSON + 5 + len(words), language)
    answer = await talk.answer_to(await talk.person.write("/privacy"))
    assert words in answer["text"]
    assert "24" in answer["text"]
