"""Payments in Telegram Stars: the invoices that were sent, what was paid, what was refunded.

An invoice is approved for one pre-checkout query only, so pressing "Pay" twice cannot charge twice. A payment is
recorded once for each charge id, in the transaction that gives its edits; the edits of a payment are in its row
(`paid_edits`). Payments are never deleted: they are needed for refunds and accounts
(docs/decisions.md#payments-outlive-delete_my_data).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.edits.records import bans, paid_edits
from bot.edits.records.rows import upsert
from bot.edits.records.statistics import DAY, WINDOWS, Windows
from bot.errors import PersonError
from bot.packs import Pack
from bot.storage.database import Database, LockSpace
from bot.storage.tables import invoices, payments

STARS = "XTR"
"""Telegram's currency code of Stars."""

INVOICE_SECONDS = 3 * 86_400.0
"""How long an invoice can be paid."""

MAX_INVOICES = 50
"""Unpaid invoices of one person; beyond them the oldest are deleted."""

UNKNOWN, OTHER_PERSON, OTHER_AMOUNT = "unknown-invoice", "other-person", "other-amount"
"""Why a payment gave no edits: it has no invoice, or does not match it."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What Telegram says about a payment.

    Attributes:
        id: telegram_payment_charge_id, by which it can be refunded.
        person: Telegram user id of who paid.
        payload: The invoice's id.
        amount: In the currency.
        currency: ``XTR``.
        language: The person's.
    """

    id: str
    person: int
    payload: str
    amount: int
    currency: str
    language: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A recorded payment. Times are seconds since the epoch.

    Attributes:
        number: Rises with time.
        charge: Telegram's id of it.
        person: Who paid.
        stars: How much, in the currency.
        currency: ``XTR``.
        edits: How many edits it gave.
        unused: How many of them are left.
        mismatch: Why it gave none; None: it matches its invoice.
        language: The person's.
        at: When.
        notified: When the person was notified.
        refunding: When a refund began whose outcome may be unknown.
        refunded: When it was refunded.
    """

    number: int
    charge: str
    person: int
    stars: int
    currency: str
    edits: int
    unused: int
    mismatch: str | None
    language: str
    at: float
    notified: float | None
    refunding: float | None
    refunded: float | None


class Payments:
    """The invoices and payments.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    # ── paying ──

    async def open_invoice(self, invoice: str, person: int, pack: Pack) -> None:
        """Record an invoice that is about to be sent; a repeat changes nothing.

        Args:
            invoice: Its id, at most 64 characters: the payload.
            person: Who may pay it.
            pack: What it is for.
        """

        def work(connection: sa.Connection) -> None:
            values = {"person": person, **pack._asdict(), "created": self._clock()}
            upsert(connection, invoices, {"id": invoice}, values, {})
            theirs = sa.and_(invoices.c.person == person, invoices.c.checkout.is_(None))
            kept = sa.select(invoices.c.id).where(theirs).order_by(invoices.c.created.desc()).limit(MAX_INVOICES)
            connection.execute(invoices.delete().where(theirs, invoices.c.id.not_in(kept)))

        await self._database.run(work)

    async def approve(self, query: str, charge: Charge, packs: Collection[Pack]) -> None:
        """Approve a pre-checkout query: from now on the invoice can be paid only by it.

        Args:
            query: Id of the pre-checkout query; a repeat of it is approved again.
            charge: What Telegram asks; its id is empty, because nothing is paid yet.
            packs: What is offered today.

        Raises:
            PersonError: ``banned``, ``invoice-too-old``, ``not-yours``, ``invoice-changed``, ``invoice-used``.
        """

        def work(connection: sa.Connection) -> None:
            bans.refuse(connection, charge.person)
            row = connection.execute(sa.select(invoices).where(invoices.c.id == charge.payload)).mappings().first()
            if row is None or row["created"] < self._clock() - INVOICE_SECONDS:
                raise PersonError("invoice-too-old")
            if row["person"] != charge.person:
                raise PersonError("not-yours")
            if (charge.currency, charge.amount) != (STARS, row["stars"]) or _pack(row) not in packs:
                raise PersonError("invoice-changed")
            is_free = sa.or_(invoices.c.checkout.is_(None), invoices.c.checkout == query)
            approved = invoices.update().where(invoices.c.id == charge.payload, is_free)
            if connection.execute(approved.values(checkout=query, approved=self._clock())).rowcount == 0:
                raise PersonError("invoice-used")

        await self._database.run(work)

    async def record(self, charge: Charge) -> tuple[Payment, bool]:
        """Record a payment and give its edits; a charge that is recorded already changes nothing.

        A payment that does not match its invoice is recorded without edits, with its `mismatch`: the money was taken.

        Returns:
            The payment, and whether it is new.
        """

        def work(connection: sa.Connection) -> tuple[Payment, bool]:
            self._database.lock_until_commit(connection, LockSpace.PERSON, charge.person)
            known = _find(connection, charge.id)
            if known is not None:
                return known, False
            row = connection.execute(sa.select(invoices).where(invoices.c.id == charge.payload)).mappings().first()
            mismatch = _mismatch(charge, row)
            edits = 0 if mismatch or row is None else int(row["edits"])
            values: dict[str, Any] = {"charge": charge.id, "person": charge.person, "stars": charge.amount}
            values |= {"currency": charge.currency, "language": charge.language, "at": self._clock()}
            connection.execute(payments.insert().values(**values, edits=edits, unused=edits, mismatch=mismatch))
            added = _find(connection, charge.id)
            assert added is not None
            return added, True

        return await self._database.run(work)

    async def not_notified(self, limit: int) -> list[Payment]:
        """The oldest payments whose person was not notified yet."""
        query = sa.select(payments).where(payments.c.notified.is_(None)).order_by(payments.c.number).limit(limit)
        return await self._many(query)

    async def record_notified(self, number: int) -> None:
        """Record that the person was notified of a payment."""
        update = payments.update().where(payments.c.number == number).values(notified=self._clock())
        await self._database.run(lambda connection: connection.execute(update))

    # ── looking ──

    async def balance(self, person: int) -> int:
        """How many paid edits a person has left."""
        return await self._database.run(lambda connection: paid_edits.balance(connection, person))

    async def find(self, charge: str) -> Payment | None:
        """The payment with this charge id, or None."""
        return await self._database.run(lambda connection: _find(connection, charge))

    async def newest_of(self, person: int, limit: int) -> list[Payment]:
        """A person's newest payments, the newest first."""
        query = sa.select(payments).where(payments.c.person == person)
        return await self._many(query.order_by(payments.c.number.desc()).limit(limit))

    async def earned(self) -> Windows:
        """Stars that were paid and not refunded: today, in 7 and in 30 days, as /stats counts days."""
        today = int(self._clock() // DAY)

        def work(connection: sa.Connection) -> Windows:
            earned = []
            for days in WINDOWS:
                query = sa.select(sa.func.coalesce(sa.func.sum(payments.c.stars), 0)).where(
                    payments.c.at >= (today - days + 1) * DAY,
                    payments.c.refunded.is_(None),
                    payments.c.currency == STARS,
                )
                earned.append(int(connection.execute(query).scalar_one()))
            return tuple(earned)

        return await self._database.run(work)

    # ── refunding ──

    async def begin_refund(self, charge: str) -> Payment | None:
        """Lock the edits that are left of a payment, so that no person gets the Stars back and keeps the edits.

        Returns:
            The payment, refunded already or not; None if there is no such charge.
        """

        def work(connection: sa.Connection) -> Payment | None:
            is_kept = sa.and_(payments.c.charge == charge, payments.c.refunded.is_(None))
            connection.execute(payments.update().where(is_kept).values(refunding=self._clock()))
            return _find(connection, charge)

        return await self._database.run(work)

    async def end_refund(self, charge: str) -> Payment | None:
        """Record that a payment is refunded, and take the edits back that were left of it; a repeat changes nothing.

        Returns:
            The payment as it was before, with the edits that were left of it; None if there is no such charge.
        """

        def work(connection: sa.Connection) -> Payment | None:
            before = _find(connection, charge)
            is_kept = sa.and_(payments.c.charge == charge, payments.c.refunded.is_(None))
            values = {"refunded": self._clock(), "refunding": None, "unused": 0}
            connection.execute(payments.update().where(is_kept).values(**values))
            return before

        return await self._database.run(work)

    async def drop_refund(self, charge: str) -> None:
        """Unlock the edits of a payment that Telegram does not refund."""
        update = payments.update().where(payments.c.charge == charge, payments.c.refunded.is_(None))
        await self._database.run(lambda connection: connection.execute(update.values(refunding=None)))

    async def _many(self, query: sa.Select[Any]) -> list[Payment]:
        return await self._database.run(
            lambda connection: [Payment(**row) for row in connection.execute(query).mappings()]
        )


def delete_person(connection: sa.Connection, person: int) -> None:
    """Delete a person's invoices, except approved ones, which may be paid at this moment. Payments stay."""
    is_unpaid = sa.and_(invoices.c.person == person, invoices.c.approved.is_(None))
    connection.execute(invoices.delete().where(is_unpaid))


def delete_old(connection: sa.Connection, now: float) -> None:
    """Delete the invoices that can no longer be paid."""
    last = sa.func.coalesce(invoices.c.approved, invoices.c.created)
    connection.execute(invoices.delete().where(last < now - INVOICE_SECONDS))


def _find(connection: sa.Connection, charge: str) -> Payment | None:
    row = connection.execute(sa.select(payments).where(payments.c.charge == charge)).mappings().first()
    return Payment(**row) if row is not None else None


def _pack(row: sa.RowMapping) -> Pack:
    return Pack(int(row["edits"]), int(row["stars"]))


def _mismatch(charge: Charge, invoice: sa.RowMapping | None) -> str | None:
    """Why a payment does not match its invoice; None: it does. A pack that is no longer offered still counts."""
    if invoice is None:
        return UNKNOWN
    if invoice["person"] != charge.person:
        return OTHER_PERSON
    return OTHER_AMOUNT if (charge.currency, charge.amount) != (STARS, invoice["stars"]) else None
