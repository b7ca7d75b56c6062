"""Fills of holes whose truth is known: ours, and what PyPI offers."""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np

from bot.imaging.masks import coverage
from bot.imaging.photo import Mask, Photo, Pixels
from tests.benchmarks import _photos, _sheets
from tests.benchmarks._cost import EXPLAINED, cost, tell

SLOW = frozenset({"FSR_FAST", "biharmonic"})
"""At 4000 px they take over 20 s, and biharmonic 3.5 GB (docs/local-engine.md#classical-fills): not measured."""

_CLOSE = (216, 162)
"""A sheet's cell: the photo and eight methods abreast."""
_CLOSE_MARGIN = 0.4
_TINY = 96
_PATCHMATCH_SEED = 1212
"""The library's default; our engine sets another one in the same process."""

Fill = Callable[[Pixels, Mask], Pixels]


def ours(pixels: Pixels, mask: Mask) -> Pixels:
    from bot.inpainting.filling import fill

    return fill(Photo(pixels), mask, seed=0).pixels


def patchmatch(radius: int) -> Fill:
    def fill(pixels: Pixels, mask: Mask) -> Pixels:
        from patchmatch import inpaint, set_random_seed

        set_random_seed(_PATCHMATCH_SEED)
        return np.asarray(inpaint(pixels, mask, patch_size=radius), np.uint8)

    return fill


def telea(pixels: Pixels, mask: Mask) -> Pixels:
    return np.asarray(cv2.inpaint(pixels, mask, 5, cv2.INPAINT_TELEA), np.uint8)


def navier_stokes(pixels: Pixels, mask: Mask) -> Pixels:
    return np.asarray(cv2.inpaint(pixels, mask, 5, cv2.INPAINT_NS), np.uint8)


def shift_map(pixels: Pixels, mask: Mask) -> Pixels:
    """Takes Lab and a mask whose 0 is the hole; changes pixels outside it (docs/local-engine.md#classical-fills)."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)
    cv2.xphoto.inpaint(lab, 255 - mask, filled := np.zeros_like(lab), cv2.xphoto.INPAINT_SHIFTMAP)
    return np.where(mask[..., None] > 0, cv2.cvtColor(filled, cv2.COLOR_Lab2RGB), pixels)


def frequency_selective(pixels: Pixels, mask: Mask) -> Pixels:
    filled = np.zeros_like(pixels)
    cv2.xphoto.inpaint(pixels, 255 - mask, filled, cv2.xphoto.INPAINT_FSR_FAST)
    return np.where(mask[..., None] > 0, filled, pixels)


def biharmonic(pixels: Pixels, mask: Mask) -> Pixels:
    from skimage.restoration import inpaint_biharmonic

    filled = inpaint_biharmonic(pixels, mask > 0, channel_axis=-1, split_into_regions=True)
    return np.clip(filled * 255 + 0.5, 0, 255).astype(np.uint8)


def methods() -> dict[str, Fill]:
    """The installed methods."""
    found: dict[str, Fill] = {"ours": ours}
    if importlib.util.find_spec("patchmatch"):
        found |= {"pypatchmatch r3": patchmatch(3), "pypatchmatch r5": patchmatch(5)}
    found |= {"TELEA": telea, "NS": navier_stokes}
    if hasattr(cv2, "xphoto"):
        found |= {"SHIFTMAP": shift_map, "FSR_FAST": frequency_selective}
    if importlib.util.find_spec("skimage"):
        found["biharmonic"] = biharmonic
    return found


def seconds(method: str, side: int) -> float:
    """Measure one fill of the large photo."""
    fill = methods()[method]
    tiny, hole = _photos.large(_TINY)
    hole[:] = 0
    hole[24:48, 24:48] = 255
    fill(tiny, hole)
    photo, hole = _photos.large(side)
    begun = time.perf_counter()
    fill(photo, hole)
    return time.perf_counter() - begun


def scored(method: str, name: str) -> tuple[tuple[float, ...], Pixels]:
    """SWD, tex, signed tex and PSNR of one fill, and a close view of it."""
    measures, photo, hole = _photos.measures(), _photos.photo(name), _photos.mask(name, "hole")
    filled = methods()[method](photo, hole)
    # The measures take the grey of BGR.
    bgr, truth, where = filled[..., ::-1].copy(), photo[..., ::-1].copy(), hole > 0
    tex, signed = measures.tex(bgr, truth, where)
    scores = measures.swd(bgr, truth, where), tex, signed, float(measures.psnr_in(bgr, truth, where))
    return scores, _close(filled, hole, method)


def _close(pixels: Pixels, hole: Mask, caption: str) -> Pixels:
    left, top, width, height = cv2.boundingRect(hole)
    margin = round(_CLOSE_MARGIN * max(width, height))
    rows = slice(max(0, top - margin), top + height + margin)
    return _sheets.cell(pixels[rows, max(0, left - margin) : left + width + margin], caption, _CLOSE)


def qualities(names: list[str]) -> dict[str, list[float]]:
    """SWD, tex, signed tex and PSNR by method: means per scene, then over the scenes; writes the sheets."""
    answers: dict[str, list[float]] = {}
    entries = []
    for name in names:
        photo, hole = _photos.photo(name), _photos.mask(name, "hole")
        entries.append([_close(_sheets.outlined(photo, hole), hole, name)])
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for method in methods():
            tell(f"quality of {method}")
            results = list(pool.map(scored, [method] * len(names), names))
            for entry, (_, view) in zip(entries, results, strict=True):
                entry.append(view)
            columns = zip(*(scores for scores, _ in results), strict=True)
            means = [_photos.scene_means(dict(zip(names, column, strict=True))) for column in columns]
            answers[method] = [float(np.mean(list(mean.values()))) for mean in means]
    _sheets.write("fills", entries)
    return answers


def costs() -> dict[str, list[str]]:
    """Seconds and peak MB by method, at all sizes."""
    answers: dict[str, list[str]] = {}
    for method in methods():
        tell(f"cost of {method}")
        slow = _photos.SIDES[-1] if method in SLOW else None
        answers[method] = ["–" if side == slow else str(cost(seconds, method, side)) for side in _photos.SIDES]
    return answers


def lines(cost_by_method: dict[str, list[str]], quality_by_method: dict[str, list[float]]) -> list[str]:
    """The table."""
    rows = []
    for method, (swd, tex, signed, psnr) in quality_by_method.items():
        rows.append([method, f"{swd:.2f}", f"{tex:.2f} ({signed:+.2f})", f"{psnr:.1f}", *cost_by_method[method]])
    share = coverage(_photos.large(1280)[1])
    head = ["fill", "SWD", "tex (signed)", "PSNR", *(f"{side} px: s / MB" for side in _photos.SIDES)]
    return [
        *_sheets.table(head, rows),
        "",
        (
            f"SWD, tex and PSNR inside the holes of {len(_photos.names('hole'))} photos of 854 px, mean per scene. "
            f"Costs: a 4:3 photo scaled to each size, its hole {share:.1%} of it, the whole photo given. {EXPLAINED} "
            "Left out: FSR_BEST (20–30 s at 512 px already); FSR_FAST and biharmonic at 4000 px (over 20 s; "
            "biharmonic 3.5 GB)."
        ),
    ]


def main() -> list[str]:
    """The table's lines."""
    if why := _photos.missing():
        return [why]
    return lines(costs(), qualities(_photos.names("hole")))
