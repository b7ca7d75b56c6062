"""Selects the part of a photo that is sent and computes its size within the API's limits. Sizes and masks only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from bot.imaging.photo import Mask

SHORTEST_SIDE: Final = 128
"""Minimum of saliency_seg in pixels; i2i_inpainting accepts 65 (docs/volcengine.md#picture-limits)."""
LONGEST_SIDE: Final = 4095
"""Maximum of both abilities in pixels: below 4096 (docs/volcengine.md#picture-limits)."""
MIN_CROP_SIDE: Final = 768
"""Minimum side of a crop in pixels: a fill needs context even around a tiny hole."""
MAX_CROP_SHARE: Final = 0.6
"""A photo is sent whole if the crop would cover at least this share of it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in whole pixels; `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of this rectangle in an (H, W, …) array: rows, columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture is brought into the limits: scaled with its aspect kept, then padded if it is too thin.

    Attributes:
        width: Width of the scaled picture in pixels.
        height: Height of the scaled picture in pixels.
        padded_width: Width including the padding at the right edge.
        padded_height: Height including the padding at the bottom.
    """

    width: int
    height: int
    padded_width: int
    padded_height: int


def fit_within(width: int, height: int, *, longest: int = LONGEST_SIDE, shortest: int = SHORTEST_SIDE) -> Fit:
    """Fit a picture into `shortest` … `longest` pixels per side with its aspect kept.

    A picture within the limits keeps its size. If its aspect makes both limits impossible, it is scaled to `longest`
    and its short side is padded to `shortest`.
    """
    scale = 1.0
    if min(width, height) < shortest:
        scale = shortest / min(width, height)
    if max(width, height) * scale > longest:
        scale = longest / max(width, height)
    scaled_width = max(1, min(longest, round(width * scale)))
    scaled_height = max(1, min(longest, round(height * scale)))
    return Fit(scaled_width, scaled_height, max(scaled_width, shortest), max(scaled_height, shortest))


def crop_around(mask: Mask, *, longest: int) -> Box | None:
    """Return the part of a photo to send for filling a hole: the hole with a margin of its longer side.

    Args:
        mask: (H, W) uint8, > 0 = hole.
        longest: Maximum side in pixels that is sent without scaling.

    Returns:
        The whole photo if it is within the limit and the crop would cover most of it; otherwise the crop; None if the
        mask is empty.
    """
    height, width = mask.shape
    left, top, hole_width, hole_height = cv2.boundingRect((mask > 0).view(np.uint8))
    if hole_width == 0 or hole_height == 0:
        return None
    margin = max(hole_width, hole_height)
    columns = _widen(left, left + hole_width, margin, width)
    rows = _widen(top, top + hole_height, margin, height)
    box = Box(columns[0], rows[0], columns[1], rows[1])
    fits_whole = max(width, height) <= longest
    if fits_whole and box.width * box.height >= MAX_CROP_SHARE * width * height:
        return Box(0, 0, width, height)
    return box


def _widen(start: int, end: int, margin: int, length: int) -> tuple[int, int]:
    """Widen start…end by the margin, to at least `MIN_CROP_SIDE`, and shift it into 0…length."""
    margin = max(margin, (MIN_CROP_SIDE - (end - start) + 1) // 2)
    size = min(length, end - start + 2 * margin)
    begin = min(max(0, start - margin), length - size)
    return begin, begin + size
