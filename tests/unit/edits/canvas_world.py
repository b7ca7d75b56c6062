"""A canvas over a real store, with a fake courier and queue, for the tests of the canvas."""

from __future__ import annotations

import io
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from bot.edits.canvas import Canvas
from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.pictures.files import EditFiles
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.service import Edits
from bot.edits.shown_results import ShownResults
from bot.edits.variants import Variants
from bot.edits.workflow.announcer import Announcer
from bot.errors import PersonError
from bot.imaging.encoding import encode_mask
from bot.imaging.photo import Mask
from bot.imaging.pool import PixelPool
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from tests.support import encoded, scene

ADA, BEN = 7, 8
SIZE = (320, 240)


class FakeCourier:
    """Fetches photos from memory. Shows nothing: no background work runs here."""

    def __init__(self) -> None:
        self.photos = {"file": encoded(scene(*SIZE)), "result": encoded(scene(*SIZE, seed=8), "PNG")}
        self.fetched: list[str] = []

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        self.fetched.append(photo.file_id)
        return self.photos[photo.file_id]

    async def show_cancelled(self, edit: Edit, *, can_go_back: bool = False, followers: int = 0) -> None:
        raise AssertionError("no background work runs here")


class FakeQueue:
    """Records what is cancelled."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    async def cancel(self, edit_id: str, attempt: int) -> None:
        self.cancelled.append(edit_id)


def painted(width: int = SIZE[0], height: int = SIZE[1], *, at: int = 2) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2, width // 8 * at : width // 8 * (at + 1)] = 255
    return mask


def png(*, at: int = 2) -> bytes:
    return encode_mask(painted(at=at))


class World:
    """A canvas, and edits to open on it."""

    def __init__(self, database: Database, pool: PixelPool, folder: Path) -> None:
        self.store = Store(database, EditLimits(pending_per_person=2))
        self.courier, self.queue = FakeCourier(), FakeQueue()
        announcer = Announcer(self.store, self.courier, alone=True)
        photos, results = (FileCache(folder / name, max_bytes=10**8) for name in ("photos", "results"))
        files = EditFiles(self.courier, photos, results, max_file_bytes=10**7)
        self.edits = Edits(self.store, self.queue, self.courier, announcer)
        shown = ShownResults(self.store, self.edits, self.courier)
        self.variants = Variants(self.store, self.edits, shown, self.courier)
        self.shown: list[tuple[str, bool]] = []
        recorder = Mock(show=lambda _, edit, *, original=False: self.shown.append((edit.id, original)))
        self.canvas = Canvas(self.store, self.edits, files, pool, recorder, max_megapixels=50)
        self._message = 0

    async def opened(self, operation: Operation = Operation.ERASE, *, as_file: bool = False) -> Edit:
        self._message += 1
        photo = PhotoRef("file", "unique", as_file, "beach.png" if as_file else None)
        request = EditRequest(f"{self._message}", ADA, ADA, self._message, operation, photo, "en")
        edit, _ = await self.edits.submit(request)
        return edit

    async def finish(self, edit: Edit, state: State = State.DONE) -> Edit:
        values: dict[str, object] = {"state": state}
        if state is State.DONE:
            values |= {"result_file_id": "result", "result_unique_id": "ru", "result_as_file": edit.photo.as_file}
        done = await self.store.change(edit.id, **values)
        assert done is not None
        return done

    async def erased(self, *, key: str | None = "first", as_file: bool = False) -> Edit:
        edit = await self.opened(as_file=as_file)
        return await self.finish(await self.canvas.submit_mask(edit, png(), key=key))

    async def refusal(self, edit: Edit, mask: bytes, **options: object) -> str:
        with pytest.raises(PersonError) as refused:
            await self.canvas.submit_mask(edit, mask, **{"key": None, **options})
        return refused.value.message_id

    async def stored(self, edit: Edit) -> bytes | None:
        found = await self.store.mask(edit.id)
        return found.png if found else None


def opened_png(data: bytes | None) -> Mask:
    assert data is not None
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))
