"""Which part of a photo is sent, and how it is fitted into the cloud's limits. Sizes only, no pixels but the mask's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from bot.imaging.photo import Mask

SHORTEST_SIDE: Final = 128
"""saliency_seg takes no smaller side (docs/6793/1330693); the eraser takes 65."""
LONGEST_SIDE: Final = 4095
"""Smaller than 4096, both abilities."""
CROP_LEAST: Final = 768
"""Pixels of context that a fill wants to see even for a tiny hole."""
CROP_IS_ALL: Final = 0.6
"""A crop that would be this much of the photo is not worth cropping."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels; right and bottom are outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """To cut it out of an array: rows, columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture is put into the limits: scaled with its aspect, then padded where it is too thin for that.

    Attributes:
        width: Pixels across the scaled picture.
        height: Pixels down.
        outer_width: The same with the padding at the right edge.
        outer_height: The same with the padding at the bottom.
    """

    width: int
    height: int
    outer_width: int
    outer_height: int


def fit_within(width: int, height: int, *, longest: int = LONGEST_SIDE, shortest: int = SHORTEST_SIDE) -> Fit:
    """Fit a picture into `shortest` … `longest` pixels a side, keeping its aspect.

    A picture within the limits stays as it is. One so thin that both limits cannot hold is scaled to `longest`, and its
    thin side padded to `shortest`.
    """
    scale = 1.0
    if min(width, height) < shortest:
        scale = shortest / min(width, height)
    if max(width, height) * scale > longest:
        scale = longest / max(width, height)
    inner_width = max(1, min(longest, round(width * scale)))
    inner_height = max(1, min(longest, round(height * scale)))
    return Fit(inner_width, inner_height, max(inner_width, shortest), max(inner_height, shortest))


def crop_around(mask: Mask, *, longest: int) -> Box | None:
    """The part of a photo worth sending to have a hole filled: the hole and as much again around it.

    Args:
        mask: (H, W) uint8, > 0 = hole.
        longest: The longest side that is sent without scaling.

    Returns:
        The whole photo where it is within the limit and the hole is not small; else the hole's surroundings; None where
        there is no hole.
    """
    height, width = mask.shape
    left, top, hole_width, hole_height = cv2.boundingRect((mask > 0).view(np.uint8))
    if hole_width == 0 or hole_height == 0:
        return None
    margin = max(hole_width, hole_height)
    columns = _span(left, left + hole_width, margin, width)
    rows = _span(top, top + hole_height, margin, height)
    box = Box(columns[0], rows[0], columns[1], rows[1])
    fits_whole = max(width, height) <= longest
    if fits_whole and box.width * box.height >= CROP_IS_ALL * width * height:
        return Box(0, 0, width, height)
    return box


def _span(start: int, end: int, margin: int, length: int) -> tuple[int, int]:
    """Widen start…end by the margin, to `CROP_LEAST` at least, and push it back inside 0…length."""
    margin = max(margin, (CROP_LEAST - (end - start) + 1) // 2)
    wanted = min(length, end - start + 2 * margin)
    begin = min(max(0, start - margin), length - wanted)
    return begin, begin + wanted
