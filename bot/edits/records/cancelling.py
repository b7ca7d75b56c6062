"""Cancels an edit, within a transaction of the caller."""

from __future__ import annotations

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, Edit, Stage, State
from bot.edits.records import daily_quota, stored_masks
from bot.edits.records.found_objects import delete_objects
from bot.edits.records.limits import EditLimits
from bot.edits.records.rows import find_edit
from bot.storage.tables import edits


def cancel(
    connection: sa.Connection, limits: EditLimits, edit_id: str, now: float, *, keep_objects: bool = False
) -> Edit | None:
    """Cancel an edit and drop its mask and objects; None if it is being delivered or has ended. See `Store.cancel`.

    Args:
        connection: A connection in a transaction.
        limits: The limits, for the day's count.
        edit_id: Id of the edit.
        now: Seconds since the epoch.
        keep_objects: Whether the objects stay.
    """
    stage = sa.or_(edits.c.stage.is_(None), edits.c.stage != Stage.DELIVERING)
    cancellable = (*PENDING_STATES, State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE)
    where = (edits.c.id == edit_id, edits.c.state.in_(cancellable), stage)
    is_untouched = sa.and_(
        edits.c.state == State.QUEUED,
        edits.c.starts == 0,
        sa.or_(edits.c.mask.is_(None), edits.c.mask_is_matte),
    )
    untouched = connection.execute(sa.select(is_untouched).where(*where)).scalar_one_or_none()
    values = {"state": State.CANCELLED, "updated": now, **stored_masks.drop_at_cancel()}
    if connection.execute(edits.update().where(*where).values(**values)).rowcount == 0:
        return None
    cancelled = find_edit(connection, edits.c.id == edit_id)
    if untouched:
        daily_quota.give_back(connection, edit_id)
    elif cancelled is not None and cancelled.chooses and not keep_objects:
        daily_quota.use(connection, limits.edits_per_day, cancelled.person, edit_id, now, unless_used=True)
    if not keep_objects:
        delete_objects(connection, edit_id)
    return cancelled
