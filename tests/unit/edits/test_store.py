"""The store: requests are recorded once and within the limits, claims, and what is deleted."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.edits.bare_photos import BarePhoto
from bot.edits.model import EditCommand, Operation, PhotoRef, State
from bot.edits.records.claims import Claim, ClaimOutcome
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.storage.database import Database
from bot.storage.migrations import VERSION_TABLE
from bot.storage.tables import metadata
from tests.unit.edits.fake_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000.0)


@pytest.fixture
def store(database: Database, clock: Clock) -> Store:
    return Store(database, EditLimits(pending_per_person=3, edits_per_day=5, pending=6), clock)


def request(
    message: int = 1, person: int = 7, operation: Operation = Operation.REMOVE_SUBJECT, **more: object
) -> EditRequest:
    photo = PhotoRef("file", "unique")
    key = f"{person}:{message}:{operation}"
    return EditRequest(key, person, person, message, operation, photo, "en", **more)


async def test_a_repeated_request_is_one_edit(store: Store) -> None:
    first, new = await store.add(request())
    again, new_again = await store.add(request())
    assert (new, new_again) == (True, False)
    assert again.id == first.id


async def test_concurrent_repeats_of_a_request_are_one_edit(store: Store) -> None:
    added = await asyncio.gather(*(store.add(request()) for _ in range(20)))
    assert len({edit.id for edit, _ in added}) == 1
    assert sum(new for _, new in added) == 1


async def test_ids_cannot_be_guessed_from_one_another(store: Store) -> None:
    ids = [(await store.add(request(message, person=message)))[0].id for message in range(1, 5)]
    assert len(set(ids)) == 4
    assert all(len(edit_id) >= 22 for edit_id in ids)


async def test_a_persons_pending_edits_are_limited(store: Store) -> None:
    for message in range(3):
        await store.add(request(message))
    with pytest.raises(PersonError) as refused:
        await store.add(request(4))
    assert refused.value.message_id == "too-many-pending"
    assert refused.value.facts == {"limit": 3}
    await store.add(request(4, person=8))


async def test_concurrent_requests_do_not_exceed_the_limit(store: Store) -> None:
    added = await asyncio.gather(*(store.add(request(message)) for message in range(20)), return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in added) == 3


async def test_a_finished_edit_makes_room_until_the_daily_limit(store: Store, clock: Clock) -> None:
    for message in range(5):
        edit, _ = await store.add(request(message))
        await store.change(edit.id, state=State.DONE)
    with pytest.raises(PersonError) as refused:
        await store.add(request(9))
    assert refused.value.message_id == "too-many-today"
    clock.now += 86_401
    await store.add(request(9))


async def test_the_pending_edits_of_all_people_are_limited(store: Store) -> None:
    for person in range(6):
        await store.add(request(person=person))
    with pytest.raises(PersonError) as refused:
        await store.add(request(person=99))
    assert refused.value.message_id == "busy"
    assert refused.value.facts == {"waiting": 6}


async def test_the_position_counts_the_edits_ahead(store: Store) -> None:
    edits = [(await store.add(request(person=person)))[0] for person in range(4)]
    assert [(await store.place(edit)).ahead for edit in edits] == [0, 1, 2, 3]
    await store.change(edits[0].id, state=State.DONE)
    assert [(await store.place(edit)).ahead for edit in edits[1:]] == [0, 1, 2]


async def test_one_process_gets_the_claim_of_a_status_message(store: Store, clock: Clock) -> None:
    edit, _ = await store.add(request())
    void = clock.now - 15
    claims = await asyncio.gather(*(store.claims.claim(edit, expired_before=void, after=9) for _ in range(5)))
    assert sorted(got.outcome.name for got in claims) == ["FRESH", "REFUSED", "REFUSED", "REFUSED", "REFUSED"]


async def test_an_expired_claim_is_taken_over(store: Store, clock: Clock) -> None:
    edit, _ = await store.add(request())
    assert await store.claims.claim(edit, expired_before=clock.now - 15, after=9) == Claim(ClaimOutcome.FRESH, 9)
    clock.now += 20
    again = await store.claims.claim(edit, expired_before=clock.now - 15, after=50)
    assert again == Claim(ClaimOutcome.TAKEN_OVER, 9), "what the first may have posted lies above what it knew"


async def test_a_renewed_claim_holds_and_an_expired_one_does_not(store: Store, clock: Clock) -> None:
    edit, _ = await store.add(request())
    await store.claims.claim(edit, expired_before=clock.now - 15, after=9)
    clock.now += 20
    await store.claims.renew(edit)
    assert (await store.claims.claim(edit, expired_before=clock.now - 15, after=50)).outcome is ClaimOutcome.REFUSED
    await store.claims.expire(edit)
    assert await store.claims.claim(edit, expired_before=clock.now - 15, after=50) == Claim(ClaimOutcome.TAKEN_OVER, 9)


async def test_a_posted_status_message_is_never_claimed_again(store: Store, clock: Clock) -> None:
    edit, _ = await store.add(request())
    await store.change(edit.id, status_message=5)
    assert (await store.claims.claim(edit, expired_before=clock.now + 100, after=9)).outcome is ClaimOutcome.REFUSED


async def test_a_failed_edit_can_be_queued_again_and_a_done_one_cannot(store: Store) -> None:
    edit, _ = await store.add(request())
    await store.change(edit.id, state=State.FAILED, error="took-too-long")
    (queued,) = (await store.queueing.retry(edit.id)).edits
    assert (queued.state, queued.error) == (State.QUEUED, None)
    again = await store.get(edit.id)
    assert again is not None
    assert (again.number, again.attempt) == (1, 2)
    await store.change(edit.id, state=State.DONE)
    assert (await store.queueing.retry(edit.id)).edits == []


async def test_an_edit_is_cancelled_until_it_is_being_delivered(store: Store) -> None:
    edit, _ = await store.add(request())
    await store.begin(edit.id)
    await store.change(edit.id, stage="delivering")
    assert await store.cancel(edit.id) is None
    other, _ = await store.add(request(2))
    cancelled = await store.cancel(other.id)
    assert cancelled is not None
    assert cancelled.state is State.CANCELLED
    assert await store.begin(other.id) is None


async def test_a_change_for_one_state_leaves_edits_in_other_states(store: Store) -> None:
    edit, _ = await store.add(request())
    await store.cancel(edit.id)
    assert await store.change(edit.id, only=(State.RUNNING,), stage="delivering") is None


async def test_a_pending_command_expires(store: Store, clock: Clock) -> None:
    await store.pending_commands.remember(1, "person:7", EditCommand(Operation.ERASE), seconds=600)
    assert await store.pending_commands.find(1, "person:7") == EditCommand(Operation.ERASE)
    assert await store.pending_commands.find(2, "person:7") is None
    clock.now += 601
    assert await store.pending_commands.find(1, "person:7") is None


async def test_a_later_command_replaces_an_earlier_one(store: Store) -> None:
    await store.pending_commands.remember(1, "person:7", EditCommand(Operation.ERASE), seconds=600)
    await store.pending_commands.remember(1, "person:7", EditCommand(Operation.REMOVE_SUBJECT), seconds=600)
    assert await store.pending_commands.find(1, "person:7") == EditCommand(Operation.REMOVE_SUBJECT)


async def test_a_photo_gets_its_command_again_and_no_other_photo_does(store: Store, clock: Clock) -> None:
    erase = EditCommand(Operation.ERASE)
    await store.pending_commands.remember_for_person(1, 7, erase)
    assert await store.pending_commands.take(1, 7, 30, None) == erase
    assert await store.pending_commands.take(1, 7, 31, None) is None
    clock.now += 3600
    assert await store.pending_commands.take(1, 7, 30, None) == erase, "the update is repeated after an hour's outage"


async def test_a_command_applies_to_every_photo_of_an_album(store: Store) -> None:
    erase = EditCommand(Operation.ERASE)
    await store.pending_commands.remember_for_person(1, 7, erase)
    assert [await store.pending_commands.take(1, 7, number, "a") for number in (30, 31, 30)] == [erase] * 3
    assert await store.pending_commands.take(1, 7, 32, "b") is None


async def test_a_taken_command_is_deleted_with_its_person(store: Store) -> None:
    await store.pending_commands.remember_for_person(-100, 7, EditCommand(Operation.ERASE))
    await store.pending_commands.take(-100, 7, 30, None)
    await store.deletion.delete_person(7, [])
    assert await store.pending_commands.take(-100, 7, 30, None) is None


async def test_a_message_gets_one_offer(store: Store) -> None:
    offers = await asyncio.gather(*(store.offers.add(BarePhoto(7, 7, 3, PhotoRef("f", "u"), "zh")) for _ in range(5)))
    assert len({offer.id for offer in offers}) == 1


async def test_the_sweeper_deletes_old_finished_edits_and_a_dry_run_deletes_nothing(store: Store, clock: Clock) -> None:
    done, _ = await store.add(request(1))
    await store.change(done.id, state=State.DONE)
    running, _ = await store.add(request(2))
    await store.begin(running.id)
    await store.offers.add(BarePhoto(7, 7, 3, PhotoRef("f", "u"), "en"))
    clock.now += 100_000
    young, _ = await store.add(request(4, person=8))
    would = await store.deletion.sweep(older_than=clock.now - 86_400, dry_run=True)
    assert would == {"edits": 1, "offers": 1, "pending_commands": 0, "people": 0}
    assert await store.get(done.id) is not None
    assert await store.deletion.sweep(older_than=clock.now - 86_400) == would
    assert await store.get(done.id) is None
    assert await store.get(running.id) is not None
    assert await store.get(young.id) is not None


async def test_deleting_a_person_leaves_other_people(store: Store) -> None:
    mine, _ = await store.add(request(1))
    await store.change(mine.id, state=State.DONE, mask=b"x")
    other, _ = await store.add(request(1, person=8))
    await store.change(other.id, state=State.DONE)
    ended = await store.deletion.ended_of(7)
    assert [edit.id for edit in ended] == [mine.id]
    assert await store.deletion.delete_person(7, ended) == 0
    assert await store.get(mine.id) is None
    assert await store.get(other.id) is not None


async def test_all_migrations_together_give_the_tables_of_the_code(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        def ours(thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
            return not (kind == "table" and name == VERSION_TABLE)

        options = {"include_object": ours, "compare_type": True, "compare_server_default": False}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    found = [d for d in await database.run(differences) if "comment" not in str(d)]
    assert found == []


async def test_starting_twice_changes_nothing(database: Database, store: Store) -> None:
    edit, _ = await store.add(request())
    await database.start()
    assert await store.get(edit.id) is not None
