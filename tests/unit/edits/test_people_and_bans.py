"""People of the last 30 days, bans, and what /delete_my_data deletes of both."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bot.edits.banning import Banning
from bot.edits.model import DeletionRequest, Operation, PhotoRef, State
from bot.edits.records.announcements import AnnouncementState, Outcome
from bot.edits.records.limits import EditLimits
from bot.edits.records.people import KEEP_SECONDS, WRITE_SECONDS
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.storage.database import Database
from bot.storage.tables import announcement_recipients, announcements, bans, people
from tests.support import seen
from tests.unit.edits.fake_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000_000.0)


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, EditLimits(), clock)


async def rows(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    return await store._database.run(lambda c: [dict(row) for row in c.execute(sa.select(table)).mappings()])


def request(person: int, chat: int, message: int = 1) -> EditRequest:
    return EditRequest(
        f"{chat}:{message}", person, chat, message, Operation.REMOVE_SUBJECT, PhotoRef("file", "unique"), "en"
    )


async def test_a_flood_of_texts_is_no_flood_of_writes(store: Store, clock: Clock) -> None:
    first = clock.now
    await seen(store, 7)
    clock.now += WRITE_SECONDS - 1
    await seen(store, 7)
    assert [row["last_seen"] for row in await rows(store, people)] == [first]
    clock.now += 2
    await seen(store, 7)
    assert [row["last_private"] for row in await rows(store, people)] == [clock.now]


async def test_a_request_in_a_group_is_counted_but_reaches_nobody(store: Store, clock: Clock) -> None:
    await store.add(request(7, -9))
    await store.add(request(-9, -9, 2))
    assert await rows(store, people) == [{"person": 7, "last_seen": clock.now, "last_private": None, "blocked": None}]
    assert await store.announcements.count_people(1, ()) == 0


async def test_a_person_is_forgotten_after_thirty_days_and_on_request(store: Store, clock: Clock) -> None:
    await seen(store, 7)
    await seen(store, 8)
    await store.deletion.delete_person(7, [])
    assert [row["person"] for row in await rows(store, people)] == [8]
    clock.now += KEEP_SECONDS + 1
    assert (await store.deletion.sweep(older_than=0))["people"] == 1
    assert await rows(store, people) == []


async def test_a_person_whose_deletion_is_under_way_is_not_recorded_again(store: Store) -> None:
    deletion = DeletionRequest(7, 7, 3, "en")
    await store.deletion.request(deletion)
    await seen(store, 7)
    assert await rows(store, people) == []
    await store.deletion.finish(deletion)
    store.people.invalidate(7)
    await seen(store, 7)
    assert len(await rows(store, people)) == 1


async def test_an_announcement_reaches_who_may_get_it(store: Store, clock: Clock) -> None:
    await seen(store, 2)
    clock.now += KEEP_SECONDS + 1
    for person in (1, 3, 4, 5, 6):
        await seen(store, person)
    await store.bans.ban(4, None)
    await store.people.note_blocked(5)
    assert await store.announcements.count_people(1, ()) == 2, "3 and 6: not oneself, the old, the banned, the blocked"
    assert await store.announcements.count_people(1, {6, 7}) == 1, "ALLOWED_USERS"


async def test_deleting_removes_from_what_is_being_sent(store: Store) -> None:
    for person in (1, 2, 3):
        await seen(store, person)
    draft = await store.announcements.draft(9, 5, copied=None, text="News", language="en")
    await store.announcements.start(draft.number, 6, ())
    assert await store.announcements.claim(draft.number) == 1
    await store.deletion.delete_person(1, [])
    await store.deletion.delete_person(2, [])
    await store.announcements.record(draft.number, 1, Outcome.SENT)
    assert [row["person"] for row in await rows(store, announcement_recipients)] == [3]
    await store.deletion.delete_person(9, [])
    assert await rows(store, announcements) == []
    assert await store.announcements.claim(draft.number) is None


async def test_a_repeated_command_or_button_is_one_announcement(store: Store) -> None:
    for person in (1, 2):
        await seen(store, person)
    first = await store.announcements.draft(9, 5, copied=None, text="News", language="en")
    assert await store.announcements.draft(9, 5, copied=None, text="News", language="en") == first
    await store.announcements.start(first.number, 6, ())
    assert await store.announcements.claim(first.number) == 1
    await store.announcements.record(first.number, 1, Outcome.SENT)
    again = await store.announcements.start(first.number, 6, ())
    assert again is not None
    assert (again.total, again.sent, again.state) == (2, 1, AnnouncementState.SENDING)
    assert await store.announcements.claim(first.number) == 2
    assert await store.announcements.claim(first.number) is None


async def test_a_claim_of_a_killed_process_is_unclear_and_never_given_again(store: Store, clock: Clock) -> None:
    await seen(store, 1)
    draft = await store.announcements.draft(9, 5, copied=None, text="News", language="en")
    await store.announcements.start(draft.number, 6, ())
    await store.announcements.claim(draft.number)
    assert await store.announcements.count_abandoned(draft.number, alone=False) == 1, "another process may be at it"
    clock.now += 61
    assert await store.announcements.count_abandoned(draft.number, alone=False) == 0
    assert await store.announcements.claim(draft.number) is None
    found = await store.announcements.get(draft.number)
    assert found is not None
    assert (found.unclear, found.done) == (1, 1)


async def test_deleting_ones_data_lifts_no_ban_and_forgets_its_reason(store: Store, clock: Clock) -> None:
    await store.bans.ban(7, "a photo of his neighbour")
    await store.deletion.delete_person(7, [])
    assert await rows(store, bans) == [{"person": 7, "since": clock.now, "reason": None}]
    with pytest.raises(PersonError, match="banned"):
        await store.add(request(7, 7))


async def test_a_ban_stops_edits_that_wait_and_those_of_others_go_on(store: Store) -> None:
    theirs, _ = await store.add(request(7, 7))
    painting, _ = await store.add(request(7, 7, 2), State.WAITING_FOR_MASK)
    others, _ = await store.add(request(8, 8))

    class Edits:
        async def stop(self, edit: Any) -> Any:
            return await store.cancel(edit.id)

    banning = Banning(store, Edits())  # type: ignore[arg-type]
    assert await banning.ban(7, None) == 2
    assert await banning.ban(7, "again") == 0
    states = [(await store.get(edit.id)).state for edit in (theirs, painting, others)]  # type: ignore[union-attr]
    assert states == [State.CANCELLED, State.CANCELLED, State.QUEUED]
    with pytest.raises(PersonError, match="banned"):
        await store.queueing.retry(theirs.id)


async def test_bans_are_read_at_the_start_and_an_admin_is_let_in(store: Store) -> None:
    await store.bans.ban(7, None)
    await store.bans.ban(8, None)
    later = Store(store._database, EditLimits())
    assert not later.bans.is_banned(7)
    await later.bans.load(frozenset({8}))
    assert later.bans.is_banned(7)
    assert not later.bans.is_banned(8)
    assert [ban.person for ban in (await later.bans.listed(5))[0]] == [7]


async def test_a_banned_group_stays_banned_as_a_supergroup(store: Store) -> None:
    await store.bans.ban(-9, "spam")
    await store.chat_moves.follow(-9, -1009)
    await store.bans.load()
    assert store.bans.is_banned(-1009)
