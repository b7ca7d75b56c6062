"""What counts for EDITS_PER_DAY: every edit that is started, and every further try of it.

The uses outlive their edits, under a hash of the person's id. If they were counted from the edits, /delete_my_data or a
short RETENTION_HOURS would reset the count. A failed try is given back. A cancelled one is given back only if nothing
was done for it yet. The question which object is meant counts once it is answered or cancelled; going back to the
result is free.

Beyond EDITS_PER_DAY a use takes a paid edit, if the person has one (`paid_edits`). A use that took one does not count
for the day, and gives it back to its payment.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, State
from bot.edits.records import paid_edits
from bot.errors import PersonError
from bot.storage.tables import edits, quota_uses

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
    if limit and _is_used_up(connection, limit, person, now) and not paid_edits.balance(connection, person):
        raise PersonError("too-many-today", limit=limit)


def use(
    connection: sa.Connection, limit: int, person: int, edit_id: str, now: float, *, unless_used: bool = False
) -> None:
    """Count one try of an edit: for the day, or if the day's are used up by a paid edit.

    Without a paid edit it counts for the day too: `check` refuses, not this.

    Args:
        connection: A connection in a transaction.
        limit: With 0 nothing is counted.
        person: Telegram user id.
        edit_id: Id of the edit.
        now: Seconds since the epoch.
        unless_used: Whether to count nothing if a try of this edit counts already.
    """
    known = sa.select(quota_uses.c.number).where(quota_uses.c.edit == edit_id).limit(1)
    if not limit or (unless_used and connection.execute(known).first()):
        return
    payment = paid_edits.take(connection, person) if _is_used_up(connection, limit, person, now) else None
    connection.execute(quota_uses.insert().values(person=_hash(person), edit=edit_id, at=now, payment=payment))


def give_back(connection: sa.Connection, edit_id: str) -> None:
    """Do not count the last try of an edit; a paid one goes back to its payment."""
    last = sa.select(sa.func.max(quota_uses.c.number)).where(quota_uses.c.edit == edit_id).scalar_subquery()
    gone = quota_uses.delete().where(quota_uses.c.number == last).returning(quota_uses.c.payment)
    for payment in connection.execute(gone).scalars().all():
        if payment is not None:
            paid_edits.give_back(connection, payment)


def delete_old(connection: sa.Connection, now: float) -> None:
    """Delete the uses that no longer count. A paid one stays until its edit has ended: it may be given back."""
    unfinished = sa.select(edits.c.id).where(edits.c.state.in_((*PENDING_STATES, State.WAITING_FOR_CHOICE)))
    is_final = sa.or_(quota_uses.c.payment.is_(None), quota_uses.c.edit.not_in(unfinished))
    connection.execute(quota_uses.delete().where(quota_uses.c.at <= now - DAY, is_final))


def _is_used_up(connection: sa.Connection, limit: int, person: int, now: float) -> bool:
    """Whether a person has used the free edits of these 24 hours."""
    theirs = (quota_uses.c.person == _hash(person), quota_uses.c.at > now - DAY, quota_uses.c.payment.is_(None))
    used = connection.execute(sa.select(sa.func.count()).select_from(quota_uses).where(*theirs)).scalar_one()
    return int(used) >= limit


def _hash(person: int) -> str:
    return hashlib.sha256(f"quota:{person}".encode()).hexdigest()
