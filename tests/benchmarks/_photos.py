"""The open photos whose truth is known, and the measures; both lie beside the checkout, in `../shared`."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from bot.imaging.photo import Mask, Pixels

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PHOTOS = SHARED / "photos" / "open"
SIDES = (512, 1280, 4000)

LARGE = "010_car-roundabout"
"""The photo that is measured at all sizes: none with a true mask is larger than 854 px, so it is scaled up."""

_LARGE_COLUMNS = slice(0, 640)
"""4:3 of it, so that 4000 px are 12 megapixels; its hole then has 5 %."""


def missing() -> str | None:
    """One line about what is missing, or None."""
    for path in (PHOTOS, SHARED / "tools" / "metrics.py"):
        if not path.exists():
            return f"not measured: there is no {path.relative_to(ROOT.parent)} beside this checkout"
    return None


def names(kind: str = "images") -> list[str]:
    """The photos that have a picture in the folder ``images``, ``subject`` or ``hole``."""
    return sorted(path.stem for path in (PHOTOS / kind).iterdir())


def scene(name: str) -> str:
    """The scene of a photo: four photos each show the same scene and count as one."""
    return name.split("_", 1)[1]


def one_of_each(photos: list[str]) -> list[str]:
    """The first photo of every scene."""
    return list({scene(name): name for name in reversed(photos)}.values())[::-1]


def scene_means(values: dict[str, float]) -> dict[str, float]:
    """Means per scene of what was measured per photo."""
    scenes = defaultdict(list)
    for name, value in values.items():
        scenes[scene(name)].append(value)
    return {which: float(np.mean(found)) for which, found in scenes.items()}


def picture(path: Path) -> Pixels:
    """A picture as (H, W, 3) RGB."""
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def grey(path: Path) -> Mask:
    """A mask or a matte as (H, W)."""
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)


def photo(name: str) -> Pixels:
    """One of the photos."""
    return picture(PHOTOS / "images" / f"{name}.jpg")


def mask(name: str, kind: str) -> Mask:
    """Its ``subject`` or its ``hole``."""
    return np.where(grey(PHOTOS / kind / f"{name}.png") > 127, 255, 0).astype(np.uint8)


def large(side: int) -> tuple[Pixels, Mask]:
    """The photo LARGE at `side` pixels across, and its hole."""
    size = side, side * 3 // 4
    pixels = np.ascontiguousarray(photo(LARGE)[:, _LARGE_COLUMNS])
    hole = np.ascontiguousarray(mask(LARGE, "hole")[:, _LARGE_COLUMNS])
    smooth = cv2.INTER_AREA if side < pixels.shape[1] else cv2.INTER_CUBIC
    return (
        np.asarray(cv2.resize(pixels, size, interpolation=smooth), np.uint8),
        np.asarray(cv2.resize(hole, size, interpolation=cv2.INTER_NEAREST), np.uint8),
    )


def measures() -> ModuleType:
    """The measures of a fill: `tex`, `swd`, `psnr_in`; they take BGR."""
    spec = importlib.util.spec_from_file_location("fill_measures", SHARED / "tools" / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
