"""From rows of the tables to what they mean, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.edits.model import Edit, Offer, Operation, PhotoRef, Stage, State


def photo_columns(photo: PhotoRef) -> dict[str, Any]:
    """A photo's columns."""
    return {
        "file_id": photo.file_id,
        "file_unique_id": photo.unique_id,
        "as_file": photo.as_file,
        "file_name": photo.name,
        "file_size": photo.size,
    }


def photo_of(row: sa.RowMapping) -> PhotoRef:
    """The photo of a row."""
    return PhotoRef(row["file_id"], row["file_unique_id"], bool(row["as_file"]), row["file_name"], row["file_size"])


def offer_of(row: sa.RowMapping) -> Offer:
    """A row of the offers."""
    return Offer(
        row["id"], row["person"], row["chat"], row["message"], photo_of(row), row["language"], row["status_message"]
    )


def edit_of(row: sa.RowMapping) -> Edit:
    """A row of the edits."""
    result = painted = None
    if row["painted_file_id"]:
        painted = PhotoRef(row["painted_file_id"], row["painted_unique_id"])
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
        painted=painted,
        shadow=row["shadow"] is None or bool(row["shadow"]),
        chooses=bool(row["chooses"]),
        number=row["number"],
        attempt=row["attempt"],
    )
