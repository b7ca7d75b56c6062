"""How many edits may wait: per person, per person and day, and over all people."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import State
from bot.edits.records.claims import PENDING
from bot.errors import PersonError
from bot.storage.tables import edits

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class EditLimits:
    """How much may wait.

    Attributes:
        pending_per_person: Unfinished edits a person may have at a time.
        edits_per_day: Edits a person may ask for in 24 hours; 0 = no limit.
        pending: Unfinished edits over all people.
    """

    pending_per_person: int = 3
    edits_per_day: int = 0
    pending: int = 5000


def check_limits(
    connection: sa.Connection, bounds: EditLimits, person: int, now: float, *, counts_today: bool = True
) -> None:
    """Check that one more edit of a person may wait, within a transaction.

    Args:
        connection: The transaction.
        bounds: How many may wait.
        person: Telegram user id.
        now: Seconds since the epoch.
        counts_today: Whether it is a further edit of the day; one that is shown again, or goes on, is none.

    Raises:
        PersonError: ``too-many-pending`` (fact limit), ``too-many-today`` (fact limit), ``busy`` (fact waiting).
    """

    def count(*where: sa.ColumnElement[bool]) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(edits).where(*where)).scalar_one()

    pending = edits.c.state.in_(PENDING)
    if count(pending, edits.c.person == person) >= bounds.pending_per_person:
        raise PersonError("too-many-pending", limit=bounds.pending_per_person)
    if bounds.edits_per_day and counts_today:
        wanted = edits.c.state.in_((*PENDING, State.DONE))
        if count(edits.c.created > now - DAY, wanted, edits.c.person == person) >= bounds.edits_per_day:
            raise PersonError("too-many-today", limit=bounds.edits_per_day)
    waiting = count(pending)
    if waiting >= bounds.pending:
        raise PersonError("busy", waiting=waiting)
