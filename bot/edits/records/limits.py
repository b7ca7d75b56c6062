"""Limits of edits: pending per person, requested per person and day, pending of all people."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, State
from bot.errors import PersonError
from bot.storage.tables import edits

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class EditLimits:
    """How many edits are allowed.

    Attributes:
        pending_per_person: Pending edits of one person.
        edits_per_day: Edits of one person created in the last 24 hours that are pending or done; 0 = no limit.
        pending: Pending edits of all people.
    """

    pending_per_person: int = 3
    edits_per_day: int = 0
    pending: int = 5000


def check_limits(
    connection: sa.Connection, limits: EditLimits, person: int, now: float, *, counts_today: bool = True
) -> None:
    """Check that one more edit of a person may be pending.

    Args:
        connection: A connection in a transaction.
        limits: The limits.
        person: Id of the owner.
        now: Seconds since the epoch.
        counts_today: Whether it counts as a further edit of the day; one that is shown again or continues does not.

    Raises:
        PersonError: ``too-many-pending`` (fact limit), ``too-many-today`` (fact limit), ``busy`` (fact waiting).
    """

    def count(*where: sa.ColumnElement[bool]) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(edits).where(*where)).scalar_one()

    pending = edits.c.state.in_(PENDING_STATES)
    if count(pending, edits.c.person == person) >= limits.pending_per_person:
        raise PersonError("too-many-pending", limit=limits.pending_per_person)
    if limits.edits_per_day and counts_today:
        wanted = edits.c.state.in_((*PENDING_STATES, State.DONE))
        if count(edits.c.created > now - DAY, wanted, edits.c.person == person) >= limits.edits_per_day:
            raise PersonError("too-many-today", limit=limits.edits_per_day)
    waiting = count(pending)
    if waiting >= limits.pending:
        raise PersonError("busy", waiting=waiting)
