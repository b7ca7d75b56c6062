"""How sure a learned find is, from what the passes saw."""

from __future__ import annotations

from bot.segmentation.passes import Automatic
from bot.segmentation.views import Bools

LOOK_CLOSER = 0.88
"""Confidence below which windows of the photo are looked at, too, for something that is seen more strongly."""
_SURE = 0.8
"""Confidence from which a find is sure. The wrong finds of the open photos lie at 0.98, 0.87, 0.75, 0.68, 0.64; of the
right ones one in eight lies below 0.85 before the closer look, none of the plain ones after it."""
_AGREED = 0.3
"""Overlap of what is seen in the photo and in its mirror image from which both see the same thing. On the open photos
wrong finds have 0.00, 0.01, 0.06, 0.25 and 0.65, right ones from 0.49 up, but for one."""


def confidence(automatic: Automatic, mask: Bools) -> float:
    """How strongly the find was seen: the mean of the unstretched maps inside it, 0 … 1; 0 where it is empty."""
    if not mask.any():
        return 0.0
    height, width = mask.shape
    return float(automatic.seen(width, height)[mask].mean())


def is_sure(strength: float, agreement: float, *, confirmed: bool) -> bool:
    """Whether a find need not be asked about: seen strongly, in the mirror image too, and by the closer look too.

    Args:
        strength: Its confidence; after the closer look, where there was one.
        agreement: Of the photo's and the mirrored photo's find, 0 … 1.
        confirmed: The closer look found the same thing, or was not needed.
    """
    return confirmed and strength >= _SURE and agreement >= _AGREED
