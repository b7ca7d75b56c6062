"""Opens gaps in a mask through which the surroundings show, as in a cup's handle or beneath a sail."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from bot.segmentation.arrays import Bools
from bot.segmentation.classical import grabcut, minimum_cut, palette
from bot.segmentation.classical.colour_log_odds import colour_log_odds

_RING_WIDTH = 0.075
"""Width of the surroundings whose colours are searched for, as a share of the picture's long side."""
_OBJECT_BONUS = 0.5
"""Log-odds added within the outline: a gap has to look clearly more like the surroundings."""
_MIN_GAP = 0.015
"""Smallest gap as a share of the object; smaller ones are rather a pattern on it."""
_OUTSIDE = 20.0
"""Log-odds against the object outside the outline."""


def open_gaps(small: Pixels, mask: Bools) -> Bools:
    """Remove from a mask the gaps through which the surroundings show.

    Only gaps that do not touch the outline are removed; the outline itself stays as it is.

    Args:
        small: (h, w, 3) uint8 RGB, some hundred pixels across.
        mask: (h, w) the object.

    Returns:
        (h, w) the object without the gaps.
    """
    reach = max(1, round(_RING_WIDTH * max(mask.shape)))
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    near = (
        slice(max(0, top - reach), top + height + reach),
        slice(max(0, left - reach), left + width + reach),
    )
    subject, picture = mask[near], small[near]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    around = (cv2.dilate(subject.astype(np.uint8), disc) > 0) & ~subject
    if not subject.any() or not around.any():
        return mask
    background = around.astype(np.float32)
    colours = palette.coarse_palette(picture)
    log_odds = (
        colour_log_odds(colours, subject.astype(np.float32), background, colours.local_share(background))
        + _OBJECT_BONUS
    )
    log_odds = np.where(subject, log_odds, -_OUTSIDE).astype(np.float32)
    gone = subject & ~minimum_cut.solve_minimum_cut(log_odds, minimum_cut.edge_costs(picture), subject)
    labels, sizes = grabcut.connected_pieces(gone)
    gap = sizes >= _MIN_GAP * np.count_nonzero(subject)
    beyond = cv2.dilate((~subject).astype(np.uint8), np.ones((3, 3))) > 0
    gap[np.unique(labels[beyond])] = False
    gap[0] = False
    opened = mask.copy()
    opened[near] = subject & ~gap[labels]
    return opened
