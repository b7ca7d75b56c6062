"""Downloads model files: resumes interrupted downloads, checks the checksum, and puts the file in target atomically."""

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
from bot.models.files import is_intact
from bot.models.registry import MODELS, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the model's name, the bytes received, and the total bytes."""

_CHUNK = 1 << 18
_MAX_ATTEMPTS = 4
_CONNECT_SECONDS = 20.0
_PAUSE_SECONDS = 1.0
"""Pause before the second attempt; doubled before each further one."""


async def download(
    names: Iterable[str],
    folder: Path,
    *,
    on_progress: Progress | None = None,
    mirror: str | None = None,
    stall_seconds: float = 30.0,
) -> tuple[Path, ...]:
    """Download models into a folder, one after the other. Intact files are not downloaded again.

    A file is first written to ``<name>.part``, from where an earlier attempt ended (HTTP Range). Its size and SHA-256
    are checked, and only then it is renamed, so that a reader never sees half a file.

    Args:
        names: Names of the registry.
        folder: Created if it does not exist.
        on_progress: Called after each chunk.
        mirror: Try ``<mirror>/<file name>`` before the published address.
        stall_seconds: A connection that delivers nothing for this time is closed and tried again.

    Returns:
        The files, in the order of the names.

    Raises:
        PersonError: No model has that name (``models-unknown``).
        OperatorError: The folder cannot be written (``models-folder``).
        WorldError: The host is unreachable, or each connection broke (``models-unreachable``); the content is not
            the published file (``models-broken``); another process is downloading the model (``models-busy``).
    """
    models = [_model_by_name(name) for name in names]
    report = on_progress or (lambda _name, _done, _total: None)
    paths: list[Path] = []
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=stall_seconds)
    # No compression: Range counts the transferred bytes, the checksum covers the stored ones.
    headers = {"Accept-Encoding": "identity", "User-Agent": "photo-cleaning-bot"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as web:
        for model in models:
            urls = [f"{mirror.rstrip('/')}/{model.file}", model.url] if mirror else [model.url]
            paths.append(await _download_model(web, model, urls, folder, report))
    return tuple(paths)


def _model_by_name(name: str) -> Model:
    if name not in MODELS:
        raise PersonError("models-unknown", name=name, known=", ".join(MODELS))
    return MODELS[name]


async def _download_model(
    web: aiohttp.ClientSession, model: Model, urls: Sequence[str], folder: Path, report: Progress
) -> Path:
    target = folder / model.file
    if await asyncio.to_thread(is_intact, model, target):
        report(model.name, target.stat().st_size, target.stat().st_size)
        return target
    try:
        with _locked_part_file(target.with_suffix(".part"), model) as part:
            await _download_from_first(web, model, urls, part, report)
            part.flush()
            await asyncio.to_thread(os.fsync, part.fileno())
            os.replace(part.name, target)
    except OSError as error:
        if isinstance(error, aiohttp.ClientError | TimeoutError):
            raise
        raise OperatorError("models-folder", folder=str(folder), why=error.strerror or str(error)) from error
    log.info("model_fetched", name=model.name, bytes=target.stat().st_size)
    return target


async def _download_from_first(
    web: aiohttp.ClientSession, model: Model, urls: Sequence[str], part: IO[bytes], report: Progress
) -> None:
    """Try the URLs in turn; the last one's failure is raised."""
    for url in urls[:-1]:
        try:
            return await _download_part(web, model, url, part, report)
        except WorldError as error:
            log.info("mirror_failed", name=model.name, reason=str(error))
    return await _download_part(web, model, urls[-1], part, report)


async def _download_part(web: aiohttp.ClientSession, model: Model, url: str, part: IO[bytes], report: Progress) -> None:
    """Download until the part file is complete and intact; each attempt continues where the last one ended."""
    failures: list[str] = []
    for attempt in range(_MAX_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
        resumed = part.tell() > 0
        try:
            await _receive(web, model, url, part, report)
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
        if await asyncio.to_thread(is_intact, model, Path(part.name)):
            return
        _truncate(part)
        if not resumed:
            raise WorldError("models-broken", name=model.name, url=url)
        # The beginning may belong to an older file: once more, from the start.
        failures.append("checksum")
    raise WorldError("models-unreachable", name=model.name, url=url, why=", ".join(failures))


async def _receive(web: aiohttp.ClientSession, model: Model, url: str, part: IO[bytes], report: Progress) -> None:
    received = part.seek(0, os.SEEK_END)
    headers = {"Range": f"bytes={received}-"} if received else {}
    async with web.get(url, headers=headers) as response:
        if response.status == 416:  # complete already, or the file became shorter: the checksum decides
            return
        response.raise_for_status()
        start = (response.headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
        if response.status != 206 or start != str(received):
            _truncate(part)
            received = 0
            if response.status == 206 and start != "0":
                raise aiohttp.ClientPayloadError("not the requested range")
        async for piece in _pieces(response):
            received += len(piece)
            if received > model.size:
                _truncate(part)
                raise WorldError("models-broken", name=model.name, url=url, why="longer than published")
            part.write(piece)
            report(model.name, received, model.size)
    if received < model.size:
        raise aiohttp.ClientPayloadError("shorter than published")


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for piece in response.content.iter_chunked(_CHUNK):
        yield piece


def _truncate(part: IO[bytes]) -> None:
    part.seek(0)
    part.truncate()


@contextmanager
def _locked_part_file(path: Path, model: Model) -> Iterator[IO[bytes]]:
    """The part file, locked for this process, because several processes start at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorldError("models-busy", name=model.name) from error
        file.seek(0, os.SEEK_END)
        yield file
