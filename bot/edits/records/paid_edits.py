"""Paid edits: what is left of a person's payments. They are used once the day's free edits are used up.

Each payment holds what is left of it, so that a refund takes back exactly that. The oldest payment is used first.
"""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.tables import payments

_USABLE = sa.and_(payments.c.unused > 0, payments.c.refunding.is_(None), payments.c.refunded.is_(None))


def balance(connection: sa.Connection, person: int) -> int:
    """How many paid edits a person has left."""
    query = sa.select(sa.func.coalesce(sa.func.sum(payments.c.unused), 0)).where(payments.c.person == person, _USABLE)
    return int(connection.execute(query).scalar_one())


def take(connection: sa.Connection, person: int) -> int | None:
    """Take one paid edit of a person; returns the number of its payment, or None if there is none left."""
    oldest = sa.select(payments.c.number).where(payments.c.person == person, _USABLE).order_by(payments.c.number)
    while True:
        number = connection.execute(oldest.limit(1)).scalar_one_or_none()
        if number is None:
            return None
        # The condition is checked again: another process may have taken the last one between the two statements.
        used = payments.update().where(payments.c.number == number, _USABLE).values(unused=payments.c.unused - 1)
        if connection.execute(used).rowcount:
            return int(number)


def give_back(connection: sa.Connection, number: int) -> None:
    """Give one edit back to the payment that it was taken from, unless that is refunded."""
    is_kept = sa.and_(payments.c.number == number, payments.c.refunded.is_(None))
    connection.execute(payments.update().where(is_kept).values(unused=payments.c.unused + 1))
