"""What the net saw in a photo: views of the whole and of windows, remembered so that none is looked at twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.models import sessions
from bot.segmentation.learned import map_file
from bot.segmentation.learned.net import Eye, Floats, Window, square

Bools: TypeAlias = NDArray[np.bool_]
Shares: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the photo's width and height."""
EVERYTHING: Shares = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One look of the net.

    Attributes:
        plane: (side, side) float32, 0 … 1, what it saw in the window; not stretched.
        window: The part of the photo that it looked at.
    """

    plane: Floats
    window: Shares

    def paint(self, width: int, height: int) -> Floats:
        """The view at a copy's size, (height, width), 0 outside the window."""
        left, top, right, bottom = in_pixels(self.window, width, height)
        painted = np.zeros((height, width), np.float32)
        painted[top:bottom, left:right] = cv2.resize(self.plane, (right - left, bottom - top))
        return painted


class Views:
    """The views of one photo, taken as they are asked for.

    As a context it writes the views that have a name into the file when it is left, and gives the net's working
    memory back.

    Args:
        picture: (H, W, 3) uint8 RGB.
        models: Folder of the model files.
        file: Where the named views of this photo are kept between two jobs; None: they are not.
    """

    def __init__(self, picture: Pixels, models: Path, file: Path | None = None) -> None:
        self._eye = Eye(picture, models)
        self._picture = picture
        self._file = file
        self._named: dict[str, View] | None = None
        self._is_new = False
        self._holds_memory = False

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what is new and give the memory back."""
        if self._holds_memory:
            sessions.unload()
        if self._file is not None and self._is_new and self._named is not None:
            planes = {name: (view.window, view.plane) for name, view in self._named.items()}
            map_file.write(self._file, self._eye.model, self._picture, planes)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photo in pixels."""
        return self._eye.size

    @property
    def is_slow(self) -> bool:
        """Whether a look takes so long that one has to do; raises `NoSegmenterError` where no model works."""
        return self._eye.is_slow

    def named(self, name: str, window: Shares = EVERYTHING, *, mirrored: bool = False, more: bool = False) -> View:
        """A view that is kept under its name: the remembered one, or a new look.

        Args:
            name: What it is called; the same name means the same look.
            window: The part of the photo.
            mirrored: Whether the net sees it mirrored.
            more: Another look follows at once.

        Raises:
            NoSegmenterError: No model is there that works.
        """
        return self._remembered(name, lambda: self.fresh(window, mirrored=mirrored, more=more))

    def without(self, name: str, hidden: Bools, *, more: bool = False) -> View:
        """A named view of the whole photo in which something is hidden: what else does the net see?

        Args:
            name: What it is called.
            hidden: (h, w) what is painted over with what is around it; any size.
            more: Another look follows at once.

        Raises:
            NoSegmenterError: No model is there that works.
        """

        def look() -> View:
            small = square(self._picture, _HIDING_SIDE)
            self._holds_memory = more
            return View(_rounded(self._eye.see(picture=_painted_over(small, hidden), more=more)), EVERYTHING)

        return self._remembered(name, look)

    def knows(self, name: str) -> bool:
        """Whether a view of that name was taken or kept; raises `NoSegmenterError` where no model is there."""
        return name in self._all()

    def fresh(self, window: Shares, *, mirrored: bool = False, more: bool = False) -> View:
        """A look that is not kept; see `named`."""
        pixels = in_pixels(window, *self.size)
        plane = self._eye.see(pixels, mirrored=mirrored, more=more)
        self._holds_memory = more
        return View(_rounded(plane), in_shares(pixels, *self.size))

    def _remembered(self, name: str, look: Callable[[], View]) -> View:
        named = self._all()
        if name not in named:
            named[name] = look()
            self._is_new = True
        return named[name]

    def _all(self) -> dict[str, View]:
        if self._named is None:
            kept = map_file.read(self._file, self._eye.model, self._picture) if self._file is not None else {}
            self._named = {key: View(plane, window) for key, (window, plane) in kept.items()}
        return self._named


_HIDING_SIDE = 320


def in_pixels(window: Shares, width: int, height: int) -> Window:
    """The window in whole pixels of a copy, at least one pixel wide and high."""
    left = min(width - 1, max(0, round(window[0] * width)))
    top = min(height - 1, max(0, round(window[1] * height)))
    right = min(width, max(left + 1, round(window[2] * width)))
    bottom = min(height, max(top + 1, round(window[3] * height)))
    return left, top, right, bottom


def in_shares(window: Window, width: int, height: int) -> Shares:
    """A window of whole pixels as shares of the photo."""
    return window[0] / width, window[1] / height, window[2] / width, window[3] / height


def widened(box: tuple[float, float, float, float], by: float, width: int, height: int) -> Shares:
    """A box in pixels, widened by `by` pixels on each side, as shares of the photo."""
    return (
        max(0.0, box[0] - by) / width,
        max(0.0, box[1] - by) / height,
        min(float(width), box[2] + by) / width,
        min(float(height), box[3] + by) / height,
    )


def _rounded(plane: Floats) -> Floats:
    """As the file keeps it, so that a view is the same whether it is read or looked at."""
    return np.asarray(np.round(plane * 255) / 255, np.float32)


def _painted_over(small: Pixels, hidden: Bools) -> Pixels:
    """The picture with a part painted over by ever wider means of what is around it."""
    size = small.shape[1], small.shape[0]
    gone = cv2.resize(hidden.astype(np.float32), size) > _HIDDEN_FROM
    gone = cv2.dilate(gone.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    known = (~gone).astype(np.float32)
    colours = small.astype(np.float32) * known[..., None]
    painted, left = small.astype(np.float32), gone
    for spread in (4, 8, 16, 32, 64, 128):
        share = cv2.GaussianBlur(known, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
        near = left & (share > _SEEN_ENOUGH)
        mean = cv2.GaussianBlur(colours, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
        painted[near] = mean[near] / share[near, None]
        left = left & ~near
    painted[left] = painted[~gone].mean(0) if known.any() else painted[left]
    return np.clip(painted, 0, 255).astype(np.uint8)


_HIDDEN_FROM = 0.25
_SEEN_ENOUGH = 0.02
