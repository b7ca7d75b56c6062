"""Texts that strangers choose: callback data, captions, the parameter of a link. Any text is answered or left alone."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from telegram import CallbackQuery, Chat, Message, MessageEntity, Update, User

from bot.chat.commands import command_in, edit_command_in
from bot.chat.handlers.buttons import button_pressed
from bot.chat.views.keyboards import Keyboards, try_again
from bot.edits.bare_photos import AlbumCount, BarePhoto, Offer
from bot.edits.finishes import FINISHES, check_finish
from bot.edits.model import MAX_TRIES, EditCommand, Operation, PhotoRef, Tries
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.storage.database import Database
from bot.texts import LANGUAGES, Texts
from tests.unit.webapp.doubles import make_edit

ADA = User(41, "Ada", is_bot=False)

any_text = st.text(st.characters(exclude_categories=()), max_size=80)
"""Any text, lone surrogates and control characters among it."""

nearly_data = st.builds(
    ":".join,
    st.lists(
        st.sampled_from(
            [
                "e",
                "o",
                "",
                "id",
                "n-1",
                "n-0",
                "n-10",
                "n-²",
                "on-3",
                "off-x",
                "f-white",
                "f-",
                "cancel",
                "erase",
                "f",
                "s",
                "41",
                "main",
                "finish=white",
            ]
        )
        | any_text,
        min_size=1,
        max_size=4,
    ),
)
"""Nearly what the bot's own buttons carry."""


def pressed(data: str | None) -> tuple[AsyncMock, list[Any], list[str | None]]:
    """Press a button with this data: the core that was asked, its calls, and the alerts that the person sees."""
    core, alerts = AsyncMock(), []
    core.place.return_value = None
    query = Mock(spec=CallbackQuery, data=data, from_user=ADA, message=None)

    def answer(_query: object, text: str | None = None, **_: object) -> None:
        alerts.append(text)

    services = SimpleNamespace(
        edits=core,
        choices=core,
        unasked=core,
        variants=core,
        payments=core,
        texts=Texts(),
        replies=SimpleNamespace(answer=answer),
    )
    update = Mock(spec=Update, callback_query=query)
    asyncio.run(button_pressed(update, Mock(services=services, language="en")))
    return core, [call for call in core.mock_calls if call[0] != "place"], alerts


@given(any_text | nearly_data)
@example("e:id:n-²")
@example("e:id:n-" + "9" * 60)
@example("o:id:__class__")
@example("p")
@example("d:yes:41")
@example("s:41:main")
def test_any_callback_data_is_answered_once_and_asks_for_one_thing_at_most(data: str) -> None:
    _, calls, alerts = pressed(data)
    assert len(alerts) == 1
    assert len(calls) <= 1
    if not calls:
        assert alerts == [Texts().get("en", "too-old")]
        return
    name, given_values, options = calls[0]
    kind, identity, verb = data.split(":", 2)
    assert given_values[0] == identity
    assert ADA.id in given_values, "the person comes from the query, never from its data"
    if name == "accept":
        operation, _, finish = verb.partition(":")
        assert (kind, given_values[1]) == ("o", EditCommand(Operation(operation), finish or None))
    elif name in ("choose", "mark") and len(given_values) == 3:
        number = given_values[2]
        assert (number if name == "mark" else number[0]) in range(1, 10)
    assert kind in ("e", "o")
    assert set(options) <= {"shown", "chosen", "erased"}


def test_a_query_without_data_is_answered() -> None:
    assert pressed(None)[2] == [Texts().get("en", "too-old")]


@cache  # many keyboards have the same buttons
def outcome_of(data: str) -> tuple[int, list[str | None]]:
    """How often a press of the button with this data asked for something, and the alerts."""
    _, calls, alerts = pressed(data)
    return len(calls), alerts


