"""Masks whose truth is known: the automatic one, one from a box, one from a tap; no model file.

The hints are made from the true mask: its bounding box; its deepest point, and points anywhere in it where a hasty
finger may land.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from bot.errors import NothingFoundError
from bot.imaging.masks import from_matte, judge
from bot.imaging.photo import Mask, Matte, Photo
from bot.segmentation import Tap, hints
from bot.segmentation.subject import find_subject
from tests.benchmarks import _photos, _sheets
from tests.benchmarks._cost import tell

_HASTY_TAPS = 3
_DEPTH = 0.25
"""Of the truth's greatest depth: nearer to its edge nobody means to tap."""
_GRABCUT_TURNS = 5
_RIM, _FRAME = 0.08, 0.02
"""Shares of the photo's sides that are background for sure."""

Find = Callable[[Photo, Mask], list[Matte]]


def automatic(photo: Photo, _truth: Mask) -> list[Matte]:
    try:
        return [find_subject(photo).matte]
    except NothingFoundError:
        return [np.zeros(photo.pixels.shape[:2], np.uint8)]


def post_processed(photo: Photo, truth: Mask) -> list[Matte]:
    from rembg.bg import post_process

    return [np.asarray(post_process(matte), np.uint8) for matte in automatic(photo, truth)]


