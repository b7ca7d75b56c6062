"""What counts for EDITS_PER_DAY: every edit that is started, and every further try of it.

The uses outlive their edits, under a hash of the person's id. If they were counted from the edits, /delete_my_data or a
short RETENTION_HOURS would reset the count. A failed try is given back. A cancelled one is given back only if nothing
was done for it yet. The question which object is meant counts once it is answered or cancelled; going back to the
result is free.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from bot.errors import PersonError
from bot.storage.tables import quota_uses

DAY = 86_400.0


def check(connection: sa.Connection, limit: int, person: int, now: float) -> None:
    """Check that a person may start one more edit in these 24 hours.

    Args:
        connection: A connection in a transaction.
        limit: Edits in 24 hours; 0: no limit.
        person: Telegram user id.
        now: Seconds since the epoch.

    Raises:
        PersonError: ``too-many-today`` (fact limit).
    """
    if not limit:
        return
    theirs = (quota_uses.c.person == _hash(person), quota_uses.c.at > now - DAY)
    used = connection.execute(sa.select(sa.func.count()).select_from(quota_uses).where(*theirs)).scalar_one()
    if used >= limit:
        raise PersonError("too-many-today", limit=limit)


def use(
    connection: sa.Connection, limit: int, person: int, edit_id: str, now: float, *, unless_used: bool = False
) -> None:
    """Count one try of an edit.

    Args:
        connection: A connection in a transaction.
        limit: With 0 nothing is counted.
        person: Telegram user id.
        edit_id: Id of the edit.
        now: Seconds since the epoch.
        unless_used: Whether to count nothing if a try of this edit counts already.
    """
    known = sa.select(quota_uses.c.number).where(quota_uses.c.edit == edit_id).limit(1)
    if limit and not (unless_used and connection.execute(known).first()):
        connection.execute(quota_uses.insert().values(person=_hash(person), edit=edit_id, at=now))


def give_back(connection: sa.Connection, edit_id: str) -> None:
    """Do not count the last try of an edit."""
    last = sa.select(sa.func.max(quota_uses.c.number)).where(quota_uses.c.edit == edit_id).scalar_subquery()
    connection.execute(quota_uses.delete().where(quota_uses.c.number == last))


def delete_old(connection: sa.Connection, now: float) -> None:
    """Delete the uses that no longer count."""
    connection.execute(quota_uses.delete().where(quota_uses.c.at <= now - DAY))


def _hash(person: int) -> str:
    return hashlib.sha256(f"quota:{person}".encode()).hexdigest()
