"""Large holes whose truth is known: shapes of subjects, scaled up, on what is background in the open photos.

The set is made from the masks that lie beside the photos, the same every time; no photo is stored.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from bot.imaging import masks
from bot.imaging.photo import Mask, Photo, Pixels
from tests.benchmarks import _photos, _sheets
from tests.benchmarks._cost import tell

SHARES = (0.15, 0.20, 0.25, 0.30, 0.35)
"""Hole sizes as shares of the photo, used in turn; if one does not fit, the next smaller one."""
_STEP = 4
"""Places are tried at a quarter of the photo's size."""
_GAP = 12
"""Pixels at least between a hole and the subject that stays."""
_OVERHANG = 0.15
"""Share of a hole's box that may lie outside the photo, as subjects are often cut by the border."""
_TALLEST = 1.0
"""A shape's box at most, in heights of the photo (widths likewise)."""


@dataclass(frozen=True, slots=True, eq=False)
class LargeHole:
    """A hole on the background of a photo.

    Attributes:
        name: The photo's.
        photo: (H, W, 3) uint8 RGB, the truth.
        hole: (H, W) uint8, 255 = fill.
        subject: (H, W) uint8, 255 = the subject that stays, a little widened; nothing is to be copied from it.
    """

    name: str
    photo: Pixels
    hole: Mask
    subject: Mask


def names() -> list[str]:
    """The photos that have room for a large hole, in the order of the folder."""
    return [name for name in _photos.names("subject") if hole(name) is not None]


def load(name: str) -> LargeHole:
    """The large hole of a photo."""
    found = hole(name)
    assert found is not None
    return LargeHole(name, _photos.photo(name), found, _stays(name))


def hole(name: str) -> Mask | None:
    """The largest fitting of the shapes for a photo; None if none of 15 % fits."""
    photos = _photos.names("subject")
    at = photos.index(name)
    shapes = [other for other in photos if _photos.scene(other) != _photos.scene(name)]
    free = _stays(name) == 0
    first = at % len(SHARES)
    for share in (*SHARES[first::-1], *SHARES[first + 1 :]):
        # Every shape is somewhere else in the list for every photo, so that the holes differ.
        for turn in range(6):
            shape = _photos.mask(shapes[(7 * at + 11 * turn) % len(shapes)], "subject")
            placed = _place(shape, free, share)
            if placed is not None:
                return placed
    return None


def _stays(name: str) -> Mask:
    return masks.dilate(_photos.mask(name, "subject"), _GAP)


def _place(shape: Mask, free: np.ndarray, share: float) -> Mask | None:
    """Place the shape at this size on free background, mostly inside the photo; None if there is no such place."""
    height, width = free.shape
    box = masks.bounding_box(masks.keep_main_components(shape, 0.99))
    assert box is not None
    cut = masks.keep_main_components(shape, 0.99)[box[1] : box[3], box[0] : box[2]]
    scale = float(np.sqrt(share * free.size / max(1, cv2.countNonZero(cut))))
    size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
    if size[0] > _TALLEST * width or size[1] > _TALLEST * height:
        return None
    large = masks.scale(cut, *size)
    over_x, over_y = round(_OVERHANG * size[0]), round(_OVERHANG * size[1])
    padded = np.pad((~free).astype(np.float32), ((over_y, over_y), (over_x, over_x)))
    small = cv2.resize(padded, None, fx=1 / _STEP, fy=1 / _STEP, interpolation=cv2.INTER_AREA)
    stamp = cv2.resize(large, None, fx=1 / _STEP, fy=1 / _STEP, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if stamp.shape[0] > small.shape[0] or stamp.shape[1] > small.shape[1]:
        return None
    overlap = cv2.matchTemplate(small, stamp, cv2.TM_CCORR)
    fits = overlap <= max(1e-2, float(overlap.min())) + 1e-3
    if overlap.min() > 1:
        return None
    # The fitting place nearest the middle of the photo: there subjects stand.
    rows, columns = np.nonzero(fits)
    centre_y = rows * _STEP - over_y + size[1] / 2 - height / 2
    centre_x = columns * _STEP - over_x + size[0] / 2 - width / 2
    best = int(np.argmin(centre_x**2 + centre_y**2))
    top, left = int(rows[best]) * _STEP - over_y, int(columns[best]) * _STEP - over_x
    canvas = np.zeros((height + 2 * over_y, width + 2 * over_x), np.uint8)
    canvas[top + over_y : top + over_y + size[1], left + over_x : left + over_x + size[0]] = large[
        : canvas.shape[0] - top - over_y, : canvas.shape[1] - left - over_x
    ]
    placed = canvas[over_y : over_y + height, over_x : over_x + width]
    placed = np.where(free, placed, np.uint8(0))
    return placed if 0.15 <= masks.coverage(placed) <= 0.36 else None


def ours(case: LargeHole) -> Pixels:
    from bot.inpainting.filling import fill

    return fill(Photo(case.photo), case.hole, seed=0, exclude=case.subject).pixels


def patchmatch(case: LargeHole) -> Pixels:
    from patchmatch import inpaint, set_random_seed

    set_random_seed(1212)
    barred = np.where(case.hole > 0, np.uint8(0), case.subject)
    return np.asarray(inpaint(case.photo, case.hole, global_mask=barred, patch_size=3), np.uint8)


METHODS: dict[str, Callable[[LargeHole], Pixels]] = {"ours": ours, "pypatchmatch r3": patchmatch}


def scored(method: str, name: str) -> tuple[float, ...]:
    """SWD, tex, signed tex and PSNR of one fill."""
    measures, case = _photos.measures(), load(name)
    # The measures take the grey of BGR.
    bgr, truth, where = METHODS[method](case)[..., ::-1].copy(), case.photo[..., ::-1].copy(), case.hole > 0
    tex, signed = measures.tex(bgr, truth, where)
    return measures.swd(bgr, truth, where), tex, signed, float(measures.psnr_in(bgr, truth, where))


def main() -> list[str]:
    """The table's lines: means per scene, then over the scenes."""
    if why := _photos.missing():
        return [why]
    found, rows = names(), []
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for method in METHODS:
            tell(f"large holes by {method}")
            columns = zip(*pool.map(scored, [method] * len(found), found), strict=True)
            means = [_photos.scene_means(dict(zip(found, column, strict=True))) for column in columns]
            swd, tex, signed, psnr = (float(np.mean(list(mean.values()))) for mean in means)
            rows.append([method, f"{swd:.2f}", f"{tex:.2f} ({signed:+.2f})", f"{psnr:.1f}"])
    return [
        *_sheets.table(["fill of large holes", "SWD", "tex (signed)", "PSNR"], rows),
        "",
        f"{len(found)} photos, holes of 15–35 % in the shape of other photos' subjects; the subject is not copied.",
    ]
