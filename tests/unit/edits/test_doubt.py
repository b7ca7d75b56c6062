"""A doubtful find is asked about, however often the process dies on the way to the question."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.edits.announcer import Announcer
from bot.edits.editor import DoubtfulFindError, Editor
from bot.edits.model import Edit, EditRequest, Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.steps import EditSteps
from bot.imaging.pool import PixelPool
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from tests.support import encoded, scene
from tests.unit.edits.test_editor import HEIGHT, WIDTH, Fake


class Courier:
    """Carries the photo; its words are heard by nobody."""

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        return encoded(scene(WIDTH, HEIGHT), "PNG")

    @contextlib.asynccontextmanager
    async def busy(self, edit: Edit) -> AsyncIterator[None]:
        yield


@pytest.fixture
async def steps(tmp_path: Path) -> AsyncIterator[EditSteps]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pixels",)) as pool:
        store, courier = Store(database, EditLimits()), Courier()
        photos, results = (FileCache(tmp_path / name, max_bytes=10**8) for name in ("photos", "results"))
        yield EditSteps(
            store=store,
            editor=Editor([Fake("local", sure=False).engine], pool, max_megapixels=50),
            courier=courier,
            announcer=Announcer(store, courier, alone=True),
            photos=photos,
            results=results,
            max_file_bytes=10**7,
        )
    await database.close()


async def test_the_step_that_was_cut_off_doubts_again_and_only_a_yes_erases(steps: EditSteps) -> None:
    order = EditRequest("key", 7, 7, 1, Operation.REMOVE_SUBJECT, PhotoRef("file", "unique"), "en")
    edit, _ = await steps.store.add(order, State.QUEUED)
    for _ in range(2):  # the process dies between the step's own writing and its checkpoint: the step runs again
        with pytest.raises(DoubtfulFindError):
            await steps.make(edit.id)
        assert await steps.store.mask(edit.id) is not None, "kept, to be shown with the question"
    await steps.store.change(edit.id, state=State.FAILED, error="doubtful")
    assert await steps.store.requeue(edit.id) is not None
    kept = await steps.make(edit.id)
    assert kept is not None
    assert kept.made.path.exists()
