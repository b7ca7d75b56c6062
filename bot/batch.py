"""`python -m bot edit`: many photos from files to files, one bad one never stopping the rest."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from bot import engine_wiring
from bot.edits.editor import Editor
from bot.edits.job import Job
from bot.edits.model import Operation, check_finish
from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.errors import BotError, NothingFoundError, PersonError, WorldError
from bot.imaging.photo import PictureFormat
from bot.settings import Settings
from bot.terminal import DONE, ENGINE_AT_FAULT, INPUT_AT_FAULT, explain

FORMATS: dict[str, PictureFormat] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One photo's way: from where, to where, with which mask."""

    photo: Path
    output: Path
    mask: Path | None
    save_mask: Path | None
    by_ending: bool


async def edit_photos(given: argparse.Namespace, settings: Settings) -> int:
    """Edit all photos; returns the exit code. One line on stderr for each that failed, and for each notable doubt."""
    try:
        tasks = list(plan(given))
        finish, own_background = _finish(given.finish)
    except PersonError as error:
        print(f"python -m bot edit: {explain(error)}", file=sys.stderr)
        return INPUT_AT_FAULT
    worst = DONE
    at_a_time = min(settings.workers, len(tasks))
    async with (
        engine_wiring.pixel_pool(settings, at_a_time) as pool,
        engine_wiring.engines(settings, pool) as ladder,
    ):
        editor = Editor(ladder, pool, max_megapixels=settings.max_megapixels, matte_side=None)
        turns = asyncio.Semaphore(at_a_time)
        taken = {task.output for task in tasks}
        with tqdm(total=len(tasks), unit="photo", disable=len(tasks) == 1 or not sys.stderr.isatty()) as bar:

            async def one(task: Task) -> int:
                async with turns:
                    job = Job(
                        operation=Operation(given.operation.replace("-", "_")),
                        finish=finish,
                        seed=given.seed,
                        own_background=own_background,
                        accept_doubtful=True,  # nobody is there to be asked: the doubt is told afterwards
                        keep_mask=True,
                        shadow=given.shadow == "with",
                    )
                    code = await _edit(editor, task, job, taken, bar)
                    bar.update()
                    return code

            for code in await asyncio.gather(*(one(task) for task in tasks)):
                worst = max(worst, code)
    return worst


async def _edit(editor: Editor, task: Task, job: Job, taken: set[Path], bar: tqdm[None]) -> int:
    def complain(text: str) -> None:
        bar.write(f"{task.photo}: {text}", file=sys.stderr)

    try:
        mask = task.mask.read_bytes() if task.mask else None
        # Written beside the target and moved into place: no half a picture is ever found under its name.
        with tempfile.TemporaryDirectory(dir=_folder(task.output), prefix=".edit-") as scratch:
            half = Path(scratch) / "result"
            made = await editor.edit(task.photo, _with(job, mask, task), half)
            half.replace(_ending(task, made.format, taken))
        if task.save_mask is not None:
            used = mask if mask is not None else made.matte
            assert used is not None
            _folder(task.save_mask)
            task.save_mask.write_bytes(used)
    except (NothingFoundError, EngineUnavailableError, EngineRefusedError) as error:
        advice = " (--mask MASK)" if isinstance(error, NothingFoundError) else ""
        complain(f"{explain(error)}{advice}")
        return ENGINE_AT_FAULT
    except PersonError as error:
        complain(explain(error))
        return INPUT_AT_FAULT
    except BotError as error:
        complain(explain(error))
        return ENGINE_AT_FAULT
    except OSError as error:
        where = "" if error.filename in (None, str(task.photo)) else f": {error.filename}"
        complain(f"{error.strerror or error}{where}")
        return INPUT_AT_FAULT
    except Exception as error:  # noqa: BLE001 -- one photo's boundary: what nobody foresaw does not stop the rest
        complain(f"{explain(WorldError('something-broke'))} ({type(error).__name__}: {' '.join(str(error).split())})")
        return ENGINE_AT_FAULT
    for note in sorted(set(made.notes) - {"note-shadow"}):  # the shadow goes along unless it was told to stay
        advice = " (--mask MASK)" if note == "note-doubtful" else ""
        complain(f"{explain(BotError(note))}{advice}")
    return DONE


def plan(given: argparse.Namespace) -> Iterator[Task]:
    """Which file comes from which.

    Raises:
        PersonError: The arguments do not go together.
    """
    output, several = str(given.output), len(given.photos) > 1
    into_folder = several or output.endswith(os.sep) or Path(output).is_dir()
    if several and Path(output).suffix.lower() in FORMATS and not Path(output).is_dir():
        raise _usage(f"several photos need a folder: -o {Path(output).stem}/")
    if given.operation == "erase" and not given.mask:
        raise _usage("erase needs --mask MASK, a PNG that is white where something should go")
    if not into_folder and Path(output).suffix.lower() not in FORMATS:
        raise _usage(f"OUT must end with {', '.join(FORMATS)}, or be a folder: -o {output}/")
    targets: set[Path] = set()
    for photo in given.photos:
        target = Path(output) / photo.name if into_folder else Path(output)
        if target in targets:
            raise _usage(f"two photos are called {photo.name}: give them to two calls")
        targets.add(target)
        if target.exists() and photo.exists() and target.samefile(photo):
            raise _usage(f"{target} would be written over the photo itself")
        yield Task(
            photo,
            target,
            _paired(given.mask, photo),
            _paired_target(given.save_mask, photo, several=into_folder and several),
            by_ending=not into_folder,
        )


def _paired(mask: str | None, photo: Path) -> Path | None:
    if mask is None:
        return None
    path = Path(mask)
    if path.is_dir():
        path = path / f"{photo.stem}.png"
    if not path.is_file():
        raise _usage(f"there is no mask {path}")
    return path


def _paired_target(mask: str | None, photo: Path, *, several: bool) -> Path | None:
    if mask is None:
        return None
    if mask.endswith(os.sep) or Path(mask).is_dir():
        return Path(mask) / f"{photo.stem}.png"
    if several:
        raise _usage(f"several masks need a folder: --save-mask {mask}/")
    return Path(mask)


def _finish(finish: str) -> tuple[str, Path | None]:
    """The finish, or the picture that shall stand behind."""
    try:
        return check_finish(finish), None
    except PersonError:
        if Path(finish).is_file():
            return "clean", Path(finish)
        choices = "clean, transparent, white, blur, #rrggbb, or a picture's file"
        raise _usage(f"--finish {finish}: there is no such finish and no such file; it is {choices}") from None


def _with(job: Job, mask: bytes | None, task: Task) -> Job:
    from dataclasses import replace

    wanted = FORMATS[task.output.suffix.lower()] if task.by_ending else None
    if job.finish == "transparent" and wanted == "JPEG":
        raise _usage("a transparent picture cannot be a JPEG: let OUT end with .png or .webp")
    return replace(job, mask=mask, format=wanted)


def _ending(task: Task, made: PictureFormat, taken: set[Path]) -> Path:
    """Where the picture goes: under the photo's name, with another ending where its format is another.

    a.heic and a.jpg would then both be a.jpg: the former becomes a.heic.jpg.
    """
    if task.by_ending or FORMATS.get(task.output.suffix.lower()) == made:
        return task.output
    ending = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[made]
    path = task.output.with_suffix(ending)
    if path in taken:
        path = task.output.with_name(task.output.name + ending)
    taken.add(path)
    return path


def _folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent


def _usage(text: str) -> PersonError:
    return PersonError("usage", text=text)
