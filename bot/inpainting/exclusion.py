"""The exclusion mask: nothing is copied into a hole from a subject that stays (docs/local-engine.md#exclusion-mask)."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging import masks
from bot.imaging.photo import Mask

_RIM_WIDTH = 0.006
"""Width of the hole's rim that is examined, as a share of the long side."""
_MIN_RIM_ON_SUBJECT = 0.3
"""Share of the rim on the subject from which the hole counts as part of the subject, which then fills it best."""
_EDGE_MARGIN = 0.006
"""Possible error of a found edge, as a share of the long side."""


def exclusion_mask(hole: Mask, subject: Mask) -> Mask | None:
    """Return the subject that stays, unless the hole is part of the subject itself (a stain on its shirt).

    Args:
        hole: (H, W) uint8, 255 = hole.
        subject: (H, W) uint8, 255 = the subject.

    Returns:
        (H, W) uint8, 255 = copy nothing from there; None: nothing is excluded.
    """
    if not subject.any() or not hole.any():
        return None
    long_side = max(hole.shape)
    rim = masks.dilate(hole, max(2, round(_RIM_WIDTH * long_side))) & ~hole
    if cv2.countNonZero(rim & subject) >= _MIN_RIM_ON_SUBJECT * max(1, cv2.countNonZero(rim)):
        return None
    return np.asarray(masks.dilate(subject, max(2, round(_EDGE_MARGIN * long_side))) & ~hole, np.uint8)
