"""The net's saliency maps of one photo: computed on demand, none of the named ones twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from bot.models import sessions
from bot.segmentation.arrays import Bools, Floats
from bot.segmentation.learned import map_file
from bot.segmentation.learned.net import SaliencyNet, Window, squeeze_to_square

Shares: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the photo's width and height, 0 … 1."""
WHOLE_PHOTO: Shares = (0.0, 0.0, 1.0, 1.0)

_HIDING_SIDE = 320
_HIDDEN_FROM = 0.25
"""Share of a pixel that the hidden mask covers from which the pixel is painted over."""
_MIN_KNOWN_SHARE = 0.02
"""Share of known pixels around a hidden one from which their mean is used."""


@dataclass(frozen=True, slots=True, eq=False)
class SaliencyMap:
    """The map that one pass of the net gave.

    Attributes:
        values: (side, side) float32, 0 … 1, of the window; not stretched.
        window: The part of the photo that the net was run on.
    """

    values: Floats
    window: Shares

    def paint(self, width: int, height: int) -> Floats:
        """The map at the size of a copy of the photo: (height, width), 0 outside the window."""
        left, top, right, bottom = in_pixels(self.window, width, height)
        painted = np.zeros((height, width), np.float32)
        painted[top:bottom, left:right] = cv2.resize(self.values, (right - left, bottom - top))
        return painted


class SaliencyMaps:
    """The saliency maps of one photo.

    Used as a context manager. On exit it writes the named maps to the cache file and releases the net's working memory.

    Args:
        picture: (H, W, 3) uint8 RGB.
        models: Folder of the model files.
        file: File that caches the named maps between two jobs; None: they are not cached.
    """

    def __init__(self, picture: Pixels, models: Path, file: Path | None = None) -> None:
        self._net = SaliencyNet(picture, models)
        self._picture = picture
        self._file = file
        self._named: dict[str, SaliencyMap] | None = None
        self._has_new = False
        self._holds_memory = False

    def __enter__(self) -> Self:
        """Return the maps themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write new named maps to the file and release the net's working memory."""
        if self._holds_memory:
            sessions.unload()
        if self._file is not None and self._has_new and self._named is not None:
            planes = {name: (one.window, one.values) for name, one in self._named.items()}
            map_file.write(self._file, self._net.model, self._picture, planes)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photo in pixels."""
        return self._net.size

    @property
    def is_slow(self) -> bool:
        """Whether the caller should make do with one pass; raises `NoUsableModelError` without a usable model."""
        return self._net.is_slow

    def get(
        self, name: str, window: Shares = WHOLE_PHOTO, *, mirrored: bool = False, keep_memory: bool = False
    ) -> SaliencyMap:
        """The named map: from the cache, or from a new pass of the net.

        Args:
            name: Name in the cache; a name always stands for the same window and mirroring.
            window: The part of the photo to run on.
            mirrored: Whether to run on the mirror image.
            keep_memory: Another pass follows at once.

        Raises:
            NoUsableModelError: No usable model is present.
        """
        return self._get_or_compute(name, lambda: self.compute(window, mirrored=mirrored, keep_memory=keep_memory))

    def get_with_hidden(self, name: str, hidden: Bools, *, keep_memory: bool = False) -> SaliencyMap:
        """The named map of the whole photo in which a part is painted over, so that the net shows what else is there.

        Args:
            name: Name in the cache; a name always stands for the same hidden part.
            hidden: (h, w) the part to paint over, at any size.
            keep_memory: Another pass follows at once.

        Raises:
            NoUsableModelError: No usable model is present.
        """

        def compute() -> SaliencyMap:
            small = squeeze_to_square(self._picture, _HIDING_SIDE)
            self._holds_memory = keep_memory
            values = self._net.predict(picture=_paint_over(small, hidden), keep_memory=keep_memory)
            return SaliencyMap(_round_to_bytes(values), WHOLE_PHOTO)

        return self._get_or_compute(name, compute)

    def has(self, name: str) -> bool:
        """Whether a map of that name is cached; raises `NoUsableModelError` without a usable model."""
        return name in self._named_maps()

    def compute(self, window: Shares, *, mirrored: bool = False, keep_memory: bool = False) -> SaliencyMap:
        """A map of a new pass that is not cached; see `get`."""
        pixels = in_pixels(window, *self.size)
        values = self._net.predict(pixels, mirrored=mirrored, keep_memory=keep_memory)
        self._holds_memory = keep_memory
        return SaliencyMap(_round_to_bytes(values), in_shares(pixels, *self.size))

    def _get_or_compute(self, name: str, compute: Callable[[], SaliencyMap]) -> SaliencyMap:
        named = self._named_maps()
        if name not in named:
            named[name] = compute()
            self._has_new = True
        return named[name]

    def _named_maps(self) -> dict[str, SaliencyMap]:
        if self._named is None:
            cached = map_file.read(self._file, self._net.model, self._picture) if self._file is not None else {}
            self._named = {name: SaliencyMap(values, window) for name, (window, values) in cached.items()}
        return self._named


def in_pixels(window: Shares, width: int, height: int) -> Window:
    """Convert a window to whole pixels of a copy, at least one pixel wide and high."""
    left = min(width - 1, max(0, round(window[0] * width)))
    top = min(height - 1, max(0, round(window[1] * height)))
    right = min(width, max(left + 1, round(window[2] * width)))
    bottom = min(height, max(top + 1, round(window[3] * height)))
    return left, top, right, bottom


def in_shares(window: Window, width: int, height: int) -> Shares:
    """Convert a window of whole pixels to shares of the photo."""
    return window[0] / width, window[1] / height, window[2] / width, window[3] / height


def widen(box: tuple[float, float, float, float], margin: float, width: int, height: int) -> Shares:
    """Widen a box in pixels by `margin` pixels on each side, within the photo; returns shares of the photo."""
    return (
        max(0.0, box[0] - margin) / width,
        max(0.0, box[1] - margin) / height,
        min(float(width), box[2] + margin) / width,
        min(float(height), box[3] + margin) / height,
    )


def _round_to_bytes(values: Floats) -> Floats:
    """Round to steps of 1/255, as the file stores them, so that a cached map equals a computed one."""
    return np.asarray(np.round(values * 255) / 255, np.float32)


def _paint_over(small: Pixels, hidden: Bools) -> Pixels:
    """Paint over a part of a picture with Gaussian means of its surroundings, of growing radius towards its middle."""
    size = small.shape[1], small.shape[0]
    gone = cv2.resize(hidden.astype(np.float32), size) > _HIDDEN_FROM
    gone = cv2.dilate(gone.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    known = (~gone).astype(np.float32)
    colours = small.astype(np.float32) * known[..., None]
    painted, left = small.astype(np.float32), gone
    for spread in (4, 8, 16, 32, 64, 128):
        if not left.any():
            break
        share = _local_mean(known, spread)
        near = left & (share > _MIN_KNOWN_SHARE)
        painted[near] = _local_mean(colours, spread)[near] / share[near, None]
        left = left & ~near
    painted[left] = painted[~gone].mean(0) if known.any() else painted[left]
    return np.clip(painted, 0, 255).astype(np.uint8)


def _local_mean(layer: Floats, spread: int) -> Floats:
    """The Gaussian mean around each pixel; a wide one is computed on a smaller copy, which takes less time."""
    height, width = layer.shape[:2]
    step = max(1, spread // 4)
    small = cv2.resize(layer, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), spread / step, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(blurred, (width, height)), np.float32)
