"""Whole edits, file to file: the editor with the local engine and one pixel process, as the command line runs them."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import cv2

from bot.edits.model import Operation
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import Job
from bot.engines.local import local_engine
from bot.imaging.encoding import encode_mask
from bot.imaging.masks import coverage
from bot.imaging.pool import PixelPool
from bot.preload import PRELOAD
from tests.benchmarks import _models, _photos, _sheets
from tests.benchmarks._cost import RUNS, Cost, peak, tell

SIDES = _photos.SIDES[1:]
MAX_MEGAPIXELS = 50.0

REMOVE_SUBJECT = Job(Operation.REMOVE_SUBJECT, accept_doubtful=True, keep_mask=True)
REMOVE_BACKGROUND = Job(Operation.REMOVE_BACKGROUND, accept_doubtful=True)
ERASE = Job(Operation.ERASE)


@asynccontextmanager
async def editing(
    folder: Path, models: Path | None = None, *, workers: int = 1
) -> AsyncIterator[tuple[Editor, PixelPool]]:
    """An editor and its pixel processes, with the local engine.

    Args:
        folder: For its scratch files.
        models: Folder of model files; None: it works without.
        workers: Pixel processes.
    """
    async with PixelPool(workers=workers, scratch=folder / "scratch", preload=PRELOAD) as pool:
        editor = Editor([local_engine(pool, models=models)], pool, max_megapixels=MAX_MEGAPIXELS, matte_side=None)
        yield editor, pool


async def _measured(source: Path, job: Job, folder: Path) -> tuple[Cost, bool]:
    """Cost of an edit, and whether all its runs gave the same bytes."""
    target, took, digests = folder / "result", [], set()
    async with editing(folder, _models.only(_models.SMALL)) as (editor, pool):
        for _ in range(1 + RUNS):
            begun = time.perf_counter()
            await editor.edit(source, job, target)
            took.append(time.perf_counter() - begun)
            digests.add(hashlib.sha256(target.read_bytes()).digest())
        return Cost(statistics.median(took[1:]), await pool.run(peak)), len(digests) == 1


async def measure() -> list[str]:
    """The table's lines."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for side in SIDES:
            pixels, hole = _photos.large(side)
            source = folder / f"{side}.jpg"
            cv2.imwrite(str(source), pixels[..., ::-1])
            size = f"{pixels.shape[1]} × {pixels.shape[0]}"
            for edit, job in (
                (f"erase, a mask of {coverage(hole):.1%}", replace(ERASE, mask=encode_mask(hole))),
                ("remove the subject", REMOVE_SUBJECT),
                ("remove the background, clean", REMOVE_BACKGROUND),
                ("remove the background, transparent", replace(REMOVE_BACKGROUND, finish="transparent")),
            ):
                tell(f"{edit}, {size}")
                cost, same = await _measured(source, job, folder)
                rows.append([edit, size, f"{cost.seconds:.2f}", f"{cost.megabytes:.0f}", "yes" if same else "NO"])
    head = ["edit", "photo", "seconds", "peak MB", "the same bytes every time"]
    return [
        *_sheets.table(head, rows),
        "",
        (
            "JPEG in, JPEG out (transparent: PNG), file to file: opening, finding the mask, filling, encoding. "
            f"Seconds: median of {RUNS} after one edit that warms the process up. Peak MB: of the pixel process over "
            f"all {1 + RUNS} edits. The subject is found by {_models.SMALL} where its file is there."
        ),
        *(line for line in _models.missing() if _models.SMALL in line),
    ]


def main() -> list[str]:
    """The table's lines."""
    return [why] if (why := _photos.missing()) else asyncio.run(measure())