def salient(photo: Photo, _truth: Mask) -> list[Matte]:
    """OpenCV alone: its spectral residual, cut by Otsu's threshold, as GrabCut's first guess."""
    found, saliency = cv2.saliency.StaticSaliencySpectralResidual_create().computeSaliency(photo.pixels)
    assert found
    _, guess = cv2.threshold((saliency * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    guess = np.where(guess > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    # With no sure background GrabCut swaps the sides at will.
    framed = _inset(photo, _FRAME)
    return [_grabcut(photo, np.where(framed > 0, guess, cv2.GC_BGD).astype(np.uint8))]


def inset(photo: Photo, _truth: Mask) -> list[Matte]:
    """OpenCV alone, as its tutorial does: GrabCut from a rectangle that leaves out the photo's rim."""
    framed = _inset(photo, _RIM)
    return [_grabcut(photo, np.where(framed > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8))]


def _inset(photo: Photo, share: float) -> Mask:
    rim_x, rim_y = (round(share * side) for side in (photo.width, photo.height))
    framed = np.zeros((photo.height, photo.width), np.uint8)
    framed[rim_y : photo.height - rim_y, rim_x : photo.width - rim_x] = 255
    return framed


def boxed(photo: Photo, truth: Mask) -> list[Matte]:
    left, top, width, height = cv2.boundingRect(truth)
    return [hints.select(photo, (), box=(left, top, left + width, top + height))]


def grabcut_boxed(photo: Photo, truth: Mask) -> list[Matte]:
    left, top, width, height = cv2.boundingRect(truth)
    guess = np.full(truth.shape, cv2.GC_BGD, np.uint8)
    guess[top : top + height, left : left + width] = cv2.GC_PR_FGD
    return [_grabcut(photo, guess)]


def tapped(photo: Photo, truth: Mask) -> list[Matte]:
    row, column = np.unravel_index(np.argmax(_depth(truth)), truth.shape)
    return [hints.select(photo, (Tap(float(column), float(row)),))]


def tapped_anywhere(photo: Photo, truth: Mask) -> list[Matte]:
    depth = _depth(truth)
    rows, columns = np.nonzero(depth >= _DEPTH * depth.max())
    chosen = np.random.default_rng(0).integers(0, len(rows), _HASTY_TAPS)
    return [hints.select(photo, (Tap(float(columns[i]), float(rows[i])),)) for i in chosen]


def methods() -> dict[str, Find]:
    """Ours, and the peers that are installed."""
    found: dict[str, Find] = {"automatic": automatic}
    if importlib.util.find_spec("rembg"):
        found["automatic, then rembg's post-processing"] = post_processed
    if hasattr(cv2, "saliency"):
        found["OpenCV's spectral residual + GrabCut"] = salient
    return found | {
        "OpenCV's GrabCut from all but the rim": inset,
        "from a box": boxed,
        "OpenCV's GrabCut from the box": grabcut_boxed,
        "from a tap in the middle": tapped,
        "from a tap anywhere": tapped_anywhere,
    }


def _grabcut(photo: Photo, guess: Mask) -> Mask:
    if not ((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)).any():
        return np.zeros_like(guess)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    drawn, _, _ = cv2.grabCut(photo.pixels, guess, None, *models, _GRABCUT_TURNS, cv2.GC_INIT_WITH_MASK)
    return np.where((drawn == cv2.GC_FGD) | (drawn == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)


def _depth(truth: Mask) -> np.ndarray:
    framed = cv2.copyMakeBorder(truth, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]


def overlap(mask: Mask, truth: Mask) -> float:
    """Intersection over union."""
    either = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / either if either else 1.0


@dataclass(slots=True)
class Scores:
    """What was measured of one method.

    Attributes:
        overlaps: Mean intersection over union by photo.
        errors: Mean absolute error of the matte, 0 … 1, by photo.
        single: The overlap of every mask.
        seconds: Of every mask.
    """

    overlaps: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    single: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self, method: str) -> list[str]:
        """The table's row."""
        scenes, errors = _photos.scene_means(self.overlaps), _photos.scene_means(self.errors)
        worst, best = min(scenes, key=scenes.__getitem__), max(scenes, key=scenes.__getitem__)
        return [
            method,
            f"{np.mean(list(scenes.values())):.3f}",
            f"{np.mean(list(errors.values())):.3f}",
            *(f"{np.mean([one >= enough for one in self.single]):.0%}" for enough in (0.5, 0.8)),
            f"{scenes[worst]:.2f} {worst}",
            f"{scenes[best]:.2f} {best}",
            f"{np.median(self.seconds):.2f}",
        ]


def measure(method: str, names: list[str]) -> Scores:
    """Measure one method and write its contact sheets (truth green, found red)."""
    find, scores, entries = methods()[method], Scores(), []
    find(*_opened(names[0]))  # imports and first calls are nobody's time
    for name in names:
        photo, truth = _opened(name)
        begun = time.perf_counter()
        mattes = find(photo, truth)
        scores.seconds.append((time.perf_counter() - begun) / len(mattes))
        found = [from_matte(matte) for matte in mattes]
        overlaps = [overlap(mask, truth) for mask in found]
        scores.single += overlaps
        scores.overlaps[name] = float(np.mean(overlaps))
        scores.errors[name] = float(np.mean([cv2.absdiff(matte, truth).mean() / 255 for matte in mattes]))
        doubt = "" if judge(found[0]).fine else " doubtful"
        picture = _sheets.outlined(_sheets.outlined(photo.pixels, truth, _sheets.GREEN), found[0])
        entries.append([_sheets.cell(picture, f"{name} {overlaps[0]:.2f}{doubt}")])
    _sheets.write(f"mask {method}", entries, abreast=2)
    return scores


def _opened(name: str) -> tuple[Photo, Mask]:
    return Photo(_photos.photo(name)), _photos.mask(name, "subject")


def main() -> list[str]:
    """The table's lines."""
    if why := _photos.missing():
        return [why]
    names, rows = _photos.names("subject"), []
    for method in methods():
        tell(f"mask: {method}")
        rows.append(measure(method, names).row(method))
    head = ["mask", "IoU", "MAE", "IoU ≥ .5", "IoU ≥ .8", "worst scene", "best scene", "seconds"]
    return [
        *_sheets.table(head, rows),
        "",
        (
            f"{len(names)} photos of 854 px; IoU and MAE: mean per scene; the shares are of photos (of taps, where a "
            f"photo has {_HASTY_TAPS}); seconds: median."
        ),
    ]
