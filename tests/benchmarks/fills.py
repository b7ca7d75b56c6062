"""Fills of holes whose truth is known: ours, and what PyPI offers, on the open photos.

Contact sheets go to `build/bench/fills`. The photos and the measures lie beside the checkout, in `../shared`.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from bot.imaging.photo import Mask, Photo, Pixels

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PHOTOS = SHARED / "photos" / "open"
SHEETS = ROOT / "build" / "bench" / "fills"
SIDES = (512, 1280, 4000)
SLOW = frozenset({"SHIFTMAP", "FSR_FAST", "biharmonic"})
"""Minutes for one photo of 4000 px (facts A3): not tried at that size."""
_SHEET_PHOTOS = 10

Fill = Callable[[Pixels, Mask], Pixels]


def ours(pixels: Pixels, mask: Mask) -> Pixels:
    from bot.engines.local.filling import fill

    return fill(Photo(pixels), mask, seed=0).pixels


def patchmatch(radius: int) -> Fill:
    def fill(pixels: Pixels, mask: Mask) -> Pixels:
        from patchmatch import inpaint

        return np.asarray(inpaint(pixels, mask, patch_size=radius), np.uint8)

    return fill


def telea(pixels: Pixels, mask: Mask) -> Pixels:
    return np.asarray(cv2.inpaint(pixels, mask, 5, cv2.INPAINT_TELEA), np.uint8)


def navier_stokes(pixels: Pixels, mask: Mask) -> Pixels:
    return np.asarray(cv2.inpaint(pixels, mask, 5, cv2.INPAINT_NS), np.uint8)


def shift_map(pixels: Pixels, mask: Mask) -> Pixels:
    """It wants Lab, and a mask whose 0 is the hole; it changes pixels outside (facts A4)."""
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
    """Those that are installed."""
    found: dict[str, Fill] = {
        "ours": ours,
        "pypatchmatch r3": patchmatch(3),
        "pypatchmatch r5": patchmatch(5),
        "TELEA": telea,
        "NS": navier_stokes,
    }
    if hasattr(cv2, "xphoto"):
        found |= {"SHIFTMAP": shift_map, "FSR_FAST": frequency_selective}
    if importlib.util.find_spec("skimage"):
        found["biharmonic"] = biharmonic
    return found


def open_photo(name: str) -> tuple[Pixels, Mask]:
    """One of the open photos and its hole."""
    photo = cv2.cvtColor(cv2.imread(str(PHOTOS / "images" / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    hole = cv2.imread(str(PHOTOS / "hole" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    return np.asarray(photo, np.uint8), np.where(hole > 127, 255, 0).astype(np.uint8)


def measures() -> ModuleType:
    """The measures of the facts: `tex`, `swd`, `psnr_in`."""
    spec = importlib.util.spec_from_file_location("fill_measures", SHARED / "tools" / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def quality(fill: Fill, names: list[str], sheet: str | None = None) -> tuple[float, float, float, float, float]:
    """PSNR, tex, signed tex, SWD and seconds: means per scene, then over the scenes."""
    found, scenes, strips = measures(), defaultdict(list), []
    for name in names:
        photo, mask = open_photo(name)
        begun = time.perf_counter()
        filled = fill(photo, mask)
        seconds = time.perf_counter() - begun
        # The measures take the grey of BGR.
        ours_bgr, truth, where = filled[..., ::-1].copy(), photo[..., ::-1].copy(), mask > 0
        tex, signed = found.tex(ours_bgr, truth, where)
        scenes[name.split("_", 1)[1]].append(
            (found.psnr_in(ours_bgr, truth, where), tex, signed, found.swd(ours_bgr, truth, where), seconds)
        )
        strips.append(_strip(photo, mask, filled))
    if sheet:
        _write_sheets(sheet, strips)
    psnr, tex, signed, swd, seconds = np.mean([np.mean(rows, axis=0) for rows in scenes.values()], axis=0)
    return float(psnr), float(tex), float(signed), float(swd), float(seconds)


def _strip(photo: Pixels, mask: Mask, filled: Pixels) -> Pixels:
    outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    marked = cv2.drawContours(photo.copy(), outline, -1, (255, 0, 0), 2)
    sides = [cv2.resize(side, (480, 270), interpolation=cv2.INTER_AREA) for side in (marked, filled)]
    return np.asarray(np.hstack(sides), np.uint8)


def _write_sheets(method: str, strips: list[Pixels]) -> None:
    SHEETS.mkdir(parents=True, exist_ok=True)
    for begin in range(0, len(strips), _SHEET_PHOTOS):
        sheet = np.vstack(strips[begin : begin + _SHEET_PHOTOS])
        cv2.imwrite(str(SHEETS / f"{method.replace(' ', '-')}-{begin // _SHEET_PHOTOS}.png"), sheet[..., ::-1])


def _cost(method: str, name: str, side: int) -> tuple[float, float]:
    """Seconds and peak MB of one fill; run in a process of its own, or the peak is another's."""
    photo, mask = open_photo(name)
    size = (side, round(photo.shape[0] * side / photo.shape[1]))
    photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    begun = time.perf_counter()
    methods()[method](photo, mask)
    return time.perf_counter() - begun, _peak()


def _peak() -> float:
    """MB; of this process alone, which `getrusage` does not tell after a fork."""
    status = Path("/proc/self/status")
    if not status.is_file():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**10


def cost(method: str, side: int) -> tuple[float, float]:
    """Median seconds of three, and the highest peak; the hole has 6 % of the photo."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        runs = [pool.apply(_cost, (method, "024_kite-surf", side)) for _ in range(3)]
    return statistics.median(seconds for seconds, _ in runs), max(peak for _, peak in runs)


def main() -> list[str]:
    """The table's lines."""
    if not PHOTOS.is_dir():
        return [f"no photos at {PHOTOS}"]
    names = sorted(path.stem for path in (PHOTOS / "hole").glob("*.png"))
    head = " | ".join(f"{side} px, s / MB" for side in SIDES)
    lines = [f"| method | SWD | tex (signed) | PSNR | {head} |", "|---|---|---|---|" + "---|" * len(SIDES)]
    for method, fill in methods().items():
        psnr, tex, signed, swd, _ = quality(fill, names, sheet=method)
        costs = []
        for side in SIDES:
            if side > max(SIDES[:-1]) and method in SLOW:
                costs.append("-")
                continue
            seconds, peak = cost(method, side)
            costs.append(f"{seconds:.2f} / {peak:.0f}")
        lines.append(f"| {method} | {swd:.2f} | {tex:.2f} ({signed:+.2f}) | {psnr:.1f} | {' | '.join(costs)} |")
    return lines
