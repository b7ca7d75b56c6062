"""What is seen through a thing: surroundings within its outline, as in a cup's handle or beneath a sail."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from bot.segmentation.classical import grabcut, minimum_cut, palette
from bot.segmentation.classical.colour_log_odds import colour_odds
from bot.segmentation.classical.grabcut import Bools

_RING = 0.075
"""Of the picture's long side: the surroundings whose colours are looked for within the thing."""
_DOUBT = 0.5
"""Log-odds for what is within the outline to be the thing: a gap has to look clearly more like the surroundings."""
_LEAST = 0.015
"""Of the thing's size; smaller gaps are rather a pattern on it."""
_OUTSIDE = 20.0


def open_gaps(small: Pixels, mask: Bools) -> Bools:
    """Take out of a mask what its outline encloses of the surroundings.

    Only whole gaps go: the outline itself stays as it is.

    Args:
        small: (h, w, 3) uint8 RGB, some hundred pixels across.
        mask: (h, w) the thing.

    Returns:
        (h, w) the thing without the gaps.
    """
    reach = max(1, round(_RING * max(mask.shape)))
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    near = (
        slice(max(0, top - reach), top + height + reach),
        slice(max(0, left - reach), left + width + reach),
    )
    thing, picture = mask[near], small[near]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    around = (cv2.dilate(thing.astype(np.uint8), disc) > 0) & ~thing
    if not thing.any() or not around.any():
        return mask
    behind = around.astype(np.float32)
    colours = palette.coarse(picture)
    words = colour_odds(colours, thing.astype(np.float32), behind, colours.seen_beside(behind)) + _DOUBT
    words = np.where(thing, words, -_OUTSIDE).astype(np.float32)
    gone = thing & ~minimum_cut.cut(words, minimum_cut.edges(picture), thing)
    labels, sizes = grabcut.pieces(gone)
    gap = sizes >= _LEAST * np.count_nonzero(thing)
    beyond = cv2.dilate((~thing).astype(np.uint8), np.ones((3, 3))) > 0
    gap[np.unique(labels[beyond])] = False
    gap[0] = False
    opened = mask.copy()
    opened[near] = thing & ~gap[labels]
    return opened
