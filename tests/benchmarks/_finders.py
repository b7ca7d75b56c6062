"""The measured segmentation methods: ours, rembg's and OpenCV's.

The hints are made from the true mask: its bounding box, as it is and drawn loosely; its deepest point, and points
anywhere in it where a hasty finger may land.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging.photo import Mask, Matte, Photo
from bot.segmentation import FoundObject, Tap, hints
from bot.segmentation.subject import find_subject
from tests.benchmarks import _models, _rembg
from tests.benchmarks._cases import Case

LOOSE = 0.15
"""Largest margin of a loose box on each side, as a share of its width or height."""
HASTY_TAPS = 3
_DEPTH = 0.25
"""Minimal depth of a tap, as a share of the true mask's greatest depth."""
_GRABCUT_TURNS = 5

Find: TypeAlias = Callable[[Case], list[Matte]]


def found(case: Case, models: Path | None) -> FoundObject:
    """Our automatic find; an empty, unsure one where nothing is found."""
    try:
        return find_subject(case.photo, models)
    except NothingFoundError:
        return FoundObject(np.zeros_like(case.truth), sure=False)


def automatic(models: Path | None, case: Case) -> list[Matte]:
    return [found(case, models).matte]


def boxed(models: Path | None, case: Case) -> list[Matte]:
    return [hints.select_by_hints(case.photo, (), box=_box(case.truth), models=models)]


def loosely_boxed(models: Path | None, case: Case) -> list[Matte]:
    left, top, right, bottom = _box(case.truth)
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    more = rng.uniform(0, LOOSE, 4) * (right - left, bottom - top, right - left, bottom - top)
    loose = (
        max(0, round(left - more[0])),
        max(0, round(top - more[1])),
        min(case.photo.width, round(right + more[2])),
        min(case.photo.height, round(bottom + more[3])),
    )
    return [hints.select_by_hints(case.photo, (), box=loose, models=models)]


def tapped(models: Path | None, case: Case) -> list[Matte]:
    depth = _depth(case.truth)
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    return [hints.select_by_hints(case.photo, (Tap(float(column), float(row)),), models=models)]


def tapped_anywhere(models: Path | None, case: Case) -> list[Matte]:
    depth = _depth(case.truth)
    rows, columns = np.nonzero(depth >= _DEPTH * depth.max())
    chosen = np.random.default_rng(0).integers(0, len(rows), HASTY_TAPS)
    taps = [Tap(float(columns[i]), float(rows[i])) for i in chosen]
    with tempfile.TemporaryDirectory() as folder:
        # What the net saw is kept from tap to tap, as it is for a person's taps.
        return [
            hints.select_by_hints(case.photo, (tap,), models=models, map_file=Path(folder) / "maps") for tap in taps
        ]


def rembg(model: str, folder: Path, switches: dict[str, bool], case: Case) -> list[Matte]:
    return [_rembg.matte(case.photo, model, folder, **switches)]


def grabcut_boxed(case: Case) -> list[Matte]:
    left, top, right, bottom = _box(case.truth)
    guess = np.full(case.truth.shape, cv2.GC_BGD, np.uint8)
    guess[top:bottom, left:right] = cv2.GC_PR_FGD
    return [_grabcut(case.photo, guess)]


def finders() -> dict[str, Find]:
    """The available methods by their names in the tables."""
    ways: dict[str, Find] = {}
    for model in _models.present():
        folder = _models.only(model)
        assert folder is not None
        ways[f"ours, automatic, {model}"] = partial(automatic, folder)
        if _rembg.missing() is not None:
            continue
        ways[f"rembg, {model}"] = partial(rembg, model, folder, {})
        if model == _models.SMALL:
            for title, switch in (("its post-processing", "post_process"), ("its alpha matting", "alpha_matting")):
                ways[f"rembg, {model}, {title}"] = partial(rembg, model, folder, {switch: True})
    small = _models.only(_models.SMALL)
    ways["ours, automatic, no model file"] = partial(automatic, None)
    pointed: dict[str, Callable[[Path | None, Case], list[Matte]]] = {
        "from a box": boxed,
        f"from a box loose by 0 to {LOOSE:.0%} a side": loosely_boxed,
        "from a tap in the middle": tapped,
        "from a tap anywhere": tapped_anywhere,
    }
    if small is not None:
        ways |= {f"ours, {way}, {_models.SMALL}": partial(find, small) for way, find in pointed.items()}
    ways |= {f"ours, {way}, no model file": partial(find, None) for way, find in pointed.items()}
    return ways | {"OpenCV's GrabCut from the box": grabcut_boxed}


def _grabcut(photo: Photo, guess: Mask) -> Mask:
    if not ((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)).any():
        return np.zeros_like(guess)
    cv2.setRNGSeed(0)
    colours = np.zeros((1, 65)), np.zeros((1, 65))
    drawn, _, _ = cv2.grabCut(photo.pixels, guess, None, *colours, _GRABCUT_TURNS, cv2.GC_INIT_WITH_MASK)
    return np.where((drawn == cv2.GC_FGD) | (drawn == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)


def _box(truth: Mask) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(truth)
    return left, top, left + width, top + height


def _depth(truth: Mask) -> np.ndarray:
    framed = cv2.copyMakeBorder(truth, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
