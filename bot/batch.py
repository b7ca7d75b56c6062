"""`python -m bot edit`: edits photos from files to files. A photo that fails does not stop the others."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from bot import engine_wiring
from bot.edits.finishes import FINISHES, WITH_ALPHA, check_finish
from bot.edits.model import Operation
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import Job
from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.errors import BotError, NothingFoundError, PersonError, WorldError
from bot.imaging.photo import PictureFormat
from bot.operator_text import OperatorText, system_reason
from bot.settings import Settings
from bot.terminal import ExitCode, complain, explain, tr

FORMATS: dict[str, PictureFormat] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One photo to edit.

    Attributes:
        photo: The input file.
        output: The output file.
        mask: The mask's file, if one is given.
        save_mask: Where to write the mask that was used, if asked for.
        by_ending: Whether the ending of `output` chooses the format; else the format follows the input's.
    """

    photo: Path
    output: Path
    mask: Path | None
    save_mask: Path | None
    by_ending: bool


async def edit_photos(given: argparse.Namespace, settings: Settings) -> int:
    """Edit all photos; returns the highest exit code of all. Prints one line on stderr for each failure and warning."""
    try:
        tasks = list(plan(given))
        finish, own_background = _finish(given.finish)
    except PersonError as error:
        complain(f"python -m bot edit: {explain(error)}")
        return ExitCode.INPUT_ERROR
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        complain(f"python -m bot edit: {error.filename}: {tr(system_reason(error))}")
        return ExitCode.INPUT_ERROR
    worst: int = ExitCode.DONE
    concurrent = min(settings.workers, len(tasks))
    async with (
        engine_wiring.pixel_pool(settings, concurrent) as pool,
        engine_wiring.engines(settings, pool) as ladder,
    ):
        editor = Editor(ladder, pool, max_megapixels=settings.max_megapixels, matte_side=None)
        slots = asyncio.Semaphore(concurrent)
        taken = {path for task in tasks for path in (task.output, task.save_mask) if path is not None}
        with tqdm(total=len(tasks), unit="photo", disable=len(tasks) == 1 or not sys.stderr.isatty()) as bar:

            async def edit_one(task: Task) -> int:
                async with slots:
                    job = Job(
                        operation=Operation(given.operation.replace("-", "_")),
                        finish=finish,
                        seed=given.seed,
                        own_background=own_background,
                        accept_doubtful=True,  # there is no dialog: a doubtful find becomes a warning
                        keep_mask=True,
                        shadow=given.shadow == "with",
                    )
                    code = await _edit(editor, task, job, taken, bar)
                    bar.update()
                    return code

            for code in await asyncio.gather(*(edit_one(task) for task in tasks)):
                worst = max(worst, code)
    return worst


async def _edit(editor: Editor, task: Task, job: Job, taken: set[Path], bar: tqdm[None]) -> int:
    def report(text: str) -> None:
        with bar.external_write_mode(file=sys.stderr):
            complain(f"{task.photo}: {text}")

    try:
        mask = task.mask.read_bytes() if task.mask else None
        # Written beside the target and renamed: the target is never half written.
        with tempfile.TemporaryDirectory(dir=_make_folder(task.output), prefix=".edit-") as scratch:
            unfinished = Path(scratch) / "result"
            made = await editor.edit(task.photo, _job_for(job, mask, task), unfinished)
            unfinished.replace(_target(task, made.format, taken))
        if task.save_mask is not None:
            used = mask if mask is not None else made.matte
            assert used is not None
            _make_folder(task.save_mask)
            task.save_mask.write_bytes(used)
    except (NothingFoundError, EngineUnavailableError, EngineRefusedError) as error:
        option = " (--mask MASK)" if isinstance(error, NothingFoundError) else ""
        report(f"{explain(error)}{option}")
        return ExitCode.ENGINE_ERROR
    except PersonError as error:
        report(explain(error))
        return ExitCode.INPUT_ERROR
    except BotError as error:
        report(explain(error))
        return ExitCode.ENGINE_ERROR
    except OSError as error:
        where = "" if error.filename in (None, str(task.photo)) else f": {error.filename}"
        report(f"{tr(system_reason(error))}{where}")
        return ExitCode.INPUT_ERROR
    except Exception as error:  # noqa: BLE001 -- one photo's boundary: an unexpected error does not stop the others
        report(f"{explain(WorldError('something-broke'))} ({type(error).__name__}: {' '.join(str(error).split())})")
        return ExitCode.ENGINE_ERROR
    for note in sorted(set(made.notes) - {"note-shadow"}):  # removing the shadow is what --shadow asks for
        option = " (--mask MASK)" if note == "note-doubtful" else ""
        report(f"{explain(BotError(note))}{option}")
    return ExitCode.DONE


