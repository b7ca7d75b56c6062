"""Edges whose truth is known: matte and colours of a lemur's fur, ours and the peers'."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from bot.imaging.matting import foreground, refinement
from bot.imaging.photo import Mask, Matte, Photo, Pixels
from tests.benchmarks import _photos, _sheets
from tests.benchmarks._cost import EXPLAINED, cost, tell

SIDES = (680, 1280, 4000)
LEMUR = _photos.PHOTOS / "cc0"
SLOW = frozenset({"pymatting closed form, trimap", "pymatting as rembg calls it, hard mask"})
"""At 4000 px: 36 s and 5.8 GB (docs/local-engine.md#peers): not measured at that size."""

SOFT = (12, 243)
"""Of 255: range in which the colours of a soft edge are compared; outside it differences are hardly visible."""

_TINY = 96
_REMBG_EROSION = 10
_GAUSS = 2.0
_GUIDED_RADIUS, _GUIDED_EPS = 8, 1e-2
"""The best of twenty settings on this very photo."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """The lemur at one size.

    Attributes:
        photo: The photo.
        alpha: Its true matte.
        trimap: 0, 128 and 255; 128 is the band in which a matte is judged.
        hard: The true matte made hard: what a perfect mask would be.
        colours: The true colours of the subject.
    """

    photo: Photo
    alpha: Matte
    trimap: Matte
    hard: Mask
    colours: Pixels


def lemur(side: int = SIDES[0]) -> Case:
    """Scaled to `side` pixels across."""
    pictures = (_photos.picture(LEMUR / f"lemur{which}.png") for which in ("", "_foreground"))
    alpha, trimap = (_photos.grey(LEMUR / f"lemur_{which}.png") for which in ("alpha", "trimap"))
    trimap = np.where((trimap == 0) | (trimap == 255), trimap, 128).astype(np.uint8)
    size = side, round(side * alpha.shape[0] / alpha.shape[1])
    if side != alpha.shape[1]:
        smooth = cv2.INTER_AREA if side < alpha.shape[1] else cv2.INTER_CUBIC
        pictures = (np.asarray(cv2.resize(one, size, interpolation=smooth), np.uint8) for one in pictures)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        trimap = np.asarray(cv2.resize(trimap, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    pixels, colours = pictures
    return Case(Photo(pixels), alpha, trimap, np.where(alpha >= 128, 255, 0).astype(np.uint8), colours)


def hard(case: Case) -> Matte:
    return case.hard


def gauss(case: Case) -> Matte:
    return np.asarray(cv2.GaussianBlur(case.hard, (0, 0), _GAUSS), np.uint8)


def guided(case: Case) -> Matte:
    guide, mask = (one.astype(np.float32) / 255 for one in (case.photo.pixels, case.hard))
    soft = cv2.ximgproc.guidedFilter(guide, mask, _GUIDED_RADIUS, _GUIDED_EPS)
    return np.asarray(np.clip(soft, 0, 1) * 255 + 0.5, np.uint8)


def pymatting_matte(case: Case) -> Matte:
    from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf

    alpha = estimate_alpha_cf(case.photo.pixels / 255, case.trimap / 255)
    return np.asarray(np.clip(alpha, 0, 1) * 255 + 0.5, np.uint8)


def rembg_matte(case: Case) -> Matte:
    """What `rembg` does with `alpha_matting=True` and its own numbers."""
    kernel = np.ones((_REMBG_EROSION, _REMBG_EROSION), np.uint8)
    front, back = (cv2.erode(side, kernel) for side in (case.hard, 255 - case.hard))
    trimap = np.where(front > 0, 255, np.where(back > 0, 0, 128)).astype(np.uint8)
    return pymatting_matte(replace(case, trimap=trimap))


def pymatting_colours(photo: Photo, alpha: Matte) -> Pixels:
    from pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml

    colours = estimate_foreground_ml(photo.pixels / 255, alpha / 255)
    return np.asarray(np.clip(colours, 0, 1) * 255 + 0.5, np.uint8)


def unchanged(photo: Photo, _alpha: Matte) -> Pixels:
    return photo.pixels


def ours_colours(photo: Photo, alpha: Matte) -> Pixels:
    return foreground.estimate(photo.pixels, alpha)


Way = tuple[Callable[[Case], Matte], Callable[[Photo, Matte], Pixels]]


def methods() -> dict[str, Way]:
    """The installed methods for matte and colours."""
    found: dict[str, Way] = {
        "ours, hard mask": (lambda case: refinement.refine(case.photo, case.hard), ours_colours),
    }
    if importlib.util.find_spec("pymatting"):
        found["pymatting closed form, trimap"] = (pymatting_matte, pymatting_colours)
        found["pymatting as rembg calls it, hard mask"] = (rembg_matte, pymatting_colours)
    if hasattr(cv2, "ximgproc"):
        found["OpenCV's guided filter, hard mask"] = (guided, unchanged)
    return found | {"gauss, hard mask": (gauss, unchanged), "the hard mask itself": (hard, unchanged)}


def seconds(method: str, side: int) -> float:
    """Measure matte and colours together."""
    matte, colours = methods()[method]
    tiny, case = lemur(_TINY), lemur(side)
    colours(tiny.photo, matte(tiny))
    begun = time.perf_counter()
    colours(case.photo, matte(case))
    return time.perf_counter() - begun


def errors(case: Case, way: Way) -> tuple[float, float, float]:
    """Mean absolute errors, 0 … 1.

    Of the matte in the unknown band; of the colours, for the true matte, where it is SOFT, and where it is neither 0
    nor 255.
    """
    matte, colours = way[0](case), way[1](case.photo, case.alpha)
    soft, any_soft = ((case.alpha > least) & (case.alpha < most) for least, most in (SOFT, (0, 255)))
    wrong = cv2.absdiff(colours, case.colours) / 255
    return (
        float(cv2.absdiff(matte, case.alpha)[case.trimap == 128].mean() / 255),
        float(wrong[soft].mean()),
        float(wrong[any_soft].mean()),
    )


def _views(case: Case, method: str, way: Way) -> list[Pixels]:
    """The matte, and the lemur cut out with it over three colours."""
    size = _sheets.CELL[0], round(_sheets.CELL[0] * case.photo.height / case.photo.width)
    matte = way[0](case)
    colours = way[1](case.photo, matte)
    cut = [_sheets.over(colours, matte, colour) for colour in (_sheets.BLACK, _sheets.WHITE, _sheets.RED)]
    shown = np.asarray(cv2.cvtColor(matte, cv2.COLOR_GRAY2RGB), np.uint8)
    return [_sheets.cell(one, caption, size) for one, caption in zip([shown, *cut], [method, "", "", ""], strict=True)]


def main() -> list[str]:
    """The table's lines."""
    if why := _photos.missing():
        return [why]
    case, rows, entries = lemur(), [], []
    for method, way in methods().items():
        tell(f"edges: {method}")
        matte, colour, all_colour = errors(case, way)
        slow = SIDES[-1] if method in SLOW else None
        costs = ["–" if side == slow else str(cost(seconds, method, side)) for side in SIDES[1:]]
        rows.append([method, f"{matte:.3f}", f"{colour:.3f} ({all_colour:.3f})", *costs])
        entries.append(_views(case, method, way))
    truth: Way = (lambda case: case.alpha, lambda case, _alpha: lemur().colours)
    _sheets.write("edges of the lemur", [*entries, _views(case, "truth", truth)])
    head = ["edges", "matte: MAE in the unknown band", "colour error", *(f"{side} px: s / MB" for side in SIDES[1:])]
    return [
        *_sheets.table(head, rows),
        "",
        (
            "The lemur, 680 × 440. Behind the comma: what is given besides the photo; the hard mask is the true matte "
            "cut at one half. The truth is pymatting's published example, its own answer from this trimap: that row "
            "shows no more than how exactly it repeats itself. Colour error: for the true matte, where it is between 5 "
            "and 95 % (in brackets: between 0 and 100 %). Costs: matte and colours together. "
            f"{EXPLAINED} Left out: pymatting at 4000 px (over 30 s, 5.8 GB)."
        ),
    ]
