"""How sure a learned find is, from what the passes saw."""

from __future__ import annotations

from bot.segmentation.passes import Automatic
from bot.segmentation.views import Bools

LOOK_CLOSER = 0.88
"""Confidence below which windows of the photo are looked at, too, for something that is seen more strongly."""
_SURE = 0.8
_AGREED = 0.3


def confidence(automatic: Automatic, mask: Bools) -> float:
    """How strongly the find was seen: the mean of the unstretched maps inside it, 0 … 1; 0 where it is empty."""
    if not mask.any():
        return 0.0
    height, width = mask.shape
    return float(automatic.seen(width, height)[mask].mean())


def is_sure(automatic: Automatic, mask: Bools, strength: float) -> bool:
    """Whether the find need not be asked about.

    Args:
        automatic: What the passes saw.
        mask: (h, w) the find.
        strength: Its confidence.
    """
    return bool(mask.any()) and strength >= _SURE and automatic.agreement >= _AGREED
