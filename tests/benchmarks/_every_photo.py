"""Every photo of both sets edited in every way, for the contact sheets; outside the mask it must stay as it was."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from bot.edits.model import Operation
from bot.edits.pictures import results
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import Job
from bot.errors import NothingFoundError
from bot.imaging import masks
from bot.imaging.encoding import encode_mask
from bot.imaging.photo import Mask, Pixels
from tests.benchmarks import _cases, _edge_crops, _models, _photos, _plain, _sheets
from tests.benchmarks._cases import Case
from tests.benchmarks._cost import tell
from tests.benchmarks._whole_edits import ERASE, REMOVE_BACKGROUND, REMOVE_SUBJECT, editing

CUT_OUT = "background transparent, subject found"
WORKERS = 2
"""Pixel processes, and photos at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One photo, edited.

    Attributes:
        name: The photo's.
        photo: The photo.
        picture: (H, W, 3 or 4) what came out; None: nothing was found.
        mask: What was erased, or the subject's matte; None: nothing was found.
        digest: Of the file's bytes.
    """

    name: str
    photo: Pixels
    picture: Pixels | None
    mask: Mask | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """A way to edit a photo.

    Attributes:
        job: The edit.
        given: The folder of the mask that is given (``subject``, ``hole``); None: it is found.
        views: A result as a row of a sheet.
        every: False: of four photos of a scene, only the first.
    """

    job: Job
    given: str | None
    views: Callable[[Result], list[Pixels]]
    every: bool = True

    def kept(self, mask: Mask) -> Mask:
        """Where the photo's pixels must be unchanged, given the mask or matte that was used."""
        if self.job.operation is Operation.REMOVE_BACKGROUND:
            return mask == 255
        return masks.feather_inside(mask, results.FEATHER) == 0


def outlined_and_result(result: Result) -> list[Pixels]:
    if result.picture is None or result.mask is None:
        return [_sheets.cell(result.photo, f"{result.name}: nothing found")] * 2
    marked = _sheets.outlined(result.photo, masks.from_matte(result.mask))
    return [_sheets.cell(marked, result.name), _sheets.cell(result.picture)]


def photo_and_result(result: Result) -> list[Pixels]:
    found = result.photo if result.picture is None else result.picture
    return [
        _sheets.cell(result.photo, result.name),
        _sheets.cell(found, "" if found is not result.photo else "nothing"),
    ]


def over_three_colours(result: Result) -> list[Pixels]:
    if result.picture is None:
        return [_sheets.cell(result.photo, f"{result.name}: nothing found")] * 4
    pixels, alpha = np.ascontiguousarray(result.picture[..., :3]), result.picture[..., 3]
    cut = [_sheets.over(pixels, alpha, colour) for colour in (_sheets.BLACK, _sheets.WHITE, _sheets.RED)]
    return [_sheets.cell(result.photo, result.name), *(_sheets.cell(one) for one in cut)]


def ways() -> dict[str, Way]:
    """The ways by the names of their sheets."""
    clear, blur = (replace(REMOVE_BACKGROUND, finish=finish) for finish in ("transparent", "blur"))
    return {
        "erase a given hole": Way(ERASE, "hole", outlined_and_result),
        "remove the subject, found": Way(REMOVE_SUBJECT, None, outlined_and_result),
        "background clean, subject found": Way(REMOVE_BACKGROUND, None, photo_and_result),
        "background clean, true mask": Way(REMOVE_BACKGROUND, "subject", photo_and_result, every=False),
        CUT_OUT: Way(clear, None, over_three_colours),
        "background transparent, true mask": Way(clear, "subject", over_three_colours, every=False),
        "background blur, subject found": Way(blur, None, photo_and_result, every=False),
    }


def cases(way: Way) -> list[Case]:
    """The photos that are edited in a way."""
    some = [case for kind in _cases.SETS for case in _cases.cases(kind)]
    if way.given == "hole":
        holes = set(_photos.names("hole"))
        some = [case for case in some if case.name in holes]
    if not way.every:
        some = list({case.scene: case for case in reversed(some)}.values())[::-1]
    return some


