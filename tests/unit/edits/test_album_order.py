"""Albums with a command: which photo has its turn, which is stopped with another, and which comes back with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.edits.model import AlbumPlace, Edit, Operation, PhotoRef, State
from bot.edits.ports import LostMessageSearch
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.steps import EditSteps
from bot.errors import WorldError
from bot.storage.database import Database

LIMIT = 4


class Courier:
    """Posts once it is allowed to."""

    def __init__(self) -> None:
        self.free, self.begun = asyncio.Event(), asyncio.Event()
        self.posted: list[int] = []
        self.places: list[AlbumPlace | None] = []
        self.stopped: list[int | None] = []

    def highest(self, edit: Edit) -> int:
        return edit.message

    async def post_status(
        self, edit: Edit, *, album: AlbumPlace | None, lost: LostMessageSearch | None, **_: Any
    ) -> int:
        self.begun.set()
        await self.free.wait()
        self.posted.append(edit.message)
        self.places.append(album)
        return 100 + edit.message

    async def show_cancelled(self, edit: Edit) -> None:
        self.stopped.append(edit.status_message)

    async def show_failure(self, *_: object, **__: object) -> None:
        return None


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database, EditLimits(pending_per_person=LIMIT))


@pytest.fixture
def courier() -> Courier:
    return Courier()


async def add(store: Store, message: int, *, album: str | None = "album", chat: int = 7, **changes: Any) -> Edit:
    values: dict[str, Any] = {"operation": Operation.REMOVE_SUBJECT, "album": album, **changes}
    request = EditRequest(f"{chat}:{message}", 7, chat, message, photo=PhotoRef("f", "u"), language="en", **values)
    return (await store.add(request, State.WAITING_FOR_MASK if request.waits_for_mask else State.QUEUED))[0]


async def now(store: Store, edit: Edit) -> Edit:
    current = await store.get(edit.id)
    assert current is not None
    return current


async def silent(store: Store, *found: Edit) -> list[bool]:
    return [await store.album_order.waits_silently(await now(store, edit)) for edit in found]


async def unannounced(store: Store) -> list[int]:
    return [edit.message for edit in await store.unannounced(expired_before=0.0)]


async def test_the_first_photo_that_has_not_ended_has_its_turn(store: Store) -> None:
    photos = [await add(store, message) for message in (1, 2, 3)]
    assert await silent(store, *photos) == [False, True, True]
    assert await unannounced(store) == [1]
    await store.change(photos[0].id, status_message=101)
    await store.begin(photos[0].id)
    assert await store.album_order.next_after(photos[0]) is None, "it runs"
    assert await unannounced(store) == []
    await store.fail(photos[0].id, "took-too-long")
    following = await store.album_order.next_after(photos[0])
    assert following is not None
    assert following.id == photos[1].id
    assert await silent(store, *photos[1:]) == [False, True]
    assert await unannounced(store) == [2]


async def test_photos_of_other_albums_and_chats_and_alone_do_not_wait(store: Store) -> None:
    await add(store, 1)
    others = [await add(store, 2, album="other"), await add(store, 1, chat=-9), await add(store, 3, album=None)]
    assert await silent(store, *others) == [False] * 3
    assert [await store.album_order.place(edit) for edit in others] == [None] * 3


async def test_photos_to_paint_on_and_photos_that_are_counted_elsewhere_are_left_as_they_are(store: Store) -> None:
    painted = [await add(store, message, operation=Operation.ERASE) for message in (1, 2)]
    assert [edit.album for edit in painted] == [None, None]
    assert await unannounced(store) == [1, 2]
    counted = [await add(store, message, album="asked", album_status=50) for message in (3, 4)]
    assert [await store.album_order.place(edit) for edit in counted] == [None, None]
    await store.fail(counted[0].id, "took-too-long")
    assert await store.album_order.next_after(counted[0]) is None
    assert [edit.message for edit in await store.album_order.cancel(counted[1].id)] == [4]


async def test_the_place_counts_what_is_recorded_so_far(store: Store) -> None:
    first = await add(store, 1)
    assert await store.album_order.place(first) is None
    second = await add(store, 2)
    assert await store.album_order.place(first) == AlbumPlace(1, 2)
    await store.fail(first.id, "took-too-long")
    assert await store.album_order.place(second) == AlbumPlace(2, 2)


async def test_a_photo_is_cancelled_with_the_silent_ones_behind_it_and_queued_again_with_them(store: Store) -> None:
    before, pressed, behind, last = [await add(store, message) for message in (1, 2, 3, 4)]
    await store.fail(before.id, "took-too-long")
    await store.change(pressed.id, status_message=102)
    await store.begin(pressed.id)
    assert [edit.message for edit in await store.album_order.cancel(pressed.id)] == [2, 3, 4]
    assert await store.album_order.cancel(pressed.id) == [], "it has ended"
    others = [await add(store, message, album=None) for message in (11, 12)]  # room for two of the three is left
    again = await store.queueing.retry(pressed.id)
    assert [edit.message for edit in again.edits] == [2, 3]
    assert again.refusal is not None
    assert again.refusal.message_id == "too-many-pending"
    assert (await now(store, last)).state is State.CANCELLED
    assert await silent(store, behind) == [True]
    assert len(others) + len(again.edits) == LIMIT


async def test_a_photo_that_is_tried_again_does_not_stop_those_behind_another_one(store: Store) -> None:
    first, second, third = [await add(store, message) for message in (1, 2, 3)]
    await store.change(first.id, status_message=101)
    await store.fail(first.id, "took-too-long")
    await store.change(second.id, status_message=102)
    await store.begin(second.id)
    await store.queueing.retry(first.id)
    assert [edit.message for edit in await store.album_order.cancel(first.id)] == [1]
    assert (await now(store, third)).state is State.QUEUED
    assert [edit.message for edit in await store.album_order.cancel(second.id)] == [2, 3]
    assert await store.album_order.cancelled_with(await now(store, first)) == []
    assert [edit.message for edit in await store.album_order.cancelled_with(await now(store, second))] == [3]
    assert [edit.message for edit in (await store.queueing.retry(first.id)).edits] == [1]
    assert [edit.message for edit in (await store.queueing.retry(second.id)).edits] == [2, 3]


async def test_a_failed_photo_is_tried_again_alone(store: Store) -> None:
    first, second, third = [await add(store, message) for message in (1, 2, 3)]
    await store.fail(first.id, "took-too-long")
    await store.change(second.id, status_message=102)
    assert len(await store.album_order.cancel(second.id)) == 2
    assert [edit.message for edit in (await store.queueing.retry(first.id)).edits] == [1]
    assert (await now(store, third)).state is State.CANCELLED


async def test_a_photo_that_is_being_delivered_is_not_cancelled_and_neither_are_those_behind_it(store: Store) -> None:
    first, second = [await add(store, message) for message in (1, 2)]
    await store.begin(first.id)
    await store.change(first.id, stage="delivering")
    assert await store.album_order.cancel(first.id) == []
    assert (await now(store, second)).state is State.QUEUED


async def test_the_next_photo_is_announced_with_its_place(store: Store, courier: Courier) -> None:
    first, _second, _third = [await add(store, message) for message in (1, 2, 3)]
    courier.free.set()
    announcer = Announcer(store, courier, alone=True)  # type: ignore[arg-type]
    await store.fail(first.id, "took-too-long")
    for _ in range(2):  # the step may be repeated
        await announcer.announce_next(first)
    assert (courier.posted, courier.places) == ([2], [AlbumPlace(2, 3)])


@pytest.mark.parametrize("fails", [False, True])
async def test_the_end_of_a_photo_announces_the_next(store: Store, courier: Courier, fails: bool) -> None:
    first, _second, _third = [await add(store, message) for message in (1, 2, 3)]
    courier.free.set()
    unused: Any = None
    announcer = Announcer(store, courier, alone=True)  # type: ignore[arg-type]
    steps = EditSteps(store=store, editor=unused, courier=courier, announcer=announcer, files=unused)  # type: ignore[arg-type]
    await store.change(first.id, status_message=101)
    await store.begin(first.id)
    if fails:
        await steps.fail(first.id, WorldError("took-too-long"))
    else:
        await steps.finish(first.id, PhotoRef("result", "result"))
    assert courier.posted == [2]


async def test_a_photo_that_is_cancelled_while_its_message_is_posted_says_so_in_it(
    store: Store, courier: Courier
) -> None:
    first, second = [await add(store, message) for message in (1, 2)]
    announcer = Announcer(store, courier, alone=True)  # type: ignore[arg-type]
    await store.fail(first.id, "took-too-long")
    posting = asyncio.create_task(announcer.announce_next(first))
    await courier.begun.wait()
    assert await store.album_order.cancel(second.id)
    courier.free.set()
    await posting
    assert (courier.posted, courier.stopped) == ([2], [102])


async def test_a_cancelled_photo_gets_no_message(store: Store, courier: Courier) -> None:
    first = await add(store, 1)
    await store.cancel(first.id)
    courier.free.set()
    await Announcer(store, courier, alone=True).announce(first)  # type: ignore[arg-type]
    assert courier.posted == []
