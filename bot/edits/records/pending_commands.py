"""Commands that wait for their photo, and the command of an album, which applies to all its photos."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from bot.edits.model import DEFAULT_FINISH, EditCommand, Operation
from bot.storage.database import Database
from bot.storage.tables import pending_commands

PENDING_COMMAND_SECONDS = 600.0
"""How long a command without a photo waits for its photo."""

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
        where = (pending_commands.c.chat == chat, pending_commands.c.about == about)

        def work(connection: sa.Connection) -> None:
            connection.execute(pending_commands.delete().where(*where))
            values = {"operation": command.operation.value, "finish": command.finish}
            connection.execute(
                pending_commands.insert().values(chat=chat, about=about, expires=self._clock() + seconds, **values)
            )

        await self._database.run(work)

    async def remember_for_person(self, chat: int, person: int, command: EditCommand) -> None:
        """Apply the command to the person's next photo in the chat, for `PENDING_COMMAND_SECONDS`."""
        await self.remember(chat, f"person:{person}", command, seconds=PENDING_COMMAND_SECONDS)

    async def remember_for_album(self, chat: int, album: str, command: EditCommand) -> None:
        """Apply the command to all photos of an album (media group), for `ALBUM_SECONDS`."""
        await self.remember(chat, f"album:{album}", command, seconds=ALBUM_SECONDS)

    async def take(self, chat: int, person: int, album: str | None) -> EditCommand | None:
        """The command for a photo that came without a command, or None.

        A person's command applies to one photo, or to all photos of one album; it is deleted once taken.
        """
        about = f"person:{person}"
        command = await self.find(chat, f"album:{album}") if album else None
        if command is None:
            command = await self.find(chat, about)
            if command is not None:
                if album:
                    await self.remember_for_album(chat, album, command)
                await self.forget(chat, about)
        return command

    async def find(self, chat: int, about: str) -> EditCommand | None:
        """The command that waits for a photo and has not expired, or None. The command stays stored."""
        query = sa.select(pending_commands.c.operation, pending_commands.c.finish).where(
            pending_commands.c.chat == chat,
            pending_commands.c.about == about,
            pending_commands.c.expires > self._clock(),
        )
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return EditCommand(Operation(row[0]), row[1] or DEFAULT_FINISH) if row else None

    async def forget(self, chat: int, about: str) -> None:
        """Delete the command: its photo has come."""
        delete = pending_commands.delete().where(pending_commands.c.chat == chat, pending_commands.c.about == about)
        await self._database.run(lambda connection: connection.execute(delete))
