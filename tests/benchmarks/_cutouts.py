"""What a cut-out costs, file to file: ours beside rembg with the same model file, in the same run."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import cv2

from bot.edits.pictures.editor import Editor
from bot.errors import NothingFoundError
from bot.terminal import ExitCode
from tests.benchmarks import _models, _photos, _rembg, _sheets
from tests.benchmarks._cost import LONG, RUNS, Cost, cost, peak, tell
from tests.benchmarks._whole_edits import REMOVE_BACKGROUND, editing

LARGE_SIDE = 4000
TRANSPARENT = replace(REMOVE_BACKGROUND, finish="transparent")
PLAIN: dict[str, bool] = {}
SWITCHES = {"colours": {"decontaminate": True}, "alpha matting": {"alpha_matting": True}}
"""Options of rembg that are off by default: colours of soft edges; colours and a finer matte."""
SLOW = frozenset({"alpha matting"})
"""At 4000 px: 36 s and 5.8 GB (docs/local-engine.md#peers): not measured at that size."""

Batch: TypeAlias = Callable[[list[Path], Path], Cost]
Command: TypeAlias = Callable[[list[Path], Path], float]


def ours(models: Path, sources: list[Path], folder: Path) -> Cost:
    """Photos one after the other through the editor and one pixel process, as the command line runs them."""

    async def cut_out(editor: Editor, some: list[Path]) -> None:
        for source in some:
            with suppress(NothingFoundError):
                await editor.edit(source, TRANSPARENT, folder / "ours.png")

    async def once() -> tuple[float, float]:
        async with editing(folder, models) as (editor, pool):
            await cut_out(editor, sources[:1])  # warms up
            begun = time.perf_counter()
            await cut_out(editor, sources)
            return (time.perf_counter() - begun) / len(sources), await pool.run(peak)

    runs: list[tuple[float, float]] = []
    while len(runs) < RUNS and not (runs and runs[0][0] > LONG):
        runs.append(asyncio.run(once()))
    return Cost(statistics.median(seconds for seconds, _ in runs), max(megabytes for _, megabytes in runs))


def rembgs(model: str, models: Path, switches: dict[str, bool], sources: list[Path], folder: Path) -> Cost:
    """Photos one after the other through one session, in a process that does nothing else."""
    names = [str(source) for source in sources]
    return cost(_rembg.seconds_per_photo, model, str(models), names, str(folder), switches)


def our_command(models: Path, sources: list[Path], folder: Path) -> float:
    """Seconds of `python -m bot edit`, from start to end."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "models").unlink(missing_ok=True)
    (data / "models").symlink_to(models)
    target = folder / "cut"
    target.mkdir(exist_ok=True)
    given = ["-m", "bot", "edit", "remove-background", *map(str, sources), "-o", f"{target}/"]
    given += ["--finish", "transparent", "--engine", "local"]
    return _seconds([sys.executable, *given], {"DATA_DIR": str(data), "MODELS": "off", "ENGINE": "local"})


def rembgs_script(model: str, models: Path, sources: list[Path], folder: Path) -> float:
    """Seconds of the script that rembg's documentation gives, from start to end."""
    given = ["-c", _rembg.SCRIPT, _models.REMBG[model], str(folder), *map(str, sources)]
    return _seconds([sys.executable, *given], _rembg.environment(models))


def _seconds(command: list[str], settings: dict[str, str]) -> float:
    took = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        done = subprocess.run(
            command, cwd=_photos.ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False
        )
        took.append(time.perf_counter() - begun)
        # ENGINE_ERROR: one of the photos shows no subject.
        if done.returncode not in (ExitCode.DONE, ExitCode.ENGINE_ERROR):
            raise RuntimeError(f"{command[:4]} failed: {done.stderr[-400:]}")
        if took[0] > LONG:
            break
    return statistics.median(took)


def ways() -> dict[str, tuple[str, Batch, Command | None]]:
    """The methods by their names in the table: the switch that is on, the batch, the command."""
    found: dict[str, tuple[str, Batch, Command | None]] = {}
    for model in _models.present():
        models = _models.only(model)
        assert models is not None
        small = model == _models.SMALL
        found[f"ours, {model}"] = "", partial(ours, models), partial(our_command, models) if small else None
        if _rembg.missing() is not None:
            continue
        script = partial(rembgs_script, model, models) if small else None
        found[f"rembg, {model}"] = "", partial(rembgs, model, models, PLAIN), script
        if small:
            for switch, switches in SWITCHES.items():
                found[f"rembg, {model}, {switch}"] = switch, partial(rembgs, model, models, switches), None
    return found


def table(folder: Path) -> list[str]:
    """The table's lines."""
    photos = [_photos.PHOTOS / "images" / f"{name}.jpg" for name in _photos.one_of_each(_photos.names("subject"))]
    pixels, _ = _photos.large(LARGE_SIDE)
    large = folder / "large.jpg"
    cv2.imwrite(str(large), pixels[..., ::-1])
    rows = []
    for way, (switch, batch, command) in ways().items():
        tell(f"cut-out: {way}")
        rows.append(
            [
                way,
                str(batch(photos, folder)),
                "–" if switch in SLOW else str(batch([large], folder)),
                *(["–"] * 2 if command is None else [f"{command(some, folder):.2f}" for some in (photos[:1], photos)]),
            ]
        )
    size = f"{pixels.shape[1]} × {pixels.shape[0]}"
    head = [
        "cut-out, JPEG to PNG",
        f"854 × 480, each of {len(photos)}: s / MB",
        f"{size}: s / MB",
        "one photo, from start to end: s",
        f"{len(photos)} photos, from start to end: s",
    ]
    explained = (
        f"s / MB: in a process that is warm, median of {RUNS} runs (one, where it takes longer than {LONG:.0f} s), and "
        "the peak of the process that does the pixels. From start to end: `python -m bot edit`, and the script of "
        "rembg's documentation. Ours has a finer matte and its own colours; rembg has them only where the row says so. "
        "The find is most of our time: it looks at a photo three times, twice where it is plain, and seven times where "
        "it is not sure, as in many of these street scenes. Left out: rembg's matting at 4000 px (over 30 s, 5.8 GB)."
    )
    return [*_sheets.table(head, rows), "", explained]


def main() -> list[str]:
    """The table's lines, or a line about what is missing."""
    lacking = [*_models.missing(), *filter(None, [_rembg.missing()])]
    if not _models.present():
        return lacking
    with tempfile.TemporaryDirectory() as scratch:
        return [*table(Path(scratch)), *lacking]
