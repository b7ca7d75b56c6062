"""A step that is repeated during an outage: the photo is not blamed, and a full disk is an outage."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.edits.model import Edit, Operation, PhotoRef
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.files import EditFiles
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.steps import MAX_STARTS, CheckpointedResult, EditSteps
from bot.errors import OutageError
from bot.imaging.pool import PixelPool
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from tests.support import encoded, scene
from tests.unit.edits.pictures.fake_engines import HEIGHT, WIDTH, Fake


class Courier:
    """Fetches one photo, unless Telegram is down; shows nothing."""

    def __init__(self) -> None:
        self.is_down = False

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        if self.is_down:
            raise OutageError("telegram-trouble")
        return encoded(scene(WIDTH, HEIGHT), "PNG")

    @contextlib.asynccontextmanager
    async def busy(self, edit: Edit) -> AsyncIterator[None]:
        yield

    async def show_progress(self, edit: Edit, *, stage: object, position: int, **_: object) -> None:
        return None


@pytest.fixture
def courier() -> Courier:
    return Courier()


@pytest.fixture
async def steps(tmp_path: Path, courier: Courier) -> AsyncIterator[EditSteps]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pictures.pixels",)) as pool:
        store = Store(database, EditLimits())
        photos, results = (FileCache(tmp_path / name, max_bytes=10**8) for name in ("photos", "results"))
        yield EditSteps(
            store=store,
            editor=Editor([Fake("local").engine], pool, max_megapixels=50),
            courier=courier,
            announcer=Announcer(store, courier, alone=True),
            files=EditFiles(courier, photos, results, max_file_bytes=10**7),
        )
    await database.close()


@pytest.fixture
async def edit(steps: EditSteps) -> Edit:
    request = EditRequest("key", 7, 7, 1, Operation.REMOVE_SUBJECT, PhotoRef("file", "unique"), "en")
    return (await steps.store.add(request))[0]


async def test_a_long_outage_does_not_count_as_the_photos_fault(steps: EditSteps, edit: Edit, courier: Courier) -> None:
    courier.is_down = True
    for _ in range(3 * MAX_STARTS):
        with pytest.raises(OutageError):
            await steps.make(edit.id)
    courier.is_down = False
    assert isinstance(await steps.make(edit.id), CheckpointedResult)


async def test_a_full_disk_is_an_outage_and_the_edit_goes_on_after_it(
    steps: EditSteps, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", no_room)
        for _ in range(3 * MAX_STARTS):
            with pytest.raises(OutageError):
                await steps.make(edit.id)
    assert isinstance(await steps.make(edit.id), CheckpointedResult)


async def test_another_error_of_the_disk_is_no_outage(
    steps: EditSteps, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_path: Path, _data: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(OSError, match="error"):
        await steps.make(edit.id)
