"""Contact sheets: pictures side by side with their names, for a person to look at; in `build/bench/pictures`.

To see old beside new, move that folder to `build/bench/before` and run again: what was there before then stands beside
each result, on sheets named `… before and after`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from bot.imaging.photo import Mask, Matte, Photo, Pixels
from tests.benchmarks._photos import ROOT

SHEETS = ROOT / "build" / "bench" / "pictures"
BEFORE = ROOT / "build" / "bench" / "before"

CELL = (480, 270)
"""Width and height: four stand in a row of less than 2000 px."""

PER_SHEET = 10
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def cell(pixels: Pixels, caption: str = "", size: tuple[int, int] = CELL) -> Pixels:
    """A picture in the given size (its shape is kept, the rest is grey), with a caption."""
    scale = min(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
    inner = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    framed = np.full((size[1], size[0], 3), 128, np.uint8)
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    framed[: inner[1], : inner[0]] = cv2.resize(pixels, inner, interpolation=smooth)
    for colour, thick in ((BLACK, 3), (WHITE, 1)):
        cv2.putText(framed, caption, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, thick, cv2.LINE_AA)
    return framed


def outlined(pixels: Pixels, mask: Mask, colour: tuple[int, int, int] = RED) -> Pixels:
    """A picture with a mask's outline on it."""
    lines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(pixels.copy(), lines, -1, colour, 2), np.uint8)


def over(pixels: Pixels, matte: Matte, colour: tuple[int, int, int]) -> Pixels:
    """A picture with straight alpha put over one colour."""
    from bot.imaging.cutout import flatten

    return flatten(Photo(pixels, matte), colour).pixels


def write(title: str, entries: Sequence[Sequence[Pixels]], *, abreast: int = 1) -> None:
    """Write as many sheets as needed.

    Args:
        title: The files' name; they are numbered where there are several.
        entries: What belongs together (a photo and its result), PER_SHEET to a sheet; all cells of one size.
        abreast: Entries in a row.
    """
    SHEETS.mkdir(parents=True, exist_ok=True)
    for begin in range(0, len(entries), PER_SHEET):
        strips = [np.hstack(entry) for entry in entries[begin : begin + PER_SHEET]]
        strips += [np.full_like(strips[0], 128)] * (-len(strips) % abreast)
        sheet = np.vstack([np.hstack(strips[i : i + abreast]) for i in range(0, len(strips), abreast)])
        number = f"-{begin // PER_SHEET + 1}" if len(entries) > PER_SHEET else ""
        cv2.imwrite(str(SHEETS / f"{slug(title)}{number}.png"), sheet[..., ::-1])


def write_beside_before(title: str, names: Sequence[str], entries: Sequence[Sequence[Pixels]]) -> None:
    """Write sheets as `write`, and keep each result; where an earlier run's lies in BEFORE, write both side by side.

    Args:
        title: As for `write`.
        names: Of the photos, one for each entry.
        entries: As for `write`; the first cell is the photo, the others its result.
    """
    write(title, entries, abreast=max(1, 4 // len(entries[0])))
    kept = SHEETS / "each" / slug(title)
    kept.mkdir(parents=True, exist_ok=True)
    pairs = []
    for name, (photo, *results) in zip(names, entries, strict=True):
        strip = np.hstack(results)
        cv2.imwrite(str(kept / f"{name}.jpg"), strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
        old = cv2.imread(str(BEFORE / "each" / slug(title) / f"{name}.jpg")) if BEFORE.is_dir() else None
        if old is not None and old.shape == strip.shape:
            pairs.append([photo, np.ascontiguousarray(old[..., ::-1]), strip])
    if pairs:
        write(f"{title}, before and after", pairs)


def slug(title: str) -> str:
    """A title as a file's name."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in title.lower()).split())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table's lines."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(str(value) for value in row) + " |" for row in rows)]
