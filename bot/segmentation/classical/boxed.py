"""The thing in a box: colours seen outside it, colours typical of its middle, and how hard it is to leave the box."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from bot.imaging.photo import Mask, Matte, Pixels
from bot.segmentation import scaling
from bot.segmentation.classical import grabcut, minimum_cut, palette, saliency
from bot.segmentation.classical import superpixels as saliency_regions
from bot.segmentation.classical.colour_log_odds import colour_odds, seen_behind
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.classical.palette import Palette
from bot.segmentation.classical.superpixels import Floats

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

LONG_SIDE = 256
"""Of the copy of the box and its surroundings. Measured on the open photos: 320 takes half as long again, no better."""
_AROUND = 0.4
"""Of the box's side, on each side of it: the background that is learned from."""
_SUPERPIXEL = 9
_ROUNDS = 4
_LEAST_AROUND = 0.02
_MARGIN = 0.94
"""Of half the box's width and height."""
_SURELY = 20.0
_BACKGROUND = 0.7
"""Share of a box that is background. Measured on the open photos: 0.5 to 0.7 differ by 0.003."""


def find_in_box(picture: Pixels, box: Box, keep: Mask | None = None, drop: Mask | None = None) -> Matte:
    """Find the thing that a box was drawn around.

    Args:
        picture: (H, W, 3) uint8 RGB.
        box: Around the thing; it may reach outside the picture.
        keep: (H, W) uint8, 255 = surely the thing.
        drop: (H, W) uint8, 255 = surely not; wins over `keep`.

    Returns:
        (H, W) uint8 matte, 0 outside the box; all 0 where the box has nothing in it but background.
    """
    height, width = picture.shape[:2]
    answer = np.zeros((height, width), np.uint8)
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(width, round(box[2])), min(height, round(box[3]))
    if right - left < 2 or bottom - top < 2:
        return answer
    aside = round(max(_AROUND * (right - left), 0.15 * (bottom - top), 8))
    above = round(max(_AROUND * (bottom - top), 0.15 * (right - left), 8))
    part = (
        slice(max(0, top - above), min(height, bottom + above)),
        slice(max(0, left - aside), min(width, right + aside)),
    )
    near = picture[part]
    small = scaling.shrink(near, LONG_SIDE)
    scale = small.shape[1] / near.shape[1], small.shape[0] / near.shape[0]
    x, y = part[1].start, part[0].start
    inner = ((left - x) * scale[0], (top - y) * scale[1], (right - x) * scale[0], (bottom - y) * scale[1])
    inside, outside = (None if hint is None else scaling.shrink_hint(hint[part], small) for hint in (keep, drop))
    mask = separate(small, inner, inside, outside)
    found = scaling.enlarge(mask, small, near)
    answer[top:bottom, left:right] = found[top - y : bottom - y, left - x : right - x]
    return answer


def separate(small: Pixels, box: Box, keep: Bools | None = None, drop: Bools | None = None) -> Bools:
    """The thing in a box of a small picture, with hints on and off it: (h, w)."""
    height, width = small.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32) + 0.5
    aside = np.abs(across - (box[0] + box[2]) / 2) / max((box[2] - box[0]) / 2, 1)
    upward = np.abs(down - (box[1] + box[3]) / 2) / max((box[3] - box[1]) / 2, 1)
    inside = np.asarray((aside <= 1) & (upward <= 1), bool)
    around = ~inside
    if np.count_nonzero(around) < _LEAST_AROUND * around.size:
        # A box around everything: the picture's margin is then what is likeliest not the thing.
        around = np.asarray((aside > _MARGIN) | (upward > _MARGIN), bool)
    outside = around.astype(np.float32)
    # Things fill the ellipse in their box rather than its corners.
    place = 0.7 * np.clip(2 * (0.95 - np.hypot(aside, upward)), -2, 2)
    place = place + _apart(small, around)
    colours = palette.fine(small)
    for hint, surely in ((keep, _SURELY), (drop, -_SURELY)):
        if hint is not None:
            place = np.where(hint, surely, place)
    between = minimum_cut.edges(small)
    likely = inside / (1 + np.exp(-2 * place))
    beside = colours.seen_beside(outside)
    own = _unlike_around(colours, inside, around, beside)
    front = np.asarray(likely * own, np.float32)
    behind = np.asarray(np.maximum(outside, inside * (1 - own)), np.float32)
    mask: Bools | None = None
    for _ in range(_ROUNDS):
        words = np.where(inside, colour_odds(colours, front, behind, beside) + place, -_SURELY)
        mask = minimum_cut.cut(words.astype(np.float32), between, mask)
        front = mask.astype(np.float32)
        behind = 1 - front
        if not mask.any():
            return mask
    assert mask is not None
    return grabcut.fill_holes(grabcut.main_pieces(mask, np.asarray(likely, np.float32), 0.1))


def _unlike_around(colours: Palette, inside: Bools, around: Bools, beside: Floats) -> Floats:
    """(h, w) 0 … 1: how likely a colour is the thing's, if so much of the box is background as `_BACKGROUND` says.

    The colours in the box are a mixture of the thing's and the background's, and the background's are seen outside.
    """
    mixed = colours.share(inside.astype(np.float32))[colours.labels]
    background = seen_behind(colours, around.astype(np.float32), beside)
    return np.asarray(np.clip(1 - _BACKGROUND * background / np.maximum(mixed, 1e-4), 0, 1), np.float32)


def _apart(small: Pixels, outside: Bools) -> Floats:
    """How much change of colour lies on the easiest way out of the box: about -0.5 … 0.7."""
    regions = saliency_regions.cut(small, _SUPERPIXEL)
    seeds = regions.mean(outside) > 0.5
    if not seeds.any() or seeds.all():
        return np.zeros(outside.shape, np.float32)
    far = saliency.cheapest(regions, seeds)
    far = far / max(float(np.quantile(far[~seeds], 0.9)), 1e-6)
    return np.asarray(regions.paint(np.clip(far, 0, 1.2).astype(np.float32)) - 0.5, np.float32)
