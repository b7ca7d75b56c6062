"""Without history, everything about a photo is gone soon after its answer, from every table and every file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.edits import history
from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.chat.test_privacy import buttons, file_ids, rows, traces
from tests.support import Talk, encoded, running_bot, scene, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSON, OTHER = 7_323_456_789_012, 7_410_987_654_321


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def minutes() -> Iterator[pytest.MonkeyPatch]:
    """Edits are deleted without waiting ten minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "SHORTEST_MINUTES", 0)
        patch.setattr(history, "ROWS_AFTER_FILES", 0)
        patch.setattr(history, "LOOK_SECONDS", 0.1)
        yield patch


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(folder: Path, minutes: pytest.MonkeyPatch) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        settings = settings_for(server, folder, public_url="https://photos.example.org", workers=1)
        async with running_bot(settings, server.telegram):
            yield server


async def without_history(talk: Talk) -> None:
    message = await talk.answer_to(await talk.person.write("/settings"))
    for label, until in (("History", "Do not keep it"), ("Do not keep it", "✅ Do not keep it")):
        await talk.person.press_labelled(message["message_id"], label)
        await talk.telegram.events.wait_until(
            lambda until=until: until in buttons(talk.person.chat.messages[message["message_id"]])
        )


async def until_gone(folder: Path, talk: Talk, *, but: int = 0) -> None:
    """Wait until at most this number of a person's edits is left; a table has no events."""
    async with asyncio.timeout(60):
        while len(edits_of(folder, talk)) > but:  # noqa: ASYNC110 -- see above
            await asyncio.sleep(0.02)


def edits_of(folder: Path, talk: Talk) -> list[tuple[Any, ...]]:
    return [row for table, row in rows(folder) if table == "edits" and talk.person.id in row]


async def alert(talk: Talk, message: int, label: str) -> str:
    """What the bot says when a button is pressed."""
    query = await talk.person.press_labelled(message, label)

    def answers() -> list[str | None]:
        return [e.data["text"] for e in talk.telegram.events.after(0) if e.kind == "answer" and e.data["id"] == query]

    await talk.telegram.events.wait_until(answers)
    return str(answers()[0])


async def test_an_answered_photo_is_gone_and_its_buttons_say_so(server: TelegramServer, folder: Path) -> None:
    talk, other = Talk(server.telegram, PERSON), Talk(server.telegram, OTHER)
    (theirs,) = await other.person.send(Upload(encoded(scene(seed=5))), caption="/remove_subject")
    await other.answer_to(theirs)
    await without_history(talk)
    (sent,) = await talk.person.send(Upload(encoded(scene(seed=1))), caption="/remove_background")
    answer = await talk.answer_to(sent)
    (bare,) = await talk.person.send(Upload(encoded(scene(seed=2))))
    question = await talk.answer_to(bare)
    await talk.person.press_labelled(question["message_id"], "subject")
    await talk.telegram.events.wait_until(
        lambda: "gone" in str(talk.person.chat.messages[question["message_id"]].get("caption")), seconds=60
    )

    await until_gone(folder, talk)
    for message, label in ((answer, "White"), (question, "Something else")):
        assert "too long ago" in await alert(talk, message["message_id"], label)

    ids = file_ids(talk)
    kept = ("person_settings", "people")  # what was chosen; when the person was here, for 30 days
    left = [trace for trace in traces(folder, PERSON, ids) if not trace.startswith((*kept, "bot.sqlite"))]
    assert not left, "\n".join(left)
    assert {table for table, row in rows(folder) if PERSON in row} == set(kept)
    assert not [trace for trace in traces(folder, PERSON, ids) if any(word in trace for word in ids)]
    assert traces(folder, OTHER, file_ids(other)), "another person's history stays"


async def test_what_waits_for_the_person_stays(server: TelegramServer, folder: Path) -> None:
    talk = Talk(server.telegram, PERSON + 1)
    await without_history(talk)
    (bare,) = await talk.person.send(Upload(encoded(scene(seed=3))))
    question = await talk.answer_to(bare)
    (waiting,) = await talk.person.send(Upload(encoded(scene(seed=4))), caption="/erase")
    canvas = await talk.answer_to(waiting, settled=False)
    (sent,) = await talk.person.send(Upload(encoded(scene(seed=6))), caption="/remove_subject")
    answer = await talk.answer_to(sent)
    await until_gone(folder, talk, but=1)
    assert "too long ago" in await alert(talk, answer["message_id"], "Something else")
    assert ["waiting_for_mask" in row for row in edits_of(folder, talk)] == [True]
    await talk.person.press_labelled(question["message_id"], "subject")
    await talk.telegram.events.wait_until(
        lambda: "gone" in str(talk.person.chat.messages[question["message_id"]].get("caption")), seconds=60
    )
    await talk.person.press_labelled(canvas["message_id"], "Cancel")
    await talk.telegram.events.wait_until(
        lambda: "Stopped" in str(talk.person.chat.messages[canvas["message_id"]].get("text"))
    )
