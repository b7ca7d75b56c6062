"""Opens one file, as the bot does, and says what came of it."""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.errors import BotError, UnusableInputError
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo
from bot.imaging.pool import PixelPool
from bot.texts import LANGUAGES, Texts

MAX_MEGAPIXELS = 50.0
MAX_FILE_BYTES = 20_000_000
MAX_SECONDS = 5.0
"""Processor time for opening a file; the pool kills its process after 8 s."""

BATCH = 20
"""Files of one job. The longest that are no fault take 100 s together, and the pool allows 300."""

MAX_MEGABYTES = 1000
"""Memory of the process that opens a file."""

CODES = frozenset(
    f"photo-{what}"
    for what in ("empty", "unreadable", "broken", "too-large", "too-many-pixels", "too-small", "too-complex", "raw")
)
"""The message ids of refusals that `open_photo` documents."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one file.

    Attributes:
        outcome: "opened", or the message id of the refusal.
        fault: What is wrong with the program; "": nothing.
        seconds: Processor time of opening it.
        megabytes: The largest memory of the process meanwhile.
    """

    outcome: str
    fault: str
    seconds: float = 0.0
    megabytes: int = 0


def judge(data: bytes) -> Judgement:
    """Open a file and encode the photo; runs in a process of the pixel pool."""
    _forget_peak()
    begun = time.process_time()
    outcome, fault, photo = "opened", "", None
    try:
        photo = open_photo(data, max_megapixels=MAX_MEGAPIXELS, max_bytes=MAX_FILE_BYTES)
    except UnusableInputError as error:
        outcome, fault = error.message_id, _fault_of_refusal(error)
    except Exception:  # noqa: BLE001 -- every other exception is a find
        outcome, fault = "raised", traceback.format_exc()
    seconds, megabytes = time.process_time() - begun, _peak()
    if photo is not None:
        fault = _fault_of_photo(photo)
    if seconds > MAX_SECONDS:
        fault = fault or f"took {seconds:.1f} s"
    if megabytes > MAX_MEGABYTES:
        fault = fault or f"took {megabytes} MB"
    return Judgement(outcome, fault, seconds, megabytes)


async def judge_all(
    pool: PixelPool, files: Iterable[tuple[str, bytes]], enough: Callable[[], bool] = lambda: False
) -> AsyncIterator[tuple[str, bytes, Judgement]]:
    """Judge files in the pool's process, until there are none left or `enough` says so.

    A job judges a batch of files, which spares most of the way between the processes. If its process dies, each file of
    the batch gets a job of its own, which shows the one that is the cause.
    """
    left = iter(files)
    while batch := list(itertools.islice(left, BATCH)):
        try:
            judgements = await pool.run(judge_batch, [data for _, data in batch])
        except BotError:
            judgements = [await _judge_alone(pool, data) for _, data in batch]
        for (name, data), judgement in zip(batch, judgements, strict=True):
            yield name, data, judgement
        if enough():
            return


async def _judge_alone(pool: PixelPool, data: bytes) -> Judgement:
    try:
        return await pool.run(judge, data)
    except BotError as error:  # the process crashed, or was killed for its time
        return Judgement("killed", str(error))


def judge_batch(files: list[bytes]) -> list[Judgement]:
    """Judge several files; runs in a process of the pixel pool."""
    return [judge(data) for data in files]


def pixel_pool(scratch: Path) -> PixelPool:
    """A pool of one process, as the bot has."""
    return PixelPool(workers=1, timeout=300.0, scratch=scratch, preload=("tests.fuzz.judging",))


def _fault_of_refusal(error: UnusableInputError) -> str:
    if error.message_id not in CODES:
        return f"refused by an unknown code: {error}"
    if error.facts.get("why") == "MemoryError":
        return f"ran out of memory: {error}"
    texts = Texts()
    for language in LANGUAGES:
        try:
            texts.get(language, error.message_id, **error.facts)
        except KeyError as missing:
            return f"no text in {language}, {missing} is missing: {error}"
    return ""


def _fault_of_photo(photo: Photo) -> str:
    """Whether the photo keeps what its docstring says, and can be encoded."""
    height, width = photo.pixels.shape[:2]
    if photo.pixels.shape != (height, width, 3) or photo.pixels.dtype != np.uint8:
        return f"pixels are {photo.pixels.shape} {photo.pixels.dtype}"
    if photo.alpha is not None and (photo.alpha.shape != (height, width) or photo.alpha.dtype != np.uint8):
        return f"alpha is {photo.alpha.shape} {photo.alpha.dtype}"
    if min(width, height) < 8 or width * height > MAX_MEGAPIXELS * 1e6 or photo.frames < 1 or photo.pictures < 1:
        return f"{width} × {height}, {photo.frames} frames, {photo.pictures} pictures"
    if width * height > 1_000_000:
        return ""  # encoding so many pixels takes seconds, and says nothing new
    try:
        encode(photo)
        encode(photo, "PNG")
    except Exception:  # noqa: BLE001 -- every exception is a find
        return traceback.format_exc()
    return ""


def _forget_peak() -> None:
    """Let the kernel measure this process's largest memory from now on (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Megabytes of the largest resident memory since `_forget_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0
