"""The automatic find of the net: passes over the photo, its mirror image, and a crop around what both show."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bot.segmentation.arrays import Bools, Floats, overlap
from bot.segmentation.classical import grabcut
from bot.segmentation.learned.net import MIN_PEAK, stretch
from bot.segmentation.learned.saliency_maps import SaliencyMap, SaliencyMaps, in_pixels, widen

_MAIN_SHARE = 0.25
"""A piece belongs to the crop if it has at least this share of the heaviest piece's weight."""
_CROP_MARGIN, _CROP_MARGIN_PIXELS = 0.5, 8
"""How far the crop reaches beyond its pieces: as a share of their long side, plus pixels of the photo."""
_WHOLE_WEIGHT = 0.4
"""Weight of the whole photo's map against the crop's. Measured on the open photos: 0 to 0.5 differ by 0.003."""
_CLEAR_STRENGTH = 0.975
"""Strength of the first pass from which the mirror image is skipped. Of 14 plain photos ten reach it, of 40 street
scenes four; two passes and three give the same mean IoU to within 0.001. A wrong find (IoU 0.07) has 0.969; only the
mirror image shows that it is wrong. See docs/decisions.md#two-passes-or-three-or-seven."""
_MIN_PIECE_WEIGHT = 0.04
"""A piece with less than this share of the heaviest piece's weight is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class AutomaticMap:
    """The saliency maps that the automatic passes gave.

    Attributes:
        whole: (side, side) float32, not stretched: mean of the photo's map and its mirror image's, or the photo's map
            alone where that is strong.
        crop: The map of the crop; None where there is no crop.
        agreement: Overlap of the find in the photo with the find in its mirror image, 0 … 1; 1 where the mirror image
            was skipped.
    """

    whole: Floats
    crop: SaliencyMap | None
    agreement: float

    @property
    def is_empty(self) -> bool:
        """Whether the net saw nothing."""
        return float(self.whole.max()) < MIN_PEAK

    def soft_mask(self, width: int, height: int) -> Floats:
        """The subject's soft mask at the size of a copy: (height, width), 0 … 1; the subject is what is above 0.5."""
        whole = np.asarray(cv2.resize(stretch(self.whole), (width, height)), np.float32)
        if self.crop is None:
            return whole
        return stretch(_WHOLE_WEIGHT * whole + (1 - _WHOLE_WEIGHT) * stretch(self.crop.paint(width, height)))

    def strength(self, width: int, height: int) -> Floats:
        """How strongly the net saw each pixel: (height, width), 0 … 1, the mean of the maps, none stretched."""
        whole = np.asarray(cv2.resize(self.whole, (width, height)), np.float32)
        return whole if self.crop is None else np.asarray((whole + self.crop.paint(width, height)) / 2, np.float32)

    def mask(self, width: int, height: int) -> Bools:
        """The subject's mask at the size of a copy: (height, width), without specks."""
        soft = self.soft_mask(width, height)
        return grabcut.keep_main_pieces(np.asarray(soft > 0.5, bool), soft, _MIN_PIECE_WEIGHT)


def find_automatic_map(maps: SaliencyMaps) -> AutomaticMap:
    """Run the automatic passes, or take their maps from the cache.

    Three passes: the photo, its mirror image, the crop. A strong first pass makes the mirror image unnecessary. A slow
    net makes one pass.

    Args:
        maps: The photo's saliency maps.

    Raises:
        NoUsableModelError: No usable model is present.
    """
    plain = maps.get("whole", keep_memory=not maps.is_slow).values
    if maps.is_slow:
        return AutomaticMap(plain, None, 1.0)
    if _mean_strength(plain) >= _CLEAR_STRENGTH:
        return AutomaticMap(plain, _crop_map("crop", plain, maps), 1.0)
    mirrored = maps.get("mirrored", mirrored=True, keep_memory=True).values
    whole = np.asarray((plain + mirrored) / 2, np.float32)
    agreement = overlap(stretch(plain) > 0.5, stretch(mirrored) > 0.5)
    return AutomaticMap(whole, _crop_map("crop", whole, maps), agreement)


def find_quick_map(maps: SaliencyMaps) -> AutomaticMap:
    """Run one pass over the photo; where the automatic passes are cached already, use those.

    Args:
        maps: The photo's saliency maps.

    Raises:
        NoUsableModelError: No usable model is present.
    """
    return find_automatic_map(maps) if maps.has("crop") else AutomaticMap(maps.get("whole").values, None, 1.0)


def _mean_strength(values: Floats) -> float:
    """The mean of an unstretched map inside its find, 0 … 1; 0 where the map is flat."""
    found = stretch(values) > 0.5
    return float(values[found].mean()) if found.any() else 0.0


def _crop_map(name: str, whole: Floats, maps: SaliencyMaps) -> SaliencyMap | None:
    """The map of a crop around the main pieces of `whole`; None where there are none."""
    stretched = stretch(whole)
    main = grabcut.keep_main_pieces(np.asarray(stretched > 0.5, bool), stretched, _MAIN_SHARE)
    left, top, wide, high = cv2.boundingRect(main.astype(np.uint8))
    if not wide:
        return None
    side = whole.shape[0]
    width, height = maps.size
    x, y, right, bottom = in_pixels((left / side, top / side, (left + wide) / side, (top + high) / side), width, height)
    margin = _CROP_MARGIN * max(right - x, bottom - y) + _CROP_MARGIN_PIXELS
    return maps.get(name, widen((x, y, right, bottom), margin, width, height))
