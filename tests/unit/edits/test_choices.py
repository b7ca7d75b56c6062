"""Something else: what a person may ask for once the wrong thing was found, and what nothing comes of."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.edits import pixels
from bot.edits.announcer import Announcer
from bot.edits.choices import Choices
from bot.edits.model import Edit, EditRequest, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.service import Edits
from bot.errors import PersonError
from bot.imaging.encoding import encode_mask
from bot.storage.database import Database
from tests.support import encoded, scene
from tests.unit.edits.test_canvas import Courier, Queue

ADA, BEN = 7, 8


class Desk:
    """The choices, and edits of one photo."""

    def __init__(self, database: Database, bounds: EditLimits) -> None:
        self.store = Store(database, bounds)
        courier = Courier()
        self.edits = Edits(self.store, Queue(), courier, Announcer(self.store, courier, alone=True))
        self.choices = Choices(self.store, self.edits, courier)

    async def result(self, key: str = "photo", **values: object) -> Edit:
        """A finished edit, shown in message 50."""
        photo = PhotoRef("file", "unique")
        edit, _ = await self.edits.submit(EditRequest(key, ADA, ADA, 1, Operation.REMOVE_SUBJECT, photo, "en"))
        return await self.set(edit, state=State.DONE, mask=b"first", mask_is_matte=True, status_message=50, **values)

    async def set(self, edit: Edit, **values: object) -> Edit:
        changed = await self.store.change(edit.id, **values)
        assert changed is not None
        return changed

    async def asked(self, shown: Edit) -> Edit:
        """The question which thing is meant, in place of what is shown."""
        edit = await self.choices.something_else(shown.id, ADA)
        await self.store.things.keep(edit.id, [b"one", b"two"])
        return await self.set(edit, state=State.WAITING_FOR_CHOICE)

    async def refusal(self, press: object) -> str:
        with pytest.raises(PersonError) as refused:
            await press  # type: ignore[misc]
        return refused.value.message_id


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, EditLimits())


async def test_the_question_takes_the_place_of_what_is_shown_and_twice_is_once(desk: Desk) -> None:
    shown = await desk.result()
    first, second = [await desk.choices.something_else(shown.id, ADA) for _ in range(2)]
    assert first.id == second.id
    assert (first.chooses, first.status_message, first.parent, first.has_mask) == (True, 50, shown.id, False)


async def test_each_message_has_its_own_question(desk: Desk) -> None:
    shown = await desk.result()
    asked = await desk.asked(shown)
    chosen = await desk.set(asked, state=State.DONE, mask=b"two", mask_is_matte=True)
    again = await desk.choices.something_else(chosen.id, ADA)
    assert again.id != chosen.id
    assert (again.parent, again.status_message) == (chosen.id, 50)
    assert await desk.store.mask(chosen.id) == (b"two", True), "the result that is shown keeps its mask"


async def test_back_shows_the_result_and_the_question_can_be_asked_again(desk: Desk) -> None:
    shown = await desk.result()
    asked = await desk.asked(shown)
    assert await desk.edits.can_go_back(asked)
    await desk.choices.mark(asked.id, ADA, 2)
    again = await desk.choices.back(asked.id, ADA)
    assert (again.id, again.state) == (shown.id, State.QUEUED)
    await desk.set(shown, state=State.DONE)
    asked_again = await desk.choices.something_else(shown.id, ADA)
    assert (asked_again.id, asked_again.state) == (asked.id, State.QUEUED)
    assert await desk.store.things.marked(asked.id) == {1: False, 2: False}


async def test_a_question_that_came_from_a_question_has_nothing_to_go_back_to(desk: Desk) -> None:
    doubted = await desk.set(await desk.result(), state=State.FAILED, error="doubtful")
    asked = await desk.asked(doubted)
    assert not await desk.edits.can_go_back(asked)
    assert await desk.refusal(desk.choices.back(asked.id, ADA)) == "too-old"


async def test_marks_do_not_survive_a_cancelled_question(desk: Desk) -> None:
    asked = await desk.asked(await desk.result())
    await desk.choices.mark(asked.id, ADA, 2)
    await desk.set(asked, state=State.CANCELLED)
    await desk.edits.retry(asked.id, ADA)
    assert await desk.store.things.marked(asked.id) == {1: False, 2: False}


@pytest.mark.parametrize("numbers", [[3], [0], [1, 9]])
async def test_numbers_that_are_not_there_are_too_old(desk: Desk, numbers: list[int]) -> None:
    asked = await desk.asked(await desk.result())
    assert await desk.refusal(desk.choices.take(asked.id, ADA, numbers)) == "too-old"


async def test_a_choice_that_comes_too_late_or_from_another_person_is_refused(desk: Desk) -> None:
    asked = await desk.asked(await desk.result())
    assert await desk.refusal(desk.choices.take(asked.id, BEN, [1])) == "not-yours"
    assert await desk.refusal(desk.choices.something_else(asked.parent or "", BEN)) == "not-yours"
    await desk.set(asked, state=State.CANCELLED)
    assert await desk.refusal(desk.choices.take(asked.id, ADA, [1])) == "too-old"


async def test_going_back_and_choosing_are_no_further_edits_of_the_day(database: Database) -> None:
    desk = Desk(database, EditLimits(edits_per_day=2))
    shown = await desk.result()
    asked = await desk.asked(shown)
    await desk.result("another photo")
    assert (await desk.choices.take(asked.id, ADA, [1])).state is State.QUEUED
    await desk.set(asked, state=State.WAITING_FOR_CHOICE)
    assert (await desk.choices.back(asked.id, ADA)).state is State.QUEUED


async def test_things_of_an_edit_that_was_deleted_are_not_kept(desk: Desk) -> None:
    shown = await desk.result()
    await desk.store.forget_person(ADA)
    await desk.store.things.keep(shown.id, [b"late"])
    assert await desk.store.things.of(shown.id) == []


async def test_a_painted_copy_is_for_the_newest_edit_that_waits(desk: Desk) -> None:
    cut_out = await desk.edits.submit(
        EditRequest("a", ADA, ADA, 1, Operation.REMOVE_BACKGROUND, PhotoRef("file", "unique"), "en", draft=True)
    )
    options = {"answered": 99, "photo": "unique", "submission": "s"}
    found = await desk.store.correction(ADA, ADA, **options)
    assert found is not None
    assert found.id == cut_out[0].id
    await desk.edits.submit(EditRequest("b", ADA, ADA, 2, Operation.ERASE, PhotoRef("file", "unique"), "en"))
    assert await desk.store.correction(ADA, ADA, **options) is None, "what is painted for it goes, rather than stays"


@pytest.mark.parametrize("size", [(2500, 100), (60, 1900)])
def test_what_is_asked_about_fits_into_a_chat_however_narrow_the_photo(tmp_path: Path, size: tuple[int, int]) -> None:
    source = tmp_path / "narrow.png"
    source.write_bytes(encoded(scene(*size), "PNG"))
    mask = np.zeros(size[::-1], np.uint8)
    mask[: size[1] // 2, : size[0] // 2] = 255
    matte = pixels.small_matte(mask, 2048)
    for data in (
        pixels.numbered(source, [matte], 50, pixels.SHOWN_SIDE),
        pixels.pointed_out(source, matte, 50, pixels.SHOWN_SIDE),
    ):
        width, height = Image.open(io.BytesIO(data)).size
        assert max(width, height) <= 20 * min(width, height), "Bot API, sendPhoto"


def test_what_is_nearly_the_same_is_not_something_else() -> None:
    one, near, other = (np.zeros((90, 120), np.uint8) for _ in range(3))
    one[20:60, 20:80] = near[22:62, 20:80] = other[20:60, 60:110] = 255
    same, shifted, apart = (encode_mask(mask) for mask in (one, near, other))
    assert pixels.are_same(same, shifted)
    assert not pixels.are_same(same, apart)