def given_mask(way: Way, case: Case) -> Mask | None:
    """The mask that is passed with the photo."""
    if way.given is None:
        return None
    return case.truth if way.given == "subject" else _photos.mask(case.name, "hole")


async def edited(editor: Editor, way: Way, case: Case, folder: Path) -> Result:
    """One photo, as PNG in and PNG out."""
    pixels, source, target = case.photo.pixels, folder / f"{case.name}.png", folder / f"{case.name}.result"
    if not source.exists():
        cv2.imwrite(str(source), pixels[..., ::-1])
    job, mask = way.job, given_mask(way, case)
    if mask is not None:
        job = replace(job, mask=encode_mask(mask), mask_is_matte=way.given == "subject")
    try:
        made = await editor.edit(source, job, target)
    except NothingFoundError:
        return Result(case.name, pixels, None, None, b"")
    picture = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    order = [2, 1, 0, 3][: picture.shape[2]]
    if made.matte is not None:
        mask = np.asarray(cv2.imdecode(np.frombuffer(made.matte, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
    digest = hashlib.sha256(target.read_bytes()).digest()
    return Result(case.name, pixels, np.ascontiguousarray(picture[..., order]), mask, digest)


async def all_edited(editor: Editor, way: Way, some: list[Case], folder: Path) -> list[Result]:
    """Several photos, WORKERS at a time."""
    turns = asyncio.Semaphore(WORKERS)

    async def in_turn(case: Case) -> Result:
        async with turns:
            return await edited(editor, way, case, folder)

    return await asyncio.gather(*(in_turn(case) for case in some))


def changed_outside(way: Way, result: Result) -> int | None:
    """Count changed pixels outside the mask; None if the mask that was used is unknown."""
    if result.picture is None or result.mask is None or way.given == "subject":
        return None
    different = (result.picture[..., :3] != result.photo).any(-1)
    return int(np.count_nonzero(different & way.kept(result.mask)))


async def measure() -> list[str]:
    """Write the sheets; the table's lines."""
    digests: dict[str, dict[str, bytes]] = defaultdict(dict)
    changed: dict[str, list[int]] = defaultdict(list)
    again: Counter[str] = Counter()
    models = _models.only(_models.SMALL)
    first_of_each = set(_photos.one_of_each(_photos.names()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        async with editing(folder, models, workers=WORKERS) as (editor, _):
            for title, way in ways().items():
                tell(f"sheets: {title}")
                entries, crops = [], []
                for case, result in zip(cases(way), await all_edited(editor, way, cases(way), folder), strict=True):
                    entries.append(way.views(result))
                    if title == CUT_OUT and case.name in _plain.names():
                        crops += _edge_crops.rows(result.name, result.photo, result.picture)
                    digests[title][case.name] = result.digest
                    if (count := changed_outside(way, result)) is not None:
                        changed[title].append(count)
                _sheets.write_beside_before(title, list(digests[title]), entries)
                if crops:
                    _sheets.write("edges of plain photos", crops)
        tell("the same once more, in another process")
        async with editing(folder, models, workers=WORKERS) as (editor, _):
            for title, way in ways().items():
                some = [case for case in cases(way) if case.name in first_of_each]
                results = await all_edited(editor, way, some, folder)
                again[title] = sum(result.digest == digests[title][result.name] for result in results)
    rows = [
        [
            title,
            f"{sum(changed[title])} ({len(changed[title])} photos)" if changed[title] else "–",
            f"{again[title]} of {len(first_of_each)}",
        ]
        for title in ways()
    ]
    head = ["edit, PNG in, PNG out", "pixels changed outside the mask", "the same bytes from another process"]
    return [
        *_sheets.table(head, rows),
        "",
        (
            "Outside the mask: where the mask that was used, feathered, is 0; with a new background: where the "
            "subject's matte is 255. Bytes: one photo of each street scene, the same seed. Contact sheets of all "
            f"photos, and edges of the plain ones at 100 %: {_sheets.SHEETS.relative_to(_photos.ROOT)}."
        ),
    ]


def main() -> list[str]:
    """The table's lines."""
    return [why] if (why := _photos.missing()) else asyncio.run(measure())
