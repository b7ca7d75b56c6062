"""A doubtful find leads to a question, however often the process crashes before it is asked."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.files import EditFiles
from bot.edits.pictures.job import DoubtfulFindError
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.steps import EditSteps
from bot.imaging.pool import PixelPool
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from tests.support import encoded, scene
from tests.unit.edits.pictures.fake_engines import HEIGHT, WIDTH, Fake


class Courier:
    """Fetches one photo; shows nothing."""

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        return encoded(scene(WIDTH, HEIGHT), "PNG")

    @contextlib.asynccontextmanager
    async def busy(self, edit: Edit) -> AsyncIterator[None]:
        yield


@pytest.fixture
async def steps(tmp_path: Path) -> AsyncIterator[EditSteps]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pictures.pixels",)) as pool:
        store, courier = Store(database, EditLimits()), Courier()
        photos, results = (FileCache(tmp_path / name, max_bytes=10**8) for name in ("photos", "results"))
        yield EditSteps(
            store=store,
            editor=Editor([Fake("local", sure=False).engine], pool, max_megapixels=50),
            courier=courier,
            announcer=Announcer(store, courier, alone=True),
            files=EditFiles(courier, photos, results, max_file_bytes=10**7),
        )
    await database.close()


async def test_a_repeated_step_asks_again_and_only_a_yes_erases(steps: EditSteps) -> None:
    request = EditRequest("key", 7, 7, 1, Operation.REMOVE_SUBJECT, PhotoRef("file", "unique"), "en")
    edit, _ = await steps.store.add(request, State.QUEUED)
    for _ in range(2):  # the process crashes before the step's checkpoint: the step runs again
        with pytest.raises(DoubtfulFindError):
            await steps.make(edit.id)
        assert await steps.store.mask(edit.id) is not None, "stored, to be shown with the question"
    await steps.store.change(edit.id, state=State.FAILED, error="doubtful")
    assert (await steps.store.queueing.retry(edit.id)).edits
    made = await steps.make(edit.id)
    assert made is not None
    assert made.file.path.exists()
