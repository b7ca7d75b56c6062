"""The automatic find of a learned segmenter: the photo, the photo mirrored, and a crop around what both saw."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bot.segmentation.classical import grabcut
from bot.segmentation.learned.net import NOTHING, Floats, stretch
from bot.segmentation.learned.views import Bools, View, Views, in_pixels, widened

_MAIN_SHARE = 0.25
"""A piece belongs to the crop if it weighs so much of the heaviest one."""
_WIDER, _WIDER_PIXELS = 0.5, 8
"""How far the crop reaches beyond its pieces: of their long side, and pixels of the photo."""
_OF_THE_WHOLE = 0.4
"""Weight of the whole photo's map against the crop's. Measured on the open photos: 0 to 0.5 differ by 0.003."""
_PLAIN = 0.975
"""Strength of the first look from which the mirrored photo is not looked at. Of 14 plain photos nine are that plain, of
40 street scenes four; in each, two looks and three give the same IoU to within 0.01. At 0.971 lies a find that is wrong
(0.06), which only the mirrored photo gives away."""
_SPECK = 0.04
"""A piece that weighs less than this share of the heaviest is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Automatic:
    """What the passes saw.

    Attributes:
        whole: (side, side) float32, mean of the photo's and the mirrored photo's map, or the photo's alone where that
            is strong; not stretched.
        crop: The look at the crop; None where there is none.
        agreement: Overlap of the photo's and the mirrored photo's find, 0 … 1; 1 where that was not looked at.
    """

    whole: Floats
    crop: View | None
    agreement: float

    @property
    def saw_nothing(self) -> bool:
        """Whether the net saw nothing that it would stand by."""
        return float(self.whole.max()) < NOTHING

    def soft(self, width: int, height: int) -> Floats:
        """The subject's soft map at a copy's size, (height, width), 0 … 1; the subject is what is above 0.5."""
        whole = np.asarray(cv2.resize(stretch(self.whole), (width, height)), np.float32)
        if self.crop is None:
            return whole
        return stretch(_OF_THE_WHOLE * whole + (1 - _OF_THE_WHOLE) * stretch(self.crop.paint(width, height)))

    def seen(self, width: int, height: int) -> Floats:
        """How strongly the net saw each place, (height, width), 0 … 1: the mean of its looks, none stretched."""
        whole = np.asarray(cv2.resize(self.whole, (width, height)), np.float32)
        return whole if self.crop is None else np.asarray((whole + self.crop.paint(width, height)) / 2, np.float32)

    def mask(self, width: int, height: int) -> Bools:
        """The subject at a copy's size, (height, width), without specks."""
        soft = self.soft(width, height)
        return grabcut.main_pieces(np.asarray(soft > 0.5, bool), soft, _SPECK)


def look(views: Views) -> Automatic:
    """Look at the photo three times, or take what is kept of it.

    Two looks do where the first one is strong: the mirrored photo would add nothing. A slow net looks once.

    Raises:
        NoSegmenterError: No model is there that works.
    """
    plain = views.named("whole", more=not views.is_slow).plane
    if views.is_slow:
        return Automatic(plain, None, 1.0)
    if _strength(plain) >= _PLAIN:
        return Automatic(plain, _zoom("crop", plain, views), 1.0)
    mirrored = views.named("mirrored", mirrored=True, more=True).plane
    whole = np.asarray((plain + mirrored) / 2, np.float32)
    return Automatic(whole, _zoom("crop", whole, views), _overlap(stretch(plain) > 0.5, stretch(mirrored) > 0.5))


def peek(views: Views) -> Automatic:
    """Look at the photo once; where it was looked at three times before, that is taken.

    Raises:
        NoSegmenterError: No model is there that works.
    """
    return look(views) if views.knows("crop") else Automatic(views.named("whole").plane, None, 1.0)


def _strength(plane: Floats) -> float:
    """The mean of an unstretched map inside its find, 0 … 1; 0 where the map is flat."""
    found = stretch(plane) > 0.5
    return float(plane[found].mean()) if found.any() else 0.0


def _zoom(name: str, plane: Floats, views: Views) -> View | None:
    stretched = stretch(plane)
    main = grabcut.main_pieces(np.asarray(stretched > 0.5, bool), stretched, _MAIN_SHARE)
    left, top, wide, high = cv2.boundingRect(main.astype(np.uint8))
    if not wide:
        return None
    side = plane.shape[0]
    width, height = views.size
    x, y, right, bottom = in_pixels((left / side, top / side, (left + wide) / side, (top + high) / side), width, height)
    by = _WIDER * max(right - x, bottom - y) + _WIDER_PIXELS
    return views.named(name, widened((x, y, right, bottom), by, width, height))


def _overlap(one: Bools, other: Bools) -> float:
    return int(np.count_nonzero(one & other)) / max(int(np.count_nonzero(one | other)), 1)
