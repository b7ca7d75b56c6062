"""The file cache: bounded in bytes, atomic writes, keys of any text."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage.file_cache import FileCache


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "cache", max_bytes=1000)


def aged(cache: FileCache, key: str, seconds: float) -> None:
    """Set the time of the key's last use."""
    then = time.time() - seconds
    os.utime(cache.path(key), (then, then))


def size(cache: FileCache) -> int:
    return sum(path.stat().st_size for path in cache.folder.iterdir())


async def test_a_file_that_was_put_is_found(cache: FileCache) -> None:
    assert cache.find("a") is None
    path = await cache.put("a", b"first")
    assert cache.find("a") == path
    assert path.read_bytes() == b"first"
    assert await cache.put("a", b"second") == path
    assert path.read_bytes() == b"second"
    cache.remove("a")
    cache.remove("a")
    assert cache.find("a") is None


async def test_the_cache_never_exceeds_its_limit(cache: FileCache) -> None:
    for number in range(12):
        await cache.put(str(number), b"x" * 300)
        assert size(cache) <= 1000
        assert cache.find(str(number)) is not None


async def test_concurrent_puts_do_not_exceed_the_limit(cache: FileCache) -> None:
    await asyncio.gather(*(cache.put(str(number), b"x" * 300) for number in range(40)))
    assert size(cache) <= 1000


async def test_the_least_recently_used_file_is_evicted_first(cache: FileCache) -> None:
    for number, key in enumerate("abc"):
        await cache.put(key, b"x" * 300)
        aged(cache, key, 100 - number)
    assert cache.find("a") is not None
    await cache.put("d", b"x" * 300)
    assert [key for key in "abcd" if cache.find(key)] == ["a", "c", "d"]


async def test_a_file_larger_than_the_limit_is_kept_alone(cache: FileCache) -> None:
    await cache.put("a", b"x" * 300)
    path = await cache.put("large", b"x" * 5000)
    assert path.stat().st_size == 5000
    assert cache.find("a") is None
    await cache.put("b", b"x" * 300)
    assert cache.find("large") is None


async def test_evict_counts_files_that_were_written_without_put(cache: FileCache) -> None:
    for key in ("a", "b"):
        await cache.put(key, b"x" * 400)
        aged(cache, key, 100)
    written = cache.path("c")
    written.write_bytes(b"x" * 900)
    cache.evict(keep=written)
    assert list(cache.folder.iterdir()) == [written]


async def test_a_failed_write_leaves_the_old_file(cache: FileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    await cache.put("a", b"before")

    def disk_full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", disk_full)
        with pytest.raises(OSError, match="No space left"):
            await cache.put("a", b"after")
    found = cache.find("a")
    assert found is not None
    assert found.read_bytes() == b"before"
    assert list(cache.folder.iterdir()) == [found]


async def test_a_reader_during_a_write_sees_the_old_or_the_new_file(cache: FileCache) -> None:
    versions = [bytes([number]) * 400 for number in range(30)]
    await cache.put("a", versions[0])

    async def read() -> set[bytes]:
        seen = set()
        for _ in range(200):
            found = cache.find("a")
            assert found is not None
            seen.add(await asyncio.to_thread(found.read_bytes))
        return seen

    reading = asyncio.create_task(read())
    for version in versions:
        await cache.put("a", version)
    assert await reading <= set(versions)


@given(st.text(st.characters(), max_size=300))
def test_no_key_gives_a_path_outside_the_folder(key: str) -> None:
    cache = FileCache(Path("cache"), max_bytes=1)
    assert cache.path(key).parent == Path("cache")
    assert cache.path(key).name.isalnum()


async def test_hostile_keys_work_like_others(cache: FileCache) -> None:
    keys = ["", "../../etc/passwd", "/", "a\0b", "new-x", "\ud800", "x" * 100_000, "ключ", "."]
    paths = [await cache.put(key, b"x") for key in keys]
    assert len(set(paths)) == len(keys)
    assert {path.parent for path in paths} == {cache.folder}
    assert sorted(cache.folder.iterdir()) == sorted(paths)
    assert all(cache.find(key) for key in keys)


async def test_old_files_are_swept_and_new_or_recently_used_ones_stay(cache: FileCache) -> None:
    for key in ("old", "used", "young"):
        await cache.put(key, b"x")
        aged(cache, key, 10 if key == "young" else 7200)
    cache.find("used")
    hour_ago = time.time() - 3600
    assert cache.sweep(older_than=hour_ago, dry_run=True) == 1
    assert cache.path("old").exists()
    assert cache.sweep(older_than=hour_ago) == 1
    assert [key for key in ("old", "used", "young") if cache.path(key).exists()] == ["used", "young"]
    assert cache.sweep(older_than=hour_ago) == 0


def test_a_missing_folder_can_be_swept(cache: FileCache) -> None:
    assert cache.sweep(older_than=time.time()) == 0
    cache.clear_unfinished()


async def test_old_partial_files_are_deleted_and_new_ones_stay(cache: FileCache) -> None:
    await cache.put("a", b"x")
    left, current = cache.folder / "new-left", cache.folder / "new-current"
    for path in (left, current):
        path.write_bytes(b"half")
    os.utime(left, (time.time() - 7200,) * 2)
    cache.clear_unfinished()
    assert not left.exists()
    assert current.exists()
    assert cache.find("a") is not None
    assert cache.sweep(older_than=time.time() + 60) == 1
