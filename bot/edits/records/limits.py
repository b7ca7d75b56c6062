"""Limits of edits: per person (pending, waiting, started in a day), pending of all people, and room on the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, State
from bot.edits.records import bans, daily_quota
from bot.errors import PersonError
from bot.storage.tables import edits

WAITING_STATES = (State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE)
"""States of edits that wait for the person."""


def _there_is_room() -> None:
    return None


@dataclass(frozen=True, slots=True)
class EditLimits:
    """How many edits are allowed.

    Attributes:
        pending_per_person: Pending edits of one person.
        edits_per_day: Edits that one person starts in 24 hours (`daily_quota`); 0 = no limit.
        pending: Pending edits of all people.
        waiting_per_person: Edits of one person that wait for a mask or a choice.
        check_room: Raises a PersonError if the disk has no room for further edits.
    """

    pending_per_person: int = 30
    edits_per_day: int = 0
    pending: int = 5000
    waiting_per_person: int = 20
    check_room: Callable[[], None] = _there_is_room


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
        PersonError: ``banned``, ``storage-full``, ``too-many-pending`` (fact limit), ``too-many-today`` (fact limit),
            ``busy`` (fact waiting).
    """
    bans.refuse(connection, person)
    limits.check_room()
    pending = edits.c.state.in_(PENDING_STATES)
    if _count(connection, pending, edits.c.person == person) >= limits.pending_per_person:
        raise PersonError("too-many-pending", limit=limits.pending_per_person)
    if counts_today:
        daily_quota.check(connection, limits.edits_per_day, person, now)
    waiting = _count(connection, pending)
    if waiting >= limits.pending:
        raise PersonError("busy", waiting=waiting)


def check_waiting(connection: sa.Connection, limits: EditLimits, person: int) -> None:
    """Check that one more edit of a person may wait for a mask or a choice.

    Raises:
        PersonError: ``banned``, ``storage-full``, ``too-many-waiting`` (fact limit).
    """
    bans.refuse(connection, person)
    limits.check_room()
    if _count(connection, edits.c.state.in_(WAITING_STATES), edits.c.person == person) >= limits.waiting_per_person:
        raise PersonError("too-many-waiting", limit=limits.waiting_per_person)


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(edits).where(*where)).scalar_one())
