"""Each answer is measured: later status messages say about how long it takes."""

from __future__ import annotations

from pathlib import Path

from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.storage.database import Database
from tests.support import Talk, encoded, running_bot, scene, settings_for


async def test_each_answer_is_measured(tmp_path: Path) -> None:
    async with TelegramServer() as server:
        settings = settings_for(server, tmp_path)
        async with running_bot(settings, server.telegram):
            talk = Talk(server.telegram, 1)
            (sent,) = await talk.person.send(Upload(encoded(scene())), caption="/remove_subject")
            assert "photo" in await talk.answer_to(sent)
        database = Database(settings.database)
        await database.start()
        measured = await Store(database, EditLimits()).work_times.recent()
        await database.close()
    assert {(one.work, one.engine) for one in measured} == {("remove_subject:find:0", "local"), ("any", "local")}
    assert all(0.05 < one.seconds < 60 for one in measured)
