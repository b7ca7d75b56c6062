"""Splitting a mask into scratches and groups of holes, and choosing the crop that each group is filled from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bot.imaging.masks import bounding_box
from bot.imaging.photo import Mask

SCRATCH_WIDTH = 6
"""Width in pixels up to which a smeared fill is not visible."""
_MAX_GROUPS = 6
"""Each group needs its own search, so groups are merged until there are at most this many."""
_LABEL_SIDE = 1024
_MIN_CONTEXT = 64


@dataclass(frozen=True, slots=True)
class Hole:
    """Parts of a mask that are filled together.

    Attributes:
        mask: (H, W) uint8 of the crop's size, 255 = fill.
        rows: The crop in the photo.
        columns: Likewise.
    """

    mask: Mask
    rows: slice
    columns: slice


def split_scratches(mask: Mask) -> tuple[Mask, Mask]:
    """Split a mask into its thin components and the rest.

    Args:
        mask: (H, W) uint8, 255 = selected.

    Returns:
        Two masks like it: the components nowhere wider than `SCRATCH_WIDTH`, and the others.
    """
    box = bounding_box(mask)
    if box is None:
        return mask.copy(), mask.copy()
    left, top, right, bottom = box
    inside = mask[top:bottom, left:right]
    _, labels = cv2.connectedComponents(inside, connectivity=8)
    # A component cut by the picture's border may continue outside: the border does not make it thin.
    padded = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    if left == 0:
        padded[:, 0] = padded[:, 1]
    if top == 0:
        padded[0] = padded[1]
    if right == mask.shape[1]:
        padded[:, -1] = padded[:, -2]
    if bottom == mask.shape[0]:
        padded[-1] = padded[-2]
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    wide = np.zeros(int(labels.max()) + 1, bool)
    wide[np.unique(labels[depth > SCRATCH_WIDTH / 2 + 0.5])] = True
    wide[0] = False
    rest = np.zeros_like(mask)
    rest[top:bottom, left:right] = np.where(wide[labels], 255, 0)
    return mask & ~rest, rest


def group_holes(mask: Mask, *, context: float = 0.75) -> list[Hole]:
    """Group holes that are close together, and choose for each group the crop that it is filled from.

    Args:
        mask: (H, W) uint8, 255 = selected.
        context: Margin around a group, in long sides of its box.

    Returns:
        One hole per group, largest first; together they cover each pixel of the mask once.
    """
    height, width = mask.shape
    scale = min(1.0, _LABEL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    reach = max(2, round(0.02 * max(size)))
    while True:
        near = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
        count, labels = cv2.connectedComponents(near, connectivity=8)
        if count - 1 <= _MAX_GROUPS:
            break
        reach *= 2
    found = []
    for number in range(1, count):
        part = cv2.resize((labels == number).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        found.append(mask * part)
    # A pixel that rounding leaves in no group's dilation belongs to the first group.
    if found:
        found[0] |= mask & ~np.bitwise_or.reduce(found)
    holes = [_crop_hole(part, context) for part in found if part.any()]
    return sorted(holes, key=lambda hole: -cv2.countNonZero(hole.mask))


def _crop_hole(mask: Mask, context: float) -> Hole:
    box = bounding_box(mask)
    assert box is not None
    left, top, right, bottom = box
    margin = max(_MIN_CONTEXT, round(context * max(right - left, bottom - top)))
    rows = _shifted_span(top - margin, bottom + margin, mask.shape[0])
    columns = _shifted_span(left - margin, right + margin, mask.shape[1])
    return Hole(mask[rows, columns].copy(), rows, columns)


def _shifted_span(begin: int, end: int, size: int) -> slice:
    """Add on one side what the border cuts off on the other, so that a hole at the border has enough sources."""
    if begin < 0:
        end -= begin
    if end > size:
        begin -= end - size
    return slice(max(0, begin), min(size, end))
