"""Every photo edited in every way, for the contact sheets; outside the mask it is compared with the photo's own."""

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

from bot.edits import pixels as editing_pixels
from bot.edits.editor import Editor, Job
from bot.edits.model import Operation
from bot.errors import NothingFoundError
from bot.imaging import masks
from bot.imaging.photo import Mask, Pixels
from tests.benchmarks import _photos, _sheets
from tests.benchmarks._cost import tell
from tests.benchmarks._whole_edits import ERASE, REMOVE_BACKGROUND, REMOVE_SUBJECT, editing


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
    """

    job: Job
    given: str | None
    views: Callable[[Result], list[Pixels]]

    def kept(self, mask: Mask) -> Mask:
        """Where the photo's own pixels must stand, of a mask or matte that was used."""
        if self.job.operation is Operation.REMOVE_BACKGROUND:
            return mask == 255
        return masks.feather_inside(mask, editing_pixels.FEATHER) == 0


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
    """By the name of their sheets."""
    clear, blur = (replace(REMOVE_BACKGROUND, finish=finish) for finish in ("transparent", "blur"))
    return {
        "erase a given hole": Way(ERASE, "hole", outlined_and_result),
        "remove the subject, found": Way(REMOVE_SUBJECT, None, outlined_and_result),
        "background clean, subject found": Way(REMOVE_BACKGROUND, None, photo_and_result),
        "background clean, true mask": Way(REMOVE_BACKGROUND, "subject", photo_and_result),
        "background transparent, subject found": Way(clear, None, over_three_colours),
        "background transparent, true mask": Way(clear, "subject", over_three_colours),
        "background blur, subject found": Way(blur, None, photo_and_result),
    }


async def edited(editor: Editor, way: Way, name: str, folder: Path) -> Result:
    """One photo, as PNG in and PNG out."""
    photo, source, target = _photos.photo(name), folder / f"{name}.png", folder / "result"
    if not source.exists():
        cv2.imwrite(str(source), photo[..., ::-1])
    job = way.job
    if way.given is not None:
        given = (_photos.PHOTOS / way.given / f"{name}.png").read_bytes()
        job = replace(job, mask=given, mask_is_matte=way.given == "subject")
    try:
        made = await editor.edit(source, job, target)
    except NothingFoundError:
        return Result(name, photo, None, None, b"")
    picture = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    order = [2, 1, 0, 3][: picture.shape[2]]
    mask = _photos.mask(name, way.given) if way.given is not None else None
    if made.matte is not None:
        mask = np.asarray(cv2.imdecode(np.frombuffer(made.matte, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
    digest = hashlib.sha256(target.read_bytes()).digest()
    return Result(name, photo, np.ascontiguousarray(picture[..., order]), mask, digest)


def changed_outside(way: Way, result: Result) -> int | None:
    """Pixels that should be the photo's own and are not; None where the mask that was used is not told."""
    if result.picture is None or result.mask is None or way.given == "subject":
        return None
    different = (result.picture[..., :3] != result.photo).any(-1)
    return int(np.count_nonzero(different & way.kept(result.mask)))


async def measure() -> list[str]:
    """Write the sheets; the table's lines."""
    digests: dict[str, dict[str, bytes]] = defaultdict(dict)
    changed: dict[str, list[int]] = defaultdict(list)
    again: Counter[str] = Counter()
    everything = _photos.names()
    some = _photos.one_of_each(everything)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        async with editing(folder) as (editor, _):
            for title, way in ways().items():
                tell(f"sheets: {title}")
                entries = []
                for name in everything:
                    result = await edited(editor, way, name, folder)
                    entries.append(way.views(result))
                    digests[title][name] = result.digest
                    if (count := changed_outside(way, result)) is not None:
                        changed[title].append(count)
                _sheets.write(title, entries, abreast=4 // len(entries[0]))
        tell("the same once more, in another process")
        async with editing(folder) as (editor, _):
            for title, way in ways().items():
                for name in some:
                    again[title] += (await edited(editor, way, name, folder)).digest == digests[title][name]
    rows = [
        [
            title,
            f"{sum(changed[title])} ({len(changed[title])} photos)" if changed[title] else "–",
            f"{again[title]} of {len(some)}",
        ]
        for title in ways()
    ]
    head = ["edit, PNG in, PNG out", "pixels changed outside the mask", "the same bytes from another process"]
    return [
        *_sheets.table(head, rows),
        "",
        (
            "Outside the mask: where the mask that was used, feathered, is 0; with a new background: where the "
            "subject's matte is 255. Bytes: one photo of each scene, the same seed. Contact sheets of all "
            f"{len(everything)} photos: {_sheets.SHEETS.relative_to(_photos.ROOT)}."
        ),
    ]


def main() -> list[str]:
    """The table's lines."""
    return [why] if (why := _photos.missing()) else asyncio.run(measure())
