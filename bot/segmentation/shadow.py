"""Finds the shadow that a subject casts on the ground, so that both can be erased together.

The rule and its numbers: docs/local-engine.md#shadows.
"""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging import masks
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation.arrays import Bools, Floats
from bot.segmentation.classical.superpixels import to_lab
from bot.segmentation.scaling import shrink

_LONG_SIDE = 854
"""Long side of the working copy; the numbers below were measured at this size."""
_DARK = 0.8
"""Lightness below which a pixel is dark, as a share of the 60th percentile of the ground's lightness."""
_SAME_COLOUR = 14.0
"""Largest distance in Lab's a and b from the ground's median: a shadow darkens the ground but keeps its colour."""
_MAX_SHARE = 0.3
"""Largest shadow as a share of the subject's area. With 1.2, trees and rocks behind the subject were taken for it."""
_MIN_SHARE = 0.005
_SEARCH_FROM = 0.65
"""Where the search begins, as a share of the subject's height. With 0.5 it took the hedge behind a car."""
_MAX_UPRIGHT = 0.5
"""Share of a shadow's width that may continue above the search. Of the open photos' shadows the highest has 0.25; a
bystander's trousers, which were taken for one, have 0.68."""
_LOOK_ABOVE = 8
"""Pixels above the search at which a shadow has to have ended; less than `_MARGIN`."""
_MARGIN = 16
"""Pixels around the search that the closing and the subject's foot reach into."""
_PENUMBRA = 0.006
"""Width of the penumbra as a share of the long side; it is lighter than `_DARK`."""


def find_shadow(photo: Photo, subject: Mask) -> Mask:
    """Find the shadow that the subject casts on the ground under and beside it.

    Searches the lower third of the subject's bounding box, 35 % of its height below it and 60 % of its width beside it,
    for ground that is darker but of the same colour and touches the subject's lower 40 %.

    Args:
        photo: The photo.
        subject: (H, W) uint8 mask of the subject.

    Returns:
        (H, W) uint8 mask of the shadow alone, without the subject; all 0 where there is none.
    """
    nothing = np.zeros(subject.shape, np.uint8)
    small = shrink(photo.pixels, _LONG_SIDE)
    height, width = small.shape[:2]
    body = cv2.resize(subject, (width, height), interpolation=cv2.INTER_AREA) > 127
    if not body.any() or body.all():
        return nothing
    shade = _shadow_in_copy(small, body)
    if not shade.any():
        return nothing
    full = cv2.resize(shade.astype(np.uint8) * 255, (photo.width, photo.height), interpolation=cv2.INTER_LINEAR)
    found: Mask = np.where((full > 127) & (subject == 0), np.uint8(255), np.uint8(0))
    return found


def add_shadow(photo: Photo, subject: Mask) -> Mask:
    """Add the subject's shadow to its mask.

    The shadow is widened by about half a percent of the long side, because its soft edge would stay visible as a ghost.
    The subject itself is not widened.

    Args:
        photo: The photo.
        subject: (H, W) uint8 mask of the subject.

    Returns:
        (H, W) uint8 mask; a copy of `subject` where there is no shadow or the candidate is too large.
    """
    shade = find_shadow(photo, subject)
    if not shade.any():
        return subject.copy()
    radius = max(2, round(_PENUMBRA * max(subject.shape)))
    return np.asarray(subject | masks.dilate(shade, radius), np.uint8)


def _shadow_in_copy(small: Pixels, whole: Bools) -> Bools:
    rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
    tall, wide = bottom - top + 1, right - left + 1
    # Only the surroundings of the search are converted to Lab, not the whole picture.
    first, last = max(0, top + int(_SEARCH_FROM * tall) - _MARGIN), bottom + int(0.35 * tall) + 1 + _MARGIN
    near, far = max(0, left - int(0.6 * wide) - _MARGIN), right + int(0.6 * wide) + 1 + _MARGIN
    window = (slice(first, last), slice(near, far))
    found = np.zeros_like(whole)
    found[window] = _shadow_in_window(
        to_lab(np.ascontiguousarray(small[window])),
        whole[window],
        int(np.count_nonzero(whole)),
        (top - first, bottom - first, left - near, right - near),
        at_border=(last >= whole.shape[0], near == 0, far >= whole.shape[1]),
    )
    return found


def _shadow_in_window(
    lab: Floats,
    body: Bools,
    size: int,
    box: tuple[int, int, int, int],
    *,
    at_border: tuple[bool, bool, bool],
) -> Bools:
    """Find the shadow in a window around the subject's foot.

    Args:
        lab: (h, w, 3) the window in Lab.
        body: (h, w) the subject in the window.
        size: Pixels of the whole subject.
        box: Top, bottom, left and right of the whole subject, counted from the window's corner.
        at_border: Whether the window's bottom, left and right sides lie on the picture's border.
    """
    top, bottom, left, right = box
    tall, wide = bottom - top + 1, right - left + 1
    search = np.zeros(body.shape, bool)
    search_top = max(0, top + int(_SEARCH_FROM * tall))
    search[
        search_top : bottom + int(0.35 * tall) + 1,
        max(0, left - int(0.6 * wide)) : right + int(0.6 * wide) + 1,
    ] = True
    ground = search & ~(cv2.dilate(body.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    if np.count_nonzero(ground) < 64:
        return np.zeros_like(body)
    level = np.percentile(lab[..., 0][ground], 60)
    colour = np.median(lab[..., 1:][ground], 0)
    dark = lab[..., 0] < _DARK * level
    same = ((lab[..., 1:] - colour) ** 2).sum(-1) < _SAME_COLOUR**2
    shade = (dark & same & search & ~body).astype(np.uint8)
    shade = cv2.morphologyEx(shade, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    shade = cv2.morphologyEx(shade, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    foot = body.copy()
    foot[: max(0, bottom - int(0.4 * tall))] = False
    foot = cv2.dilate(foot.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(shade, connectivity=8)
    kept = np.zeros(len(statistics), bool)
    kept[np.unique(labels[foot & (shade > 0)])] = True
    kept &= statistics[:, cv2.CC_STAT_AREA] >= _MIN_SHARE * size
    # What reaches the picture's border is shaded ground or trees behind rather than the subject's shadow.
    for is_at_border, edge in zip(at_border, (labels[-1], labels[:, 0], labels[:, -1]), strict=True):
        if is_at_border:
            kept[edge] = False
    kept[0] = False
    # Before the next rule, on purpose: with so much that is dark, the rest is mostly no shadow either.
    if np.count_nonzero(kept[labels] & ~body) > _MAX_SHARE * size:
        return np.zeros_like(body)
    # What continues upwards over much of its width stands behind the subject: a bystander's trousers, a planter.
    if search_top >= _LOOK_ABOVE:
        above = (dark & same & ~body)[search_top - _LOOK_ABOVE]
        upright = np.bincount(labels[search_top][above], minlength=len(statistics))
        kept &= upright <= _MAX_UPRIGHT * statistics[:, cv2.CC_STAT_WIDTH]
    found: Bools = kept[labels] & ~body
    return found
