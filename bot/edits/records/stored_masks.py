"""The masks in the table of edits, and how they are bounded.

The buttons under a result need its mask: another variant, another finish, fix by hand. So masks stay with finished
edits, the newest ones of each person. Without its mask a button finds the subject again, or asks to paint.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.edits.model import Operation, State
from bot.storage.tables import edits, found_objects

MAX_BYTES_PER_PERSON = 20_000_000
"""Bytes of the masks and objects of one person's ended edits: some hundred usual edits, or twenty masks of noise."""

_ENDED = (State.DONE, State.FAILED, State.CANCELLED)
_AT_ONCE = 500
"""Edits in one statement: SQLite allows 32,766 parameters."""


def trim(connection: sa.Connection, person: int) -> None:
    """Drop masks and objects of a person's ended edits, the oldest first, until `MAX_BYTES_PER_PERSON` are left."""
    found = sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(found_objects.c.matte)), 0))
    size = (
        sa.func.coalesce(sa.func.length(edits.c.mask), 0)
        + found.where(found_objects.c.edit == edits.c.id).scalar_subquery()
    )
    query = sa.select(edits.c.id, size).where(edits.c.person == person, edits.c.state.in_(_ENDED))
    total, surplus = 0, []
    for edit_id, stored in connection.execute(query.order_by(edits.c.number.desc())):
        total += int(stored)
        if stored and total > MAX_BYTES_PER_PERSON:
            surplus.append(str(edit_id))
    for first in range(0, len(surplus), _AT_ONCE):
        ids = surplus[first : first + _AT_ONCE]
        connection.execute(edits.update().where(edits.c.id.in_(ids)).values(mask=None, mask_is_matte=False))
        connection.execute(found_objects.delete().where(found_objects.c.edit.in_(ids)))


def drop_at_cancel() -> dict[str, Any]:
    """The values with which a cancelled edit loses its mask; `restore` needs ``asks_for_mask``."""
    is_painted = sa.and_(edits.c.mask.is_not(None), edits.c.mask_is_matte.is_(False), edits.c.painted_file_id.is_(None))
    asks = sa.or_(edits.c.state == State.WAITING_FOR_MASK, is_painted)
    return {"asks_for_mask": asks, "mask": None, "mask_is_matte": False}


def restore(connection: sa.Connection, edit_id: str) -> tuple[dict[str, Any], bool]:
    """What another try of an ended edit begins with, if its mask was dropped.

    A variant, a correction and their parent have the same photo; so the parent's mask is the one that was dropped, or
    the one that the correction started from.

    Returns:
        The mask's columns, and whether the edit must wait for the person's mask.
    """
    columns = (
        edits.c.operation,
        edits.c.painted_file_id,
        edits.c.parent,
        edits.c.file_unique_id,
        edits.c.status_message,
        edits.c.mask,
        edits.c.mask_is_matte,
    )
    query = sa.select(*columns, edits.c.asks_for_mask, edits.c.chooses)
    edit = connection.execute(query.where(edits.c.id == edit_id)).mappings().one()
    needs_paint = edit["operation"] == Operation.ERASE and edit["painted_file_id"] is None
    was_dropped = edit["mask"] is None and not edit["chooses"] and (needs_paint or edit["asks_for_mask"] is not None)
    if not was_dropped:
        return {}, False
    waits = needs_paint or bool(edit["asks_for_mask"])
    if edit["parent"] is None:  # looking for no id would read the whole table
        return {}, waits
    has_mask = sa.and_(edits.c.mask.is_not(None), edits.c.error.is_(None))  # an error: a find that was rejected
    same_photo = edits.c.file_unique_id == edit["file_unique_id"]
    wanted = query.where(edits.c.id == edit["parent"], has_mask, same_photo)
    parent = connection.execute(wanted).mappings().first()
    if parent is None:
        return {}, waits
    if parent["status_message"] is not None and parent["status_message"] == edit["status_message"]:
        waits = False  # a variant is shown in its parent's message, and has the parent's mask
    return {"mask": parent["mask"], "mask_is_matte": parent["mask_is_matte"]}, waits
