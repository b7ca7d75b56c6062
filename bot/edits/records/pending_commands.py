"""Commands that wait for their photo, and the command of an album, which applies to all its photos."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from bot.edits.model import EditCommand, Operation
from bot.storage.database import Database
from bot.storage.tables import pending_commands

PENDING_COMMAND_SECONDS = 600.0
"""How long a command without a photo waits for its photo."""

TAKEN_SECONDS = 86_400.0
"""How long a taken command stays stored with its photo. Telegram repeats an update that was not confirmed for a day."""

ALBUM_SECONDS = 60.0
"""How long an album's command applies to its other photos: siblings come up to 11 s late (docs/telegram.md#albums)."""


class PendingCommands:
    """Commands that are not requests for an edit yet. Every method is one transaction and is idempotent.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def remember(self, chat: int, about: str, command: EditCommand, *, seconds: float) -> None:
        """Remember what to do with the next photo.

        Args:
            chat: The chat.
            about: ``person:ID`` or ``album:MEDIA_GROUP_ID``.
            command: What to do.
            seconds: How long the command waits.
        """
        await self._database.run(lambda connection: self._put(connection, chat, about, command, seconds=seconds))

    async def remember_for_person(self, chat: int, person: int, command: EditCommand) -> None:
        """Apply the command to the person's next photo in the chat, for `PENDING_COMMAND_SECONDS`."""
        await self.remember(chat, f"person:{person}", command, seconds=PENDING_COMMAND_SECONDS)

    async def remember_for_album(self, chat: int, album: str, command: EditCommand) -> None:
        """Apply the command to all photos of an album (media group), for `ALBUM_SECONDS`."""
        await self.remember(chat, f"album:{album}", command, seconds=ALBUM_SECONDS)

    async def of_album(self, chat: int, album: str) -> EditCommand | None:
        """The command that applies to all photos of an album, or None."""
        return await self.find(chat, f"album:{album}")

    async def take(self, chat: int, person: int, message: int, album: str | None) -> EditCommand | None:
        """The command for a photo that came without a command, or None.

        A person's command applies to one photo, or to all photos of one album. The photo of that message gets the same
        command each time: the process may be killed before the edit is recorded, and then Telegram repeats the update.
        """
        waiting = f"person:{person}"
        of_photo = f"{waiting}:photo:{message}"
        keys = (*([f"album:{album}"] if album else []), of_photo, waiting)

        def work(connection: sa.Connection) -> EditCommand | None:
            for key in keys:
                command = self._find(connection, chat, key)
                if command is not None:
                    if key == waiting:
                        if album and command.background_of is None:  # one picture is enough behind a subject
                            self._put(connection, chat, f"album:{album}", command, seconds=ALBUM_SECONDS)
                        self._put(connection, chat, of_photo, command, seconds=TAKEN_SECONDS)
                        connection.execute(pending_commands.delete().where(*_row(chat, waiting)))
                    return command
            return None

        return await self._database.run(work)

    async def background_awaited(self, chat: int, person: int) -> str | None:
        """Id of the cut-out for which the person was asked for a background, and has sent none yet; or None."""
        waiting = await self.find(chat, f"person:{person}")
        return waiting.background_of if waiting else None

    async def cancel_for_person(self, chat: int, person: int) -> None:
        """Delete the command that waits for the person's next photo."""
        delete = pending_commands.delete().where(*_row(chat, f"person:{person}"))
        await self._database.run(lambda connection: connection.execute(delete))

    async def find(self, chat: int, about: str) -> EditCommand | None:
        """The command that waits for a photo and has not expired, or None. The command stays stored."""
        return await self._database.run(lambda connection: self._find(connection, chat, about))

    def _find(self, connection: sa.Connection, chat: int, about: str) -> EditCommand | None:
        columns = (pending_commands.c.operation, pending_commands.c.finish, pending_commands.c.edit)
        query = sa.select(*columns).where(*_row(chat, about), pending_commands.c.expires > self._clock())
        row = connection.execute(query).first()
        return EditCommand(Operation(row[0]), row[1], row[2]) if row else None

    def _put(self, connection: sa.Connection, chat: int, about: str, command: EditCommand, *, seconds: float) -> None:
        connection.execute(pending_commands.delete().where(*_row(chat, about)))
        values = {"operation": command.operation.value, "finish": command.finish, "edit": command.background_of}
        connection.execute(
            pending_commands.insert().values(chat=chat, about=about, expires=self._clock() + seconds, **values)
        )


def _row(chat: int, about: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (pending_commands.c.chat == chat, pending_commands.c.about == about)
