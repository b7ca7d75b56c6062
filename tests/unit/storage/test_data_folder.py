"""The data folder has a bound: what counts, when new edits are refused, and when the operator is warned."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY

from bot.edits.bare_photos import BarePhoto
from bot.edits.model import Operation, PhotoRef, State
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.errors import PersonError
from bot.storage import data_folder
from bot.storage.data_folder import LOW_BYTES, RESERVE_BYTES, DataFolder
from bot.storage.database import Database

BOUND = 1_000_000


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The free bytes of the disk, which a test may set."""
    left = [100 * LOW_BYTES]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=left[0]))
    return left


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))


def test_all_files_count_but_the_models(tmp_path: Path, free: list[int]) -> None:
    folder = DataFolder(tmp_path / "data", max_bytes=BOUND, database=tmp_path / "data" / "bot.sqlite")
    assert folder.measure().used == 0, "a missing folder is made"
    for name, size in {
        "bot.sqlite": 100,
        "bot.sqlite-wal": 20,
        "cache/photos/a": 3,
        "models/u2netp.onnx": 9000,
    }.items():
        put(tmp_path / "data" / name, size)
    (tmp_path / "data" / "link").symlink_to(tmp_path)
    assert folder.measure().used == 123
    assert folder.measure(reusable=50).used == 73
    assert REGISTRY.get_sample_value("bot_data_bytes") == 73
    assert REGISTRY.get_sample_value("bot_data_max_bytes") == BOUND
    assert REGISTRY.get_sample_value("bot_disk_free_bytes") == free[0]


def test_a_database_elsewhere_counts_too(tmp_path: Path, free: list[int]) -> None:
    folder = DataFolder(tmp_path / "data", max_bytes=BOUND, database=tmp_path / "elsewhere.sqlite")
    put(tmp_path / "elsewhere.sqlite", 100)
    put(tmp_path / "elsewhere.sqlite-wal", 20)
    assert folder.measure().used == 120


@pytest.mark.usefixtures("free")
def test_near_the_bound_the_operator_is_warned_and_at_it_new_edits_are_refused(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, max_bytes=BOUND, database=None)
    folder.check_room()
    for size, warned, full in ((790_000, False, False), (800_000, True, False), (1_000_000, True, True)):
        put(tmp_path / "masks", size)
        folder.measure()
        assert (folder.warning() is not None, folder.is_full()) == (warned, full), size
    assert folder.warning() == "DATA_DIR takes 1 of 1 MB (DATA_MAX_MB)"
    with pytest.raises(PersonError) as refused:
        folder.check_room()
    assert refused.value.message_id == "storage-full"


def test_a_disk_that_is_nearly_full_counts_as_full(tmp_path: Path, free: list[int]) -> None:
    folder = DataFolder(tmp_path, max_bytes=BOUND, database=None)
    for left, warned, full in (
        (LOW_BYTES, False, False),
        (LOW_BYTES - 1, True, False),
        (RESERVE_BYTES - 1, True, True),
    ):
        free[0] = left
        folder.measure()
        assert (folder.warning() is not None, folder.is_full()) == (warned, full), left
    assert folder.warning() == "the disk of DATA_DIR is nearly full: 200 MB free"


async def test_the_watch_goes_on_after_a_failure(
    tmp_path: Path, free: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_folder, "MEASURE_SECONDS", 0.0)
    folder = DataFolder(tmp_path, max_bytes=BOUND, database=None)
    calls, measured = 0, asyncio.Event()

    async def reusable() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError(5, "Input/output error")
        if calls == 3:
            measured.set()
        return 0

    watching = asyncio.create_task(folder.watch(reusable))
    async with asyncio.timeout(60):
        await measured.wait()
    assert folder.use is not None
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_full_folder_takes_nothing_new_and_loses_nothing(tmp_path: Path, free: list[int]) -> None:
    folder = DataFolder(tmp_path / "data", max_bytes=BOUND, database=None)
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    store = Store(database, EditLimits(check_room=folder.check_room))

    def request(message: int, operation: Operation) -> EditRequest:
        return EditRequest(f"{message}", 7, 7, message, operation, PhotoRef("file", "unique"), "en")

    running, _ = await store.add(request(1, Operation.REMOVE_SUBJECT))
    waiting, _ = await store.add(request(2, Operation.ERASE), State.WAITING_FOR_MASK)
    failed, _ = await store.add(request(3, Operation.REMOVE_SUBJECT))
    await store.fail(failed.id, "took-too-long")
    put(tmp_path / "data" / "masks", BOUND)
    folder.measure()
    new = (
        lambda: store.add(request(4, Operation.REMOVE_SUBJECT)),
        lambda: store.add(request(5, Operation.ERASE), State.WAITING_FOR_MASK),
        lambda: store.offers.add(BarePhoto(7, 7, 6, PhotoRef("file", "unique"), "en")),
        lambda: store.queueing.queue_with_mask(waiting.id, b"png", "k"),
        lambda: store.queueing.retry(failed.id),
    )
    for begin in new:
        with pytest.raises(PersonError) as refused:
            await begin()
        assert refused.value.message_id == "storage-full"
    again, is_new = await store.add(request(1, Operation.REMOVE_SUBJECT))
    assert (again.id, is_new) == (running.id, False), "a repeated request is no new edit"
    assert await store.begin(running.id) is not None
    assert await store.finish(running.id, PhotoRef("result", "ru")) is not None, "what runs ends as usual"
    (tmp_path / "data" / "masks").unlink()
    folder.measure()
    for begin in new:
        await begin()
    await database.close()