def plan(given: argparse.Namespace) -> Iterator[Task]:
    """Pair photos, outputs and masks.

    Raises:
        PersonError: The arguments do not fit together.
        OSError: A path cannot be looked at.
    """
    output, several = str(given.output), len(given.photos) > 1
    into_folder = several or output.endswith(os.sep) or Path(output).is_dir()
    if several and Path(output).suffix.lower() in FORMATS and not Path(output).is_dir():
        raise _usage("several photos need a folder: -o {folder}/", folder=Path(output).stem)
    if given.operation == "erase" and not given.mask:
        raise _usage("erase needs --mask MASK, a PNG that is white where the photo is erased")
    if not into_folder and Path(output).suffix.lower() not in FORMATS:
        raise _usage("OUT must end with {endings}, or be a folder: -o {out}/", endings=", ".join(FORMATS), out=output)
    targets: set[Path] = set()
    photos = {photo.resolve() for photo in given.photos}
    for photo in given.photos:
        target = Path(output) / photo.name if into_folder else Path(output)
        if target.resolve() in targets:
            raise _usage("two photos are called {name}: edit them in two calls", name=photo.name)
        save_mask = _mask_target(given.save_mask, photo, several=into_folder and several)
        for written in (target, save_mask):
            if written is None:
                continue
            if written.resolve() in photos:
                raise _usage("{file} would be written over the photo itself; choose another file", file=written)
            if written.resolve() in targets:
                raise _usage("two files would be written to {file}: edit these photos in two calls", file=written)
            targets.add(written.resolve())
        yield Task(photo, target, _mask_for(given.mask, photo), save_mask, by_ending=not into_folder)


def _mask_for(mask: str | None, photo: Path) -> Path | None:
    if mask is None:
        return None
    path = Path(mask)
    if path.is_dir():
        path = path / f"{photo.stem}.png"
    if not path.is_file():
        raise _usage("there is no mask {file}", file=path)
    return path


def _mask_target(mask: str | None, photo: Path, *, several: bool) -> Path | None:
    if mask is None:
        return None
    if mask.endswith(os.sep) or Path(mask).is_dir():
        return Path(mask) / f"{photo.stem}.png"
    if several:
        raise _usage("several masks need a folder: --save-mask {folder}/", folder=mask)
    return Path(mask)


def _finish(finish: str) -> tuple[str, Path | None]:
    """The finish, and the picture file for the background if there is one."""
    try:
        return check_finish(finish), None
    except PersonError:
        if Path(finish).is_file():
            return "clean", Path(finish)
        raise _usage(
            "--finish {finish}: no such finish and no such file; choose {choices}, #rrggbb, or a picture's file",
            finish=finish,
            choices=", ".join(FINISHES),
        ) from None


def _job_for(job: Job, mask: bytes | None, task: Task) -> Job:
    wanted = FORMATS[task.output.suffix.lower()] if task.by_ending else None
    if job.finish == "sticker" and wanted not in (None, "WEBP"):
        raise _usage("a sticker is a WebP: let OUT end with .webp")
    if job.finish in WITH_ALPHA and wanted == "JPEG":
        raise _usage("a transparent picture cannot be a JPEG: let OUT end with .png or .webp")
    return replace(job, mask=mask, format=wanted)


def _target(task: Task, made: PictureFormat, taken: set[Path]) -> Path:
    """The file to write: the photo's name, with another ending if the result's format is another.

    a.heic and a.jpg would both become a.jpg, so the former becomes a.heic.jpg.
    """
    if task.by_ending or FORMATS.get(task.output.suffix.lower()) == made:
        return task.output
    ending = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[made]
    path = task.output.with_suffix(ending)
    if path in taken:
        path = task.output.with_name(task.output.name + ending)
    taken.add(path)
    return path


def _make_folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent


def _usage(template: str, **values: object) -> PersonError:
    return PersonError("usage", text=OperatorText(template, **values))
