"""How sure a find of the net is. Measurements: docs/local-engine.md#doubt."""

from __future__ import annotations

from bot.segmentation.arrays import Bools
from bot.segmentation.learned.automatic_map import AutomaticMap

LOOK_CLOSER = 0.88
"""Confidence below which the net is run on windows of the photo, too, for an object that it sees more strongly. A
quarter of the open photos lies below it, with five of the six wrong finds (0.23 to 0.87), and one of 14 plain photos.
The closer look raises the open photos from 0.727 to 0.784 (IoU, mean per scene) and corrects three of those finds."""
_MIN_SURE = 0.8
"""Confidence from which a find is sure. After the closer look one find of the open photos lies below it, at 0.66
(IoU 0.55); the other doubtful ones fail the agreement or the confirmation. No plain photo's find does."""
_MIN_AGREEMENT = 0.3
"""Overlap of the finds in the photo and in its mirror image from which both show the same object. On the open photos
wrong automatic finds have 0.00, 0.00, 0.06, 0.29, 0.55 and 0.63; right ones 0.47 or more, except one with 0.10."""


def find_confidence(automatic: AutomaticMap, mask: Bools) -> float:
    """How strongly the find was seen: the mean of the unstretched maps inside `mask`, 0 … 1; 0 where it is empty."""
    if not mask.any():
        return 0.0
    height, width = mask.shape
    return float(automatic.strength(width, height)[mask].mean())


def is_certain(confidence: float, agreement: float) -> bool:
    """Whether the automatic passes alone decide what the subject is, so that no closer look is needed."""
    return confidence >= LOOK_CLOSER and agreement >= _MIN_AGREEMENT


def is_sure(confidence: float, agreement: float, *, confirmed: bool) -> bool:
    """Whether a find is sure, so that the bot does not ask.

    Args:
        confidence: The find's confidence; after the closer look, if there was one.
        agreement: Overlap of the finds in the photo and in its mirror image, 0 … 1.
        confirmed: Whether the closer look found the same object, or was not needed.
    """
    return confirmed and confidence >= _MIN_SURE and agreement >= _MIN_AGREEMENT
