"""Fetching model files from a server that truncates, lies and stalls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import OperatorError, PersonError, WorldError
from bot.models.fetch import download
from bot.models.registry import MODELS
from tests.unit.models.conftest import Register

CONTENT = bytes(range(256)) * 4000
NAME = "u2netp"


class Shelf:
    """A file server whose behaviour each test chooses, request by request."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.ranges: list[str | None] = []
        self.break_after: list[int | None] = []
        self.stall_after: list[int | None] = []
        self.ignores_ranges = False
        self.status = 200
        self.released = asyncio.Event()
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        assert request.path == f"/models/{MODELS[NAME].file}"
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        if self.status != 200:
            return web.Response(status=self.status)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not self.ignores_ranges else 0
        if start and start >= len(self.content):
            return web.Response(status=416)
        rest = self.content[start:]
        headers = {"Content-Length": str(len(rest))}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        cut = self.break_after.pop(0) if self.break_after else None
        stall = self.stall_after.pop(0) if self.stall_after else None
        await response.write(rest[: cut if cut is not None else stall])
        if cut is not None:
            assert request.transport is not None
            request.transport.close()
        elif stall is not None:
            await self.released.wait()
        return response


@pytest.fixture
async def shelf(publish: Register, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shelf]:
    monkeypatch.setattr("bot.models.fetch._PAUSE_SECONDS", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    shelf = Shelf()
    application = web.Application()
    application.router.add_get("/models/{file}", shelf.serve)
    server = TestServer(application)
    await server.start_server()
    shelf.url = str(server.make_url("/models"))
    publish(NAME, CONTENT, f"{shelf.url}/{MODELS[NAME].file}")
    yield shelf
    shelf.released.set()
    await server.close()


async def test_a_file_arrives_whole_with_progress(shelf: Shelf, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    (path,) = await download([NAME], tmp_path / "new", on_progress=lambda *facts: told.append(facts))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (NAME, len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


async def test_a_file_that_is_there_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    await download([NAME], tmp_path)
    await download([NAME], tmp_path)
    assert shelf.ranges == [None]


async def test_a_damaged_file_is_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / MODELS[NAME].file).write_bytes(CONTENT[:-1] + b"!")
    (path,) = await download([NAME], tmp_path)
    assert path.read_bytes() == CONTENT


async def test_a_broken_connection_is_resumed_where_it_ended(shelf: Shelf, tmp_path: Path) -> None:
    shelf.break_after = [300_000, 200_000]
    (path,) = await download([NAME], tmp_path)
    assert path.read_bytes() == CONTENT
    assert shelf.ranges[0] is None
    assert all(asked is not None and asked != "bytes=0-" for asked in shelf.ranges[1:])


async def test_an_earlier_runs_part_is_gone_on_with(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    (path,) = await download([NAME], tmp_path)
    assert shelf.ranges == ["bytes=1000-"]
    assert path.read_bytes() == CONTENT


async def test_a_server_without_ranges_starts_over(shelf: Shelf, tmp_path: Path) -> None:
    shelf.ignores_ranges = True
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    (path,) = await download([NAME], tmp_path)
    assert path.read_bytes() == CONTENT


async def test_a_part_of_another_file_is_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 1000)
    (path,) = await download([NAME], tmp_path)
    assert shelf.ranges == ["bytes=1000-", None]
    assert path.read_bytes() == CONTENT


async def test_a_part_longer_than_the_file_is_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT + b"more")
    (path,) = await download([NAME], tmp_path)
    assert path.read_bytes() == CONTENT


async def test_a_server_that_lies_leaves_nothing_in_the_folder(shelf: Shelf, tmp_path: Path) -> None:
    shelf.content = CONTENT[:-1] + b"!"
    with pytest.raises(WorldError, match="models-broken"):
        await download([NAME], tmp_path)
    assert not (tmp_path / MODELS[NAME].file).exists()


async def test_a_server_that_sends_more_than_the_file_is_stopped(shelf: Shelf, tmp_path: Path) -> None:
    shelf.content = CONTENT + b"more"
    with pytest.raises(WorldError, match="models-broken"):
        await download([NAME], tmp_path)
    assert not (tmp_path / MODELS[NAME].file).exists()


async def test_a_server_that_sends_less_each_time_is_given_up(shelf: Shelf, tmp_path: Path) -> None:
    shelf.content = CONTENT[:5000]
    with pytest.raises(WorldError, match="models-"):
        await download([NAME], tmp_path)
    assert not (tmp_path / MODELS[NAME].file).exists()


async def test_a_stalled_connection_is_given_up_and_resumed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.stall_after = [100_000]
    (path,) = await download([NAME], tmp_path, stall_seconds=2.0)
    assert path.read_bytes() == CONTENT
    assert len(shelf.ranges) == 2


async def test_a_server_that_only_stalls_is_unreachable(shelf: Shelf, tmp_path: Path) -> None:
    shelf.stall_after = [0, 0, 0, 0]
    with pytest.raises(WorldError, match="models-unreachable"):
        await download([NAME], tmp_path, stall_seconds=0.1)


@pytest.mark.parametrize("status", [404, 503])
async def test_a_server_that_refuses_is_unreachable(status: int, shelf: Shelf, tmp_path: Path) -> None:
    shelf.status = status
    with pytest.raises(WorldError, match=f"models-unreachable.*HTTP {status}"):
        await download([NAME], tmp_path)
    assert len(shelf.ranges) == (1 if status == 404 else 4)


async def test_two_at_once_do_not_write_into_each_other(shelf: Shelf, tmp_path: Path) -> None:
    shelf.stall_after = [1000]
    arrived = asyncio.Event()
    first = asyncio.create_task(download([NAME], tmp_path, on_progress=lambda *_: arrived.set(), stall_seconds=5))
    async with asyncio.timeout(60):
        await arrived.wait()
    with pytest.raises(WorldError, match="models-busy"):
        await download([NAME], tmp_path)
    shelf.released.set()
    (path,) = await first
    assert path.read_bytes() == CONTENT


async def test_an_unknown_name_is_the_persons_mistake(tmp_path: Path) -> None:
    with pytest.raises(PersonError, match="models-unknown"):
        await download(["u2nett"], tmp_path)


async def test_a_folder_that_cannot_be_made_is_the_operators(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OperatorError, match="models-folder"):
        await download([NAME], tmp_path / "file" / "models")


@pytest.fixture
async def mirror(shelf: Shelf) -> AsyncIterator[Shelf]:
    """A second server, for the setting MODELS_MIRROR."""
    mirror = Shelf()
    application = web.Application()
    application.router.add_get("/models/{file}", mirror.serve)
    server = TestServer(application)
    await server.start_server()
    mirror.url = str(server.make_url("/models"))
    yield mirror
    await server.close()


async def test_a_mirror_is_asked_before_the_published_address(shelf: Shelf, mirror: Shelf, tmp_path: Path) -> None:
    (path,) = await download([NAME], tmp_path, mirror=f"{mirror.url}/")
    assert path.read_bytes() == CONTENT
    assert (mirror.ranges, shelf.ranges) == ([None], [])


@pytest.mark.parametrize("fault", ["gone", "other content", "longer", "breaks off"])
async def test_a_mirror_that_does_not_give_the_file_leaves_it_to_the_published_address(
    fault: str, shelf: Shelf, mirror: Shelf, tmp_path: Path
) -> None:
    if fault == "gone":
        mirror.status = 404
    elif fault == "other content":
        mirror.content = CONTENT[:-1] + b"!"
    elif fault == "longer":
        mirror.content = CONTENT + b"more"
    else:
        mirror.break_after = [0, 0, 0, 0]
    (path,) = await download([NAME], tmp_path, mirror=mirror.url)
    assert path.read_bytes() == CONTENT
    assert mirror.ranges
    assert shelf.ranges == [None]


async def test_where_neither_answers_the_published_address_is_named(
    shelf: Shelf, mirror: Shelf, tmp_path: Path
) -> None:
    shelf.status = mirror.status = 404
    with pytest.raises(WorldError, match=f"models-unreachable.*{shelf.url}"):
        await download([NAME], tmp_path, mirror=mirror.url)
