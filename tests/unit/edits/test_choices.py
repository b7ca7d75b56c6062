"""Choosing something else after a wrong find, and which choices are refused."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.edits.choices import Choices
from bot.edits.model import Edit, Operation, PhotoRef, State, StoredMask
from bot.edits.pictures import chat_pictures, pixels
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.service import Edits
from bot.edits.shown_results import ShownResults
from bot.edits.workflow.announcer import Announcer
from bot.errors import PersonError
from bot.imaging.encoding import encode_mask
from bot.storage.database import Database
from tests.support import encoded, scene
from tests.unit.edits.canvas_world import FakeCourier, FakeQueue

ADA, BEN = 7, 8


class World:
    """The choices, and edits of one photo."""

    def __init__(self, database: Database, bounds: EditLimits) -> None:
        self.store = Store(database, bounds)
        courier = FakeCourier()
        self.edits = Edits(self.store, FakeQueue(), courier, Announcer(self.store, courier, alone=True))
        self.choices = Choices(self.store, self.edits, ShownResults(self.store, self.edits, courier), courier)

    async def result(self, key: str = "photo", **values: object) -> Edit:
        """A finished edit, shown in message 50."""
        photo = PhotoRef("file", "unique")
        edit, _ = await self.edits.submit(EditRequest(key, ADA, ADA, 1, Operation.REMOVE_SUBJECT, photo, "en"))
        picture = {"result_file_id": "result", "result_unique_id": "ru", "result_as_file": False}
        shown = {"mask": b"first", "mask_is_matte": True, "status_message": 50}
        return await self.set(edit, state=State.DONE, **picture, **shown, **values)

    async def set(self, edit: Edit, **values: object) -> Edit:
        changed = await self.store.change(edit.id, **values)
        assert changed is not None
        return changed

    async def ask(self, shown: Edit) -> Edit:
        """Ask which object is meant, in place of what is shown."""
        edit = await self.choices.something_else(shown.id, ADA)
        await self.store.objects.replace(edit.id, [b"one", b"two"])
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
def world(database: Database) -> World:
    return World(database, EditLimits())


async def test_the_question_replaces_the_result_and_a_second_press_changes_nothing(world: World) -> None:
    shown = await world.result()
    first, second = [await world.choices.something_else(shown.id, ADA) for _ in range(2)]
    assert first.id == second.id
    assert (first.chooses, first.status_message, first.parent, first.has_mask) == (True, 50, shown.id, False)


async def test_each_message_has_its_own_question(world: World) -> None:
    shown = await world.result()
    asked = await world.ask(shown)
    chosen = await world.set(asked, state=State.DONE, mask=b"two", mask_is_matte=True)
    again = await world.choices.something_else(chosen.id, ADA)
    assert again.id != chosen.id
    assert (again.parent, again.status_message) == (chosen.id, 50)
    assert await world.store.mask(chosen.id) == StoredMask(b"two", is_matte=True), (
        "the result that is shown keeps its mask"
    )


async def test_going_back_shows_the_result_and_the_question_can_be_asked_again(world: World) -> None:
    shown = await world.result()
    asked = await world.ask(shown)
    assert await world.edits.can_go_back(asked)
    await world.choices.mark(asked.id, ADA, 2)
    again = await world.choices.go_back(asked.id, ADA)
    assert (again.id, again.state) == (shown.id, State.DONE), "nothing is made again"
    asked_again = await world.choices.something_else(shown.id, ADA)
    assert (asked_again.id, asked_again.state) == (asked.id, State.QUEUED)
    assert await world.store.objects.marked(asked.id) == {1: False, 2: False}


async def test_a_question_after_a_question_offers_no_way_back(world: World) -> None:
    doubted = await world.set(await world.result(), state=State.FAILED, error="doubtful", result_file_id=None)
    asked = await world.ask(doubted)
    assert not await world.edits.can_go_back(asked)
    assert await world.refusal(world.choices.go_back(asked.id, ADA)) == "too-old"


async def test_marks_do_not_survive_a_cancelled_question(world: World) -> None:
    asked = await world.ask(await world.result())
    await world.choices.mark(asked.id, ADA, 2)
    await world.set(asked, state=State.CANCELLED)
    await world.edits.retry(asked.id, ADA)
    assert await world.store.objects.marked(asked.id) == {1: False, 2: False}


@pytest.mark.parametrize("numbers", [[3], [0], [1, 9]])
async def test_unknown_numbers_are_refused(world: World, numbers: list[int]) -> None:
    asked = await world.ask(await world.result())
    assert await world.refusal(world.choices.choose(asked.id, ADA, numbers)) == "too-old"


async def test_a_late_choice_or_one_of_another_person_is_refused(world: World) -> None:
    asked = await world.ask(await world.result())
    assert await world.refusal(world.choices.choose(asked.id, BEN, [1])) == "not-yours"
    assert await world.refusal(world.choices.something_else(asked.parent or "", BEN)) == "not-yours"
    await world.set(asked, state=State.CANCELLED)
    assert await world.refusal(world.choices.choose(asked.id, ADA, [1])) == "too-old"


async def test_going_back_and_choosing_do_not_count_as_further_edits_of_the_day(database: Database) -> None:
    world = World(database, EditLimits(edits_per_day=2))
    shown = await world.result()
    asked = await world.ask(shown)
    await world.result("another photo")
    assert (await world.choices.choose(asked.id, ADA, [1])).state is State.QUEUED
    await world.set(asked, state=State.WAITING_FOR_CHOICE)
    assert (await world.choices.go_back(asked.id, ADA)).id == shown.id


async def test_objects_of_a_deleted_edit_are_not_stored(world: World) -> None:
    shown = await world.result()
    await world.store.deletion.delete_person(ADA, await world.store.deletion.ended_of(ADA))
    await world.store.objects.replace(shown.id, [b"late"])
    assert await world.store.objects.of(shown.id) == []


async def test_a_painted_copy_belongs_to_the_newest_waiting_edit(world: World) -> None:
    cut_out = await world.edits.submit(
        EditRequest("a", ADA, ADA, 1, Operation.REMOVE_BACKGROUND, PhotoRef("file", "unique"), "en", draft=True)
    )
    options = {"replied_to": 99, "photo": "unique", "submission": "s"}
    found = await world.store.correction_for(ADA, ADA, **options)
    assert found is not None
    assert found.id == cut_out[0].id
    await world.edits.submit(EditRequest("b", ADA, ADA, 2, Operation.ERASE, PhotoRef("file", "unique"), "en"))
    assert await world.store.correction_for(ADA, ADA, **options) is None, "the paint marks what is erased"


@pytest.mark.parametrize("size", [(2500, 100), (60, 1900)])
def test_pictures_of_questions_fit_telegrams_ratio(tmp_path: Path, size: tuple[int, int]) -> None:
    source = tmp_path / "narrow.png"
    source.write_bytes(encoded(scene(*size), "PNG"))
    mask = np.zeros(size[::-1], np.uint8)
    mask[: size[1] // 2, : size[0] // 2] = 255
    matte = pixels.matte_to_png(mask, 2048)
    for data in (
        chat_pictures.number_objects(source, [matte], 50, chat_pictures.CHAT_SIDE),
        chat_pictures.highlight_subject(source, matte, 50, chat_pictures.CHAT_SIDE),
    ):
        width, height = Image.open(io.BytesIO(data)).size
        assert max(width, height) <= 20 * min(width, height), "Bot API, sendPhoto"


def test_nearly_equal_mattes_count_as_the_same_object() -> None:
    one, near, other = (np.zeros((90, 120), np.uint8) for _ in range(3))
    one[20:60, 20:80] = near[22:62, 20:80] = other[20:60, 60:110] = 255
    same, shifted, apart = (encode_mask(mask) for mask in (one, near, other))
    assert pixels.are_same(same, shifted)
    assert not pixels.are_same(same, apart)
