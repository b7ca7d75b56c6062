"""Masks whose truth is known, on street scenes and on plain photos: ours, rembg's and OpenCV's in the same run."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Pixels
from tests.benchmarks import _cases, _models, _rembg, _sheets
from tests.benchmarks._cases import Case
from tests.benchmarks._cost import tell
from tests.benchmarks._finders import HASTY_TAPS, Find, finders
from tests.benchmarks._workers import workers

TIMED = 5
"""Photos of a set on which a mask is timed."""


def overlap(mask: Mask, truth: Mask) -> float:
    """Intersection over union."""
    either = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / either if either else 1.0


@dataclass(slots=True)
class Scores:
    """The measurements of one segmentation method.

    Attributes:
        overlaps: Intersection over union of every mask, by scene.
        errors: Mean absolute error of every matte, 0 … 1, by scene.
        seconds: Of a mask, of some photos.
    """

    overlaps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)

    def row(self, way: str) -> list[str]:
        """The table's row."""
        scenes = {scene: float(np.mean(values)) for scene, values in self.overlaps.items()}
        single = [value for values in self.overlaps.values() for value in values]
        worst = min(scenes, key=scenes.__getitem__)
        return [
            way,
            f"{np.mean(list(scenes.values())):.3f}",
            f"{np.mean([np.mean(values) for values in self.errors.values()]):.3f}",
            *(f"{np.mean([one >= enough for one in single]):.0%}" for enough in (0.5, 0.8)),
            f"{scenes[worst]:.2f} {worst}",
            f"{np.median(self.seconds):.2f}",
        ]


def judged(kind: str, find: Find, at: int) -> tuple[list[float], list[float], Mask]:
    """Overlaps and errors of one photo's mattes, and the first one's mask."""
    case = _cases.cases(kind)[at]
    mattes = find(case)
    masks = [from_matte(matte) for matte in mattes]
    errors = [float(cv2.absdiff(matte, case.truth).mean() / 255) for matte in mattes]
    return [overlap(mask, case.truth) for mask in masks], errors, masks[0]


def seconds(kind: str, find: Find) -> list[float]:
    """Time a mask on some of the photos, with nothing else running."""
    cases = _cases.cases(kind)
    find(cases[0])  # imports and first calls are not counted
    took = []
    for case in cases[:: max(1, len(cases) // TIMED)]:
        begun = time.perf_counter()
        mattes = find(case)
        took.append((time.perf_counter() - begun) / len(mattes))
    return took


def measure(pool: Executor, kind: str, way: str, find: Find) -> Scores:
    """Measure one method on one set and write its contact sheets (truth green, found red)."""
    cases, scores, entries = _cases.cases(kind), Scores(), []
    scores.seconds = seconds(kind, find)
    judgements = pool.map(partial(judged, kind, find), range(len(cases)))
    for case, (overlaps, errors, mask) in zip(cases, judgements, strict=True):
        scores.overlaps[case.scene] += overlaps
        scores.errors[case.scene] += errors
        entries.append([_sheets.cell(_drawn(case, mask), f"{case.name} {overlaps[0]:.2f}")])
    _sheets.write(f"mask, {kind}, {way}", entries, abreast=2)
    return scores


def _drawn(case: Case, mask: Mask) -> Pixels:
    return _sheets.outlined(_sheets.outlined(case.photo.pixels, case.truth, _sheets.GREEN), mask)


def table(pool: Executor, kind: str) -> list[str]:
    """One set's table."""
    rows = []
    for way, find in finders().items():
        tell(f"mask, {kind}: {way}")
        rows.append(measure(pool, kind, way, find).row(way))
    head = [f"mask, {kind}", "IoU", "MAE", "IoU ≥ .5", "IoU ≥ .8", "worst", "seconds"]
    explained = (
        f"{_cases.note(kind)} The shares are of photos (of taps, where a photo has {HASTY_TAPS}); worst: the lowest of "
        f"the means; seconds: median of a mask, on {TIMED} photos or a few more."
    )
    return [*_sheets.table(head, rows), "", explained, ""]


def main() -> list[str]:
    """The tables' lines."""
    lacking = [*_models.missing(), *filter(None, [_rembg.missing()])]
    with workers() as pool:
        return [*(line for kind in _cases.SETS for line in table(pool, kind)), *lacking]
