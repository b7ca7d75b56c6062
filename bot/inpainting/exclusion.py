"""What must not be copied into a hole: a subject that stays. Else a swan's head turns up in the wall beside it."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging import masks
from bot.imaging.photo import Mask

_RIM = 0.006
"""Of the long side: how far around the hole is looked for what it is a hole in."""
_ON_IT = 0.3
"""Share of the hole's rim from which on it is a hole in the subject itself, which is then what fills it best."""
_MARGIN = 0.006
"""Of the long side: a found edge may be off by so much."""


def not_to_be_copied(hole: Mask, subject: Mask) -> Mask | None:
    """The subject that stays, unless the hole is one in the subject itself (a stain on its shirt).

    Args:
        hole: (H, W) uint8, 255 = fill.
        subject: (H, W) uint8, 255 = the subject.

    Returns:
        (H, W) uint8, 255 = copy nothing from there; None: nothing is barred.
    """
    if not subject.any() or not hole.any():
        return None
    long_side = max(hole.shape)
    rim = masks.dilate(hole, max(2, round(_RIM * long_side))) & ~hole
    if cv2.countNonZero(rim & subject) >= _ON_IT * max(1, cv2.countNonZero(rim)):
        return None
    return np.asarray(masks.dilate(subject, max(2, round(_MARGIN * long_side))) & ~hole, np.uint8)
