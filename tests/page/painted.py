"""Finger paths on the screen, and the masks that they should produce."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from playwright.async_api import FloatRect

Point = tuple[float, float]
Bitmap = np.ndarray[Any, np.dtype[np.bool_]]


def point_at(box: FloatRect, across: float, down: float) -> Point:
    """The point of the screen at a place on the photo, given as shares 0 … 1."""
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def wave(box: FloatRect, left: float = 0.2, right: float = 0.7, height: float = 0.2, reports: int = 30) -> list[Point]:
    """A wave over the photo's middle, as this many touch events."""
    return sine(point_at(box, left, 0.5), point_at(box, right, 0.5), box["height"] * height, reports)


def sine(start: Point, end: Point, height: float, reports: int = 30) -> list[Point]:
    """A sine of a little more than one period, between points of the same height."""
    ways = (number / reports for number in range(reports + 1))
    return [(start[0] + (end[0] - start[0]) * way, start[1] + height * math.sin(way * 6.7)) for way in ways]


DENSE = 600
"""Number of events that define a line exactly, without interpolation."""


def polyline(*corners: Point, steps: int = 8) -> list[Point]:
    """Straight lines from corner to corner, as touch events."""
    line = [
        (start[0] + (end[0] - start[0]) * step / steps, start[1] + (end[1] - start[1]) * step / steps)
        for start, end in itertools.pairwise(corners)
        for step in range(steps)
    ]
    return [*line, corners[-1]]


class ExpectedMask:
    """An independent, supersampled rasterisation of what was painted.

    Args:
        box: Where the photo was on the screen, CSS px.
        size: (width, height) of the mask.
    """

    def __init__(self, box: FloatRect, size: tuple[int, int]) -> None:
        self._box = box
        self._finer = 4 if size[0] < 1000 else 1
        self._size = size
        self._scale = size[0] * self._finer / box["width"]
        self._fine = np.zeros((size[1] * self._finer, size[0] * self._finer), bool)

    def line(self, points: Sequence[Point], diameter: float, *, ink: bool = True) -> ExpectedMask:
        """Draw a line with a round brush, or with an eraser if `ink` is False.

        Pass the exact line, not the few events that the page received: the page interpolates between those.
        """
        radius = diameter * self._scale / 2
        places = [self._place(point) for point in points]
        for start, end in itertools.pairwise(places):
            count = math.ceil(math.dist(start, end) / (radius / 6)) + 1
            for x, y in np.linspace(start, end, count):
                self._disc(float(x), float(y), radius, ink=ink)
        return self

    def area(self, points: Sequence[Point]) -> ExpectedMask:
        """Fill an outline."""
        height, width = self._fine.shape
        drawn = Image.new("1", (width, height))
        # Pillow's coordinates are pixel centres; these are pixel corners.
        ImageDraw.Draw(drawn).polygon([(x - 0.5, y - 0.5) for x, y in map(self._place, points)], fill=1)
        self._fine |= np.asarray(drawn)
        return self

    @property
    def painted(self) -> Bitmap:
        """(H, W) bool: pixels of which at least half is covered."""
        width, height = self._size
        parts = self._fine.reshape(height, self._finer, width, self._finer)
        return np.asarray(parts.mean(axis=(1, 3)) >= 0.5)

    def _place(self, point: Point) -> Point:
        return (point[0] - self._box["x"]) * self._scale, (point[1] - self._box["y"]) * self._scale

    def _disc(self, x: float, y: float, radius: float, *, ink: bool) -> None:
        top, left = max(0, math.floor(y - radius)), max(0, math.floor(x - radius))
        part = self._fine[top : max(0, math.ceil(y + radius)), left : max(0, math.ceil(x + radius))]
        rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
        part[(rows + top + 0.5 - y) ** 2 + (columns + left + 0.5 - x) ** 2 <= radius**2] = ink


def overlap(a: Bitmap, b: Bitmap) -> float:
    """Intersection over union."""
    assert a.shape == b.shape
    return float((a & b).sum() / max(1, (a | b).sum()))