@given(
    st.sampled_from(list(Operation)), st.sampled_from([*FINISHES, "#123456"]), st.booleans(), st.sampled_from(LANGUAGES)
)
def test_every_button_that_the_bot_shows_is_understood_and_fits(
    operation: Operation, finish: str, flag: bool, language: str
) -> None:
    edit = make_edit("A" * 22, ADA.id, operation=operation, finish=finish, shadow=flag, language=language)
    doubtful = make_edit("B" * 22, ADA.id, operation=operation, error="doubtful", language=language)
    keyboards = Keyboards(Texts(), None, lambda: "photo_bot")
    offer = Mock(spec=Offer, id="C" * 22, language=language)
    shown = [
        keyboards.offer(offer),
        keyboards.working(edit),
        keyboards.result(edit),
        keyboards.result(edit, Tries(2, MAX_TRIES if flag else 3)),
        keyboards.original(edit),
        keyboards.album_count(AlbumCount(3, 1, 1, language, edit.id, operation, refused=("D" * 22,))),
        try_again(Texts(), offer, EditCommand(operation, finish)),
    ]
    if operation is not Operation.ERASE:  # nothing is searched there
        shown += [
            keyboards.failed(doubtful, can_retry=True, can_go_back=flag),
            keyboards.which(edit, range(1, 10), can_go_back=flag),
            keyboards.several(edit, dict.fromkeys(range(1, 10), flag), can_go_back=flag),
        ]
    for keyboard in shown:
        assert keyboard is not None
        for button in [button for row in keyboard.inline_keyboard for button in row]:
            data = button.callback_data
            assert isinstance(data, str)
            assert len(data.encode()) <= 64, "Telegram's limit"
            assert outcome_of(data) == (1, [None]), data


HOSTILE_IDS = ("", "\0", "a\0b", "\ud800", "x" * 10_000, "'; DROP TABLE edits; --", "%", "../..", "😀", "A" * 22, "١")


@pytest.mark.parametrize("identity", HOSTILE_IDS)
async def test_an_id_that_nothing_has_is_answered_as_a_missing_one(identity: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    try:
        store = Store(database, EditLimits(3, 0))
        assert await store.get(identity) is None
        assert await store.offers.get(identity) is None
        offer = await store.offers.add(BarePhoto(41, 41, 7, PhotoRef("file", "unique"), "en"))
        assert await store.offers.get(offer.id) == offer
    finally:
        await database.close()


def message(text: str, *, is_caption: bool, offset: int = 0, length: int = 5) -> Message:
    entities = [MessageEntity(MessageEntity.BOT_COMMAND, offset, length)]
    fields: dict[str, Any] = (
        {"caption": text, "caption_entities": entities} if is_caption else {"text": text, "entities": entities}
    )
    made = Message(7, datetime.now(UTC), Chat(41, "private"), from_user=ADA, **fields)
    made.set_bot(Mock(username="Photo_Bot"))
    return made


words = st.sampled_from(
    ["/erase", "/remove_subject", "/help", "/start", "@photo_bot", "@other", " ", "\n", "/", "e_id"]
)


@given(any_text | st.builds("".join, st.lists(words | any_text, max_size=6)), st.booleans(), st.integers(0, 3))
def test_any_caption_is_a_command_or_none(text: str, is_caption: bool, offset: int) -> None:
    found = command_in(message(text, is_caption=is_caption, offset=offset))
    if found is None:
        return
    name, rest = found
    assert offset == 0
    assert re.fullmatch(r"[a-z0-9_]{1,32}", name)
    assert text.lower().startswith(f"/{name}")
    assert rest == rest.strip()
    assert text.rstrip().endswith(rest)


@given(st.sampled_from(list(Operation)), st.sampled_from(["", "@photo_bot", "@PHOTO_BOT"]), any_text, st.booleans())
def test_a_command_is_found_whatever_follows_it(operation: Operation, name: str, rest: str, upper: bool) -> None:
    word = operation.upper() if upper else str(operation)
    found = edit_command_in(message(f"/{word}{name} {rest}", is_caption=True))
    assert found is not None
    assert found.operation is operation
    assert found.finish is None or check_finish(found.finish) == found.finish
    assert edit_command_in(message(f"/{word}@other_bot {rest}", is_caption=True)) is None
