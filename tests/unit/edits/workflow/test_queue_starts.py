"""DBOS makes its tables in a new database, with each Python and the SQLite that comes with it."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

from bot.edits.workflow.queue import EditQueue
from bot.storage.database import Database


async def test_the_queue_starts_on_a_new_sqlite_file_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
        await database.start()
        async with EditQueue(database, Mock(), workers=1) as queue:
            assert queue.is_ready()
        await database.close()
