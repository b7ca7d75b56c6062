"""Which parts of a mask are filled together, from which part of the photo, and which are but scratches."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bot.imaging.masks import bounding_box
from bot.imaging.photo import Mask

SCRATCH_WIDTH = 6
"""Pixels; up to here a smear is not seen."""
_MOST_GROUPS = 6
"""Every group costs a search of its own; more than so many are united until they are fewer."""
_LABEL_SIDE = 1024
_LEAST_CONTEXT = 64


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
    """Part a mask into its thin pieces and the rest.

    Args:
        mask: (H, W) uint8, 255 = selected.

    Returns:
        Two masks like it: the pieces nowhere wider than `SCRATCH_WIDTH`, and the others.
    """
    box = bounding_box(mask)
    if box is None:
        return mask.copy(), mask.copy()
    left, top, right, bottom = box
    inside = mask[top:bottom, left:right]
    _, labels = cv2.connectedComponents(inside, connectivity=8)
    # What the picture's border cuts may go on outside it: the border does not make a piece thin.
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


def group(mask: Mask, *, context: float = 0.75) -> list[Hole]:
    """Unite what lies near each other, and choose for each group the part of the photo that it is filled from.

    Args:
        mask: (H, W) uint8, 255 = selected.
        context: How much of the photo is taken around a group, in long sides of its box.

    Returns:
        One hole per group, largest first; together they hold the whole mask, each pixel once.
    """
    height, width = mask.shape
    scale = min(1.0, _LABEL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    reach = max(2, round(0.02 * max(size)))
    while True:
        near = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
        count, labels = cv2.connectedComponents(near, connectivity=8)
        if count - 1 <= _MOST_GROUPS:
            break
        reach *= 2
    found = []
    for number in range(1, count):
        part = cv2.resize((labels == number).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        found.append(mask * part)
    # Where rounding put a pixel into no group's dilation it goes with the first.
    if found:
        found[0] |= mask & ~np.bitwise_or.reduce(found)
    holes = [_cut(part, context) for part in found if part.any()]
    return sorted(holes, key=lambda hole: -cv2.countNonZero(hole.mask))


def _cut(mask: Mask, context: float) -> Hole:
    box = bounding_box(mask)
    assert box is not None
    left, top, right, bottom = box
    margin = max(_LEAST_CONTEXT, round(context * max(right - left, bottom - top)))
    rows = _span(top - margin, bottom + margin, mask.shape[0])
    columns = _span(left - margin, right + margin, mask.shape[1])
    return Hole(mask[rows, columns].copy(), rows, columns)


def _span(begin: int, end: int, size: int) -> slice:
    """What a border cuts off on one side is added on the other: a hole there needs its sources too."""
    if begin < 0:
        end -= begin
    if end > size:
        begin -= end - size
    return slice(max(0, begin), min(size, end))
