"""Fetching model files: resumed where it broke off, checked before it counts, put in place in one step."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import aiohttp
import structlog

from bot.errors import OperatorError, PersonError, WorldError
from bot.models.files import is_sound
from bot.models.registry import MODELS, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the model's name, the bytes that are there, and the bytes in all."""

_CHUNK = 1 << 18
_ATTEMPTS = 4
_CONNECT_SECONDS = 20.0
_PAUSE_SECONDS = 1.0
"""Before the second try; doubled before each further one."""


async def download(
    names: Iterable[str],
    folder: Path,
    *,
    on_progress: Progress | None = None,
    mirror: str | None = None,
    stall_seconds: float = 30.0,
) -> tuple[Path, ...]:
    """Fetch models into a folder, one after the other. Those that are there already are left alone.

    A file is first written beside its place (``.part``), resumed by Range where an earlier try ended, compared with its
    published size and SHA-256, and only then renamed. So a reader never sees half a file.

    Args:
        names: Names of the registry.
        folder: Made if it is missing.
        on_progress: Told after each piece.
        mirror: Try ``<mirror>/<file name>`` before the published address.
        stall_seconds: A connection that is silent for so long is given up and tried again.

    Returns:
        The files, in the order of the names.

    Raises:
        PersonError: No model has that name (``models-unknown``).
        OperatorError: The folder cannot be written (``models-folder``).
        WorldError: Not reachable, or broke off again and again (``models-unreachable``); what came is not the
            published file (``models-broken``); another process is fetching it just now (``models-busy``).
    """
    wanted = [_named(name) for name in names]
    tell = on_progress or (lambda _name, _done, _total: None)
    paths: list[Path] = []
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=stall_seconds)
    # No compression: Range counts the bytes that travel, and the checksum the bytes that are kept.
    headers = {"Accept-Encoding": "identity", "User-Agent": "photo-cleaning-bot"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as web:
        for model in wanted:
            urls = [f"{mirror.rstrip('/')}/{model.file}", model.url] if mirror else [model.url]
            paths.append(await _fetch(web, model, urls, folder, tell))
    return tuple(paths)


def _named(name: str) -> Model:
    if name not in MODELS:
        raise PersonError("models-unknown", name=name, known=", ".join(MODELS))
    return MODELS[name]


async def _fetch(web: aiohttp.ClientSession, model: Model, urls: Sequence[str], folder: Path, tell: Progress) -> Path:
    place = folder / model.file
    if await asyncio.to_thread(is_sound, model, place):
        tell(model.name, place.stat().st_size, place.stat().st_size)
        return place
    try:
        with _part(place.with_suffix(".part"), model) as part:
            await _fill_from_first(web, model, urls, part, tell)
            part.flush()
            await asyncio.to_thread(os.fsync, part.fileno())
            os.replace(part.name, place)
    except OSError as error:
        if isinstance(error, aiohttp.ClientError | TimeoutError):
            raise
        raise OperatorError("models-folder", folder=str(folder), why=error.strerror or str(error)) from error
    log.info("model_fetched", name=model.name, bytes=place.stat().st_size)
    return place


async def _fill_from_first(
    web: aiohttp.ClientSession, model: Model, urls: Sequence[str], part: IO[bytes], tell: Progress
) -> None:
    """Ask the addresses in turn; the last one's failure is the caller's."""
    for url in urls[:-1]:
        try:
            return await _fill_part(web, model, url, part, tell)
        except WorldError as error:
            log.info("mirror_failed", name=model.name, reason=str(error))
    return await _fill_part(web, model, urls[-1], part, tell)


async def _fill_part(web: aiohttp.ClientSession, model: Model, url: str, part: IO[bytes], tell: Progress) -> None:
    """Try until the part file is whole and right, going on where the last try ended."""
    failures: list[str] = []
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
        resumed = part.tell() > 0
        try:
            await _receive(web, model, url, part, tell)
        except TimeoutError:
            failures.append("stall")
            continue
        except aiohttp.ClientResponseError as error:
            failures.append(f"HTTP {error.status}")
            if error.status in (401, 403, 404, 410):
                break
            continue
        except aiohttp.ClientError as error:
            failures.append(type(error).__name__)
            continue
        part.flush()
        if await asyncio.to_thread(is_sound, model, Path(part.name)):
            return
        _start_over(part)
        if not resumed:
            raise WorldError("models-broken", name=model.name, url=url)
        # The beginning may have been an older file's: once more, from nothing.
        failures.append("checksum")
    raise WorldError("models-unreachable", name=model.name, url=url, why=", ".join(failures))


async def _receive(web: aiohttp.ClientSession, model: Model, url: str, part: IO[bytes], tell: Progress) -> None:
    there = part.seek(0, os.SEEK_END)
    headers = {"Range": f"bytes={there}-"} if there else {}
    async with web.get(url, headers=headers) as response:
        if response.status == 416:  # all of it is there already, or the file has become shorter: the checksum tells
            return
        response.raise_for_status()
        start = (response.headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
        if response.status != 206 or start != str(there):
            _start_over(part)
            there = 0
            if response.status == 206 and start != "0":
                raise aiohttp.ClientPayloadError("another range than asked for")
        async for piece in _pieces(response):
            there += len(piece)
            if there > model.size:
                _start_over(part)
                raise WorldError("models-broken", name=model.name, url=url, why="longer than published")
            part.write(piece)
            tell(model.name, there, model.size)
    if there < model.size:
        raise aiohttp.ClientPayloadError("shorter than published")


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for piece in response.content.iter_chunked(_CHUNK):
        yield piece


def _start_over(part: IO[bytes]) -> None:
    part.seek(0)
    part.truncate()


@contextmanager
def _part(path: Path, model: Model) -> Iterator[IO[bytes]]:
    """The part file, held by this process alone: several start at once and would write into each other's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorldError("models-busy", name=model.name) from error
        file.seek(0, os.SEEK_END)
        yield file
