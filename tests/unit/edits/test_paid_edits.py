"""Paid edits beside the day's free ones: what is used first, what is given back, what a refund takes."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.edits.model import Edit, Operation, PhotoRef
from bot.edits.records.limits import EditLimits
from bot.edits.records.payments import INVOICE_SECONDS, MAX_INVOICES, Charge
from bot.edits.records.store import Store
from bot.edits.records.support_requests import MAX_A_DAY, MAX_UNSENT
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.packs import Pack
from bot.storage.database import Database

ADA, BEN = 7, 8
PACK = Pack(2, 25)
DAY = 86_400.0


class World:
    """A store with one free edit a day, whose clock a test can set."""

    def __init__(self, database: Database) -> None:
        self.now = 1_000_000.0
        self.store = Store(database, EditLimits(pending_per_person=50, edits_per_day=1), lambda: self.now)
        self.payments = self.store.payments
        self._numbers = itertools.count(1)

    async def start(self, person: int = ADA) -> Edit:
        number = next(self._numbers)
        photo = PhotoRef("file", "unique")
        request = EditRequest(f"{number}", person, person, number, Operation.REMOVE_SUBJECT, photo, "en")
        return (await self.store.add(request))[0]

    async def buy(self, person: int = ADA) -> str:
        """Buy a pack; the charge's id."""
        invoice = f"invoice-{next(self._numbers)}"
        await self.payments.open_invoice(invoice, person, PACK)
        await self.payments.record(charge := charge_of(invoice, person))
        return charge.id

    async def balance(self, person: int = ADA) -> int:
        return await self.payments.balance(person)


def charge_of(invoice: str, person: int = ADA, amount: int = 25, currency: str = "XTR") -> Charge:
    return Charge(f"charge of {invoice}", person, invoice, amount, currency, "en")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield World(database)
    await database.close()


async def test_free_ones_are_used_first_then_paid_ones_then_none(world: World) -> None:
    await world.buy()
    balances = []
    for _ in range(3):
        await world.start()
        balances.append(await world.balance())
    assert balances == [2, 1, 0]
    with pytest.raises(PersonError, match="too-many-today"):
        await world.start()


async def test_paid_ones_do_not_expire_and_do_not_count_for_the_next_day(world: World) -> None:
    await world.buy()
    await world.start()
    await world.start()
    world.now += DAY + 1
    await world.start()
    assert await world.balance() == 1, "the next day has its free one again"


async def test_what_fails_gives_back_what_it_took(world: World) -> None:
    await world.buy()
    free, paid = await world.start(), await world.start()
    await world.store.fail(paid.id, "took-too-long")
    await world.store.fail(paid.id, "took-too-long")
    assert await world.balance() == 2, "once"
    await world.store.fail(free.id, "took-too-long")
    assert await world.balance() == 2, "the free one came back as a free one"
    await world.start()
    assert await world.balance() == 2


async def test_a_paid_one_is_given_back_after_days_in_the_queue(world: World) -> None:
    await world.buy()
    await world.start()
    paid = await world.start()
    world.now += 3 * DAY
    await world.store.deletion.sweep(older_than=world.now - DAY)
    await world.store.fail(paid.id, "took-too-long")
    assert await world.balance() == 2


async def test_a_paid_edit_of_another_person_is_not_used(world: World) -> None:
    await world.buy(BEN)
    await world.start()
    with pytest.raises(PersonError, match="too-many-today"):
        await world.start()
    assert await world.balance(BEN) == 2


async def test_a_refund_takes_what_is_left_of_that_payment_only(world: World) -> None:
    first, _second = await world.buy(), await world.buy()
    await world.start()
    running = await world.start()
    assert await world.balance() == 3
    before = await world.payments.begin_refund(first)
    assert before is not None
    assert before.unused == 1
    assert await world.balance() == 2, "locked while it is not known how the refund ends"
    await world.store.fail(running.id, "took-too-long")
    ended = await world.payments.end_refund(first)
    assert ended is not None
    assert ended.unused == 2, "the one that came back in between is taken back, too"
    assert await world.balance() == 2
    again = await world.payments.begin_refund(first)
    assert again is not None
    assert again.refunded is not None
    assert again.refunding is None


