"""How sure a learned find is, from what the passes saw."""

from __future__ import annotations

from bot.segmentation.learned.automatic_map import Automatic
from bot.segmentation.learned.views import Bools

LOOK_CLOSER = 0.88
"""Confidence below which windows of the photo are looked at, too, for something that is seen more strongly. A quarter
of the open photos lies below it, with all five finds that are wrong (0.20 to 0.87), and one of eight plain ones. The
closer look brings the open photos from 0.729 to 0.794 (IoU, mean per scene), and three of the five finds right."""
_SURE = 0.8
"""Confidence from which a find is sure. Two of the open photos' finds lie below it after the closer look, at 0.64
(wrong) and 0.69; no plain photo's does."""
_AGREED = 0.3
"""Overlap of what is seen in the photo and in its mirror image from which both see the same thing. On the open photos
wrong automatic finds have 0.00, 0.01, 0.06, 0.25 and 0.65; right ones have 0.49 or more, but for one with 0.00."""


def find_confidence(automatic: Automatic, mask: Bools) -> float:
    """How strongly the find was seen: the mean of the unstretched maps inside it, 0 … 1; 0 where it is empty."""
    if not mask.any():
        return 0.0
    height, width = mask.shape
    return float(automatic.seen(width, height)[mask].mean())


def is_certain(strength: float, agreement: float) -> bool:
    """Whether the automatic passes alone settle what the subject is, so that no closer look is needed."""
    return strength >= LOOK_CLOSER and agreement >= _AGREED


def is_sure(strength: float, agreement: float, *, confirmed: bool) -> bool:
    """Whether a find need not be asked about: seen strongly, in the mirror image too, and by the closer look too.

    Args:
        strength: Its confidence; after the closer look, where there was one.
        agreement: Of the photo's and the mirrored photo's find, 0 … 1.
        confirmed: The closer look found the same thing, or was not needed.
    """
    return confirmed and strength >= _SURE and agreement >= _AGREED
