"""Masks whose truth is known: the automatic one, one from a box, one from a tap, on the open photos; no model file.

The hints are made from the true mask: its bounding box; its deepest point, and points anywhere in it where a hasty
finger may land. Contact sheets go to `build/bench/masks`.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable

import cv2
import numpy as np

from bot.engines import Tap
from bot.engines.local import hints
from bot.engines.local.subject import find_subject
from bot.errors import NothingFoundError
from bot.imaging.masks import judge
from bot.imaging.photo import Mask, Photo, Pixels
from tests.benchmarks.fills import PHOTOS, ROOT

SHEETS = ROOT / "build" / "bench" / "masks"
_COLUMNS = 4
_HASTY_TAPS = 3
_DEPTH = 0.25
"""Of the truth's greatest depth: nearer to its edge nobody means to tap."""

Find = Callable[[Photo, Mask], list[Mask]]


def automatic(photo: Photo, _truth: Mask) -> list[Mask]:
    try:
        return [np.where(find_subject(photo).matte > 127, 255, 0).astype(np.uint8)]
    except NothingFoundError:
        return [np.zeros(photo.pixels.shape[:2], np.uint8)]


def boxed(photo: Photo, truth: Mask) -> list[Mask]:
    left, top, width, height = cv2.boundingRect(truth)
    return [hints.select(photo, (), box=(left, top, left + width, top + height))]


def tapped(photo: Photo, truth: Mask) -> list[Mask]:
    row, column = np.unravel_index(np.argmax(_depth(truth)), truth.shape)
    return [hints.select(photo, (Tap(float(column), float(row)),))]


def tapped_anywhere(photo: Photo, truth: Mask) -> list[Mask]:
    depth = _depth(truth)
    rows, columns = np.nonzero(depth >= _DEPTH * depth.max())
    chosen = np.random.default_rng(0).integers(0, len(rows), _HASTY_TAPS)
    return [hints.select(photo, (Tap(float(columns[i]), float(rows[i])),)) for i in chosen]


METHODS: dict[str, Find] = {
    "automatic": automatic,
    "from a box": boxed,
    "from a tap in the middle": tapped,
    "from a tap anywhere": tapped_anywhere,
}


def open_photo(name: str) -> tuple[Photo, Mask]:
    """One of the open photos and its subject's true mask."""
    pixels = cv2.cvtColor(cv2.imread(str(PHOTOS / "images" / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    truth = cv2.imread(str(PHOTOS / "subject" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    return Photo(np.asarray(pixels, np.uint8)), np.where(truth > 127, 255, 0).astype(np.uint8)


def _depth(truth: Mask) -> np.ndarray:
    return cv2.distanceTransform(cv2.copyMakeBorder(truth, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]


def overlap(mask: Mask, truth: Mask) -> float:
    """Intersection over union."""
    either = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / either if either else 1.0


def _cell(photo: Photo, truth: Mask, found: Mask, caption: str) -> Pixels:
    picture = photo.pixels.copy()
    for mask, colour in ((truth, (0, 255, 0)), (found, (255, 0, 0))):
        outline, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outline, -1, colour, 2)
    cell = cv2.resize(picture, (400, 225), interpolation=cv2.INTER_AREA)
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(cell, caption, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, thick, cv2.LINE_AA)
    return np.asarray(cell, np.uint8)


def measure(method: str, names: list[str]) -> tuple[dict[str, float], float]:
    """Mean overlap per scene, and the median seconds of one mask; writes the contact sheet (truth green, found red)."""
    scenes, seconds, cells = defaultdict(list), [], []
    for name in names:
        photo, truth = open_photo(name)
        begun = time.perf_counter()
        found = METHODS[method](photo, truth)
        seconds.append((time.perf_counter() - begun) / len(found))
        overlaps = [overlap(mask, truth) for mask in found]
        scenes[name.split("_", 1)[1]].append(float(np.mean(overlaps)))
        doubt = "" if judge(found[0]).fine else " doubtful"
        cells.append(_cell(photo, truth, found[0], f"{name} {overlaps[0]:.2f}{doubt}"))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % _COLUMNS)
    SHEETS.mkdir(parents=True, exist_ok=True)
    sheet = np.vstack([np.hstack(cells[i : i + _COLUMNS]) for i in range(0, len(cells), _COLUMNS)])
    cv2.imwrite(str(SHEETS / f"{method.replace(' ', '-')}.png"), sheet[..., ::-1])
    return {scene: float(np.mean(values)) for scene, values in scenes.items()}, float(np.median(seconds))


def main() -> list[str]:
    """The table's lines."""
    if not PHOTOS.is_dir():
        return [f"no photos at {PHOTOS}"]
    names = sorted(path.stem for path in (PHOTOS / "subject").glob("*.png"))
    lines = ["| mask | IoU | worst scene | best scene | seconds |", "|---|---|---|---|---|"]
    for method in METHODS:
        scenes, seconds = measure(method, names)
        if "-v" in sys.argv:
            print(method, {scene: round(value, 2) for scene, value in scenes.items()})
        worst, best = min(scenes, key=scenes.__getitem__), max(scenes, key=scenes.__getitem__)
        mean = float(np.mean(list(scenes.values())))
        lines.append(
            f"| {method} | {mean:.3f} | {scenes[worst]:.2f} {worst} | {scenes[best]:.2f} {best} | {seconds:.2f} |"
        )
    return lines