async def test_what_was_taken_from_a_refunded_payment_does_not_come_back(world: World) -> None:
    charge = await world.buy()
    await world.start()
    running = await world.start()
    await world.payments.begin_refund(charge)
    await world.payments.end_refund(charge)
    await world.store.fail(running.id, "took-too-long")
    assert await world.balance() == 0


async def test_a_refund_that_is_not_made_unlocks_the_edits(world: World) -> None:
    charge = await world.buy()
    await world.payments.begin_refund(charge)
    await world.payments.drop_refund(charge)
    assert await world.balance() == 2


async def test_an_invoice_is_approved_for_one_query_and_a_repeat_of_it(world: World) -> None:
    await world.payments.open_invoice("invoice", ADA, PACK)
    charge = charge_of("invoice")
    await world.payments.approve("first", charge, [PACK])
    await world.payments.approve("first", charge, [PACK])
    with pytest.raises(PersonError, match="invoice-used"):
        await world.payments.approve("second", charge, [PACK])


@pytest.mark.parametrize(
    ("charge", "packs", "error"),
    [
        (charge_of("another"), [PACK], "invoice-too-old"),
        (charge_of("invoice", BEN), [PACK], "not-yours"),
        (charge_of("invoice", amount=24), [PACK], "invoice-changed"),
        (charge_of("invoice", currency="USD"), [PACK], "invoice-changed"),
        (charge_of("invoice"), [Pack(3, 25)], "invoice-changed"),
        (charge_of("invoice"), [], "invoice-changed"),
    ],
)
async def test_what_does_not_fit_is_not_approved(world: World, charge: Charge, packs: list[Pack], error: str) -> None:
    await world.payments.open_invoice("invoice", ADA, PACK)
    with pytest.raises(PersonError, match=error):
        await world.payments.approve("query", charge, packs)


async def test_invoices_get_old_and_are_bounded(world: World) -> None:
    await world.payments.open_invoice("first", ADA, PACK)
    for number in range(MAX_INVOICES):
        world.now += 1
        await world.payments.open_invoice(f"{number}", ADA, PACK)
    with pytest.raises(PersonError, match="invoice-too-old"):
        await world.payments.approve("query", charge_of("first"), [PACK])
    world.now += INVOICE_SECONDS + 1
    with pytest.raises(PersonError, match="invoice-too-old"):
        await world.payments.approve("query", charge_of("0"), [PACK])


async def test_an_invoice_that_is_being_paid_outlives_the_deletion_of_a_persons_data(world: World) -> None:
    await world.payments.open_invoice("asked", ADA, PACK)
    await world.payments.open_invoice("paid", ADA, PACK)
    await world.payments.approve("query", charge_of("paid"), [PACK])
    await world.store.deletion.delete_person(ADA, [])
    assert (await world.payments.record(charge_of("paid")))[0].mismatch is None
    assert (await world.payments.record(charge_of("asked")))[0].mismatch == "unknown-invoice"
    await world.store.deletion.delete_person(ADA, [])
    assert await world.balance() == 2


async def test_earned_stars_leave_out_what_was_refunded(world: World) -> None:
    await world.buy()
    await world.payments.end_refund(await world.buy(BEN))
    world.now += 8 * DAY
    await world.buy(BEN)
    assert await world.payments.earned() == (25, 25, 50)


async def test_questions_are_counted_per_day_whatever_is_deleted(world: World) -> None:
    support = world.store.support_requests
    for message in range(MAX_A_DAY):
        await support.add(ADA, message, f"question {message}")
        await support.add(ADA, message, "again")
    assert [request.text for request in await support.unsent(10)] == ["question 0", "question 1", "question 2"]
    await world.store.deletion.delete_person(ADA, [])
    assert await support.unsent(10) == []
    with pytest.raises(PersonError, match="support-too-many"):
        await support.add(ADA, 99, "one more")
    world.now += DAY + 1
    await support.add(ADA, 100, "the next day")


async def test_questions_that_wait_are_bounded(world: World) -> None:
    support = world.store.support_requests
    for person in range(MAX_UNSENT):
        await support.add(1000 + person, 1, "question")
    with pytest.raises(PersonError, match="support-busy"):
        await support.add(ADA, 1, "question")
    (first,) = await support.unsent(1)
    await support.record_sent(first.number)
    await support.add(ADA, 1, "question")
