"""Conversion between rows of the tables and the model, and the queries that several modules share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.edits.bare_photos import Offer
from bot.edits.model import Edit, Operation, PhotoRef, Stage, State
from bot.storage.tables import edits

EDIT_COLUMNS = [
    *(column for column in edits.c if column.name != "mask"),
    edits.c.mask.is_not(None).label("has_mask"),
]
"""The columns that `edit_of` needs: all but the mask, which may be large."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def may_be_id(text: str) -> bool:
    """Whether an edit or an offer can have this id. Ids come from strangers, in callback data and in links.

    A zero byte makes PostgreSQL fail and a lone surrogate SQLite, so such text must not reach the database.
    """
    return _ID.fullmatch(text) is not None


def notes_column(notes: tuple[str, ...]) -> str | None:
    """The value of the column of notes."""
    return ",".join(notes) or None


def photo_columns(photo: PhotoRef) -> dict[str, Any]:
    """The columns of a photo."""
    return {
        "file_id": photo.file_id,
        "file_unique_id": photo.unique_id,
        "as_file": photo.as_file,
        "file_name": photo.name,
        "file_size": photo.size,
        "spoiler": photo.spoiler,
    }


def photo_of(row: sa.RowMapping) -> PhotoRef:
    """The photo in a row of edits or offers."""
    return PhotoRef(
        file_id=row["file_id"],
        unique_id=row["file_unique_id"],
        as_file=bool(row["as_file"]),
        name=row["file_name"],
        size=row["file_size"],
        spoiler=bool(row["spoiler"]),
    )


def offer_of(row: sa.RowMapping) -> Offer:
    """The offer in a row of offers."""
    return Offer(
        id=row["id"],
        person=row["person"],
        chat=row["chat"],
        message=row["message"],
        photo=photo_of(row),
        language=row["language"],
        status_message=row["status_message"],
        thread=row["thread"],
        album=row["album"],
        silent=bool(row["silent"]),
    )


def edit_of(row: sa.RowMapping) -> Edit:
    """The edit in a row of `EDIT_COLUMNS`."""
    result = painted = background = None
    if row["painted_file_id"]:
        painted = PhotoRef(row["painted_file_id"], row["painted_unique_id"])
    if row["background_file_id"]:
        background = PhotoRef(row["background_file_id"], row["background_unique_id"])
    if row["result_file_id"]:
        result = PhotoRef(row["result_file_id"], row["result_unique_id"], bool(row["result_as_file"]))
    return Edit(
        id=row["id"],
        person=row["person"],
        chat=row["chat"],
        message=row["message"],
        operation=Operation(row["operation"]),
        photo=photo_of(row),
        finish=row["finish"],
        seed=row["seed"],
        language=row["language"],
        state=State(row["state"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        status_message=row["status_message"],
        has_mask=bool(row["has_mask"]),
        result=result,
        engine=row["engine"],
        error=row["error"],
        parent=row["parent"],
        width=row["width"],
        height=row["height"],
        created=datetime.fromtimestamp(row["created"], UTC),
        requested=datetime.fromtimestamp(row["requested"] or row["created"], UTC),
        painted=painted,
        shadow=row["shadow"] is None or bool(row["shadow"]),
        chooses=bool(row["chooses"]),
        number=row["number"],
        attempt=row["attempt"],
        thread=row["thread"],
        guessed=bool(row["guessed"]),
        album_status=row["album_status"],
        album=row["album"],
        background=background,
        notes=tuple(row["notes"].split(",")) if row["notes"] else (),
    )


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    changed: Mapping[str, Any],
) -> None:
    """Insert a row, or change the one that has this key.

    Args:
        connection: A connection in a transaction.
        table: The table.
        key: The columns of its primary key.
        values: Further columns of a new row.
        changed: Columns to change in the row that is there; empty: it stays as it is.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(table).values(**key, **values)
    if changed:
        connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=dict(changed)))
    else:
        connection.execute(insert.on_conflict_do_nothing(index_elements=list(key)))


def find_edit(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Edit | None:
    """An edit that matches, or None."""
    row = connection.execute(sa.select(*EDIT_COLUMNS).where(where)).mappings().first()
    return edit_of(row) if row else None
