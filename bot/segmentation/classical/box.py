"""The object in a box: by the colours outside it, the colours of its middle, and colour paths that lead out of it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from bot.imaging.photo import Mask, Matte, Pixels
from bot.segmentation import scaling
from bot.segmentation.arrays import Bools, Floats
from bot.segmentation.classical import grabcut, minimum_cut, palette, saliency
from bot.segmentation.classical.colour_log_odds import background_share, colour_log_odds
from bot.segmentation.classical.palette import Palette
from bot.segmentation.classical.superpixels import make_superpixels

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

LONG_SIDE = 256
"""Long side of the working copy of the box and its surroundings. On the open photos 320 takes half as long again and is
no better."""
_SURROUNDINGS = 0.4
"""Width of the surroundings on each side, as a share of the box's side: the background's colours come from there."""
_SUPERPIXEL = 9
_ROUNDS = 4
_MIN_SURROUNDINGS = 0.02
"""Share of the working copy that must lie outside the box; else the box's own margin counts as the surroundings."""
_MARGIN = 0.94
"""Where that margin begins, as a share of half the box's width and height."""
_CERTAIN = 20.0
"""Log-odds of a pixel whose side is given."""
_BACKGROUND_SHARE = 0.7
"""Share of a box that is taken to be background. On the open photos 0.5 to 0.7 differ by 0.003."""


def find_in_box(picture: Pixels, box: Box, wanted: Mask | None = None, unwanted: Mask | None = None) -> Matte:
    """Find the object that a box was drawn around.

    Args:
        picture: (H, W, 3) uint8 RGB.
        box: Around the object; it may reach outside the picture.
        wanted: (H, W) uint8, 255 = certainly the object.
        unwanted: (H, W) uint8, 255 = certainly not; wins over `wanted`.

    Returns:
        (H, W) uint8 matte, 0 outside the box; all 0 where the box holds only background.
    """
    height, width = picture.shape[:2]
    answer = np.zeros((height, width), np.uint8)
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(width, round(box[2])), min(height, round(box[3]))
    if right - left < 2 or bottom - top < 2:
        return answer
    aside = round(max(_SURROUNDINGS * (right - left), 0.15 * (bottom - top), 8))
    above = round(max(_SURROUNDINGS * (bottom - top), 0.15 * (right - left), 8))
    part = (
        slice(max(0, top - above), min(height, bottom + above)),
        slice(max(0, left - aside), min(width, right + aside)),
    )
    near = picture[part]
    small = scaling.shrink(near, LONG_SIDE)
    scale = small.shape[1] / near.shape[1], small.shape[0] / near.shape[0]
    x, y = part[1].start, part[0].start
    inner = ((left - x) * scale[0], (top - y) * scale[1], (right - x) * scale[0], (bottom - y) * scale[1])
    inside, outside = (None if hint is None else scaling.shrink_hint(hint[part], small) for hint in (wanted, unwanted))
    mask = segment_box(small, inner, inside, outside)
    found = scaling.enlarge(mask, small, near)
    answer[top:bottom, left:right] = found[top - y : bottom - y, left - x : right - x]
    return answer


def segment_box(small: Pixels, box: Box, wanted: Bools | None = None, unwanted: Bools | None = None) -> Bools:
    """Find the object in a box of a small picture.

    Args:
        small: (h, w, 3) uint8 RGB, the box and its surroundings.
        box: In pixels of `small`.
        wanted: (h, w) hints on the object.
        unwanted: (h, w) hints off it.

    Returns:
        (h, w) the object.
    """
    height, width = small.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32) + 0.5
    aside = np.abs(across - (box[0] + box[2]) / 2) / max((box[2] - box[0]) / 2, 1)
    upward = np.abs(down - (box[1] + box[3]) / 2) / max((box[3] - box[1]) / 2, 1)
    inside = np.asarray((aside <= 1) & (upward <= 1), bool)
    around = ~inside
    if np.count_nonzero(around) < _MIN_SURROUNDINGS * around.size:
        # The box surrounds everything: its margin is most likely background.
        around = np.asarray((aside > _MARGIN) | (upward > _MARGIN), bool)
    outside = around.astype(np.float32)
    # An object fills the ellipse in its box rather than the corners.
    place = 0.7 * np.clip(2 * (0.95 - np.hypot(aside, upward)), -2, 2)
    place = place + _path_out(small, around)
    colours = palette.fine_palette(small)
    for hint, certain in ((wanted, _CERTAIN), (unwanted, -_CERTAIN)):
        if hint is not None:
            place = np.where(hint, certain, place)
    costs = minimum_cut.edge_costs(small)
    likely = inside / (1 + np.exp(-2 * place))
    local_share = colours.local_share(outside)
    object_share = _object_colours(colours, inside, around, local_share)
    foreground = np.asarray(likely * object_share, np.float32)
    background = np.asarray(np.maximum(outside, inside * (1 - object_share)), np.float32)
    mask: Bools | None = None
    for _ in range(_ROUNDS):
        log_odds = np.where(inside, colour_log_odds(colours, foreground, background, local_share) + place, -_CERTAIN)
        mask = minimum_cut.solve_minimum_cut(log_odds.astype(np.float32), costs, mask)
        foreground = mask.astype(np.float32)
        background = 1 - foreground
        if not mask.any():
            return mask
    assert mask is not None
    return grabcut.fill_holes(grabcut.keep_main_pieces(mask, np.asarray(likely, np.float32), 0.1))


def _object_colours(colours: Palette, inside: Bools, around: Bools, local_share: Floats) -> Floats:
    """How likely each pixel's colour is the object's: (h, w), 0 … 1.

    The colours in the box are a mixture of the object's and the background's (`_BACKGROUND_SHARE` of the box), and the
    background's are known from outside.
    """
    mixed = colours.share(inside.astype(np.float32))[colours.labels]
    background = background_share(colours, around.astype(np.float32), local_share)
    return np.asarray(np.clip(1 - _BACKGROUND_SHARE * background / np.maximum(mixed, 1e-4), 0, 1), np.float32)


def _path_out(small: Pixels, outside: Bools) -> Floats:
    """How much the colour changes along the shortest colour path out of the box: (h, w), about -0.5 … 0.7."""
    superpixels = make_superpixels(small, _SUPERPIXEL)
    seeds = superpixels.mean(outside) > 0.5
    if not seeds.any() or seeds.all():
        return np.zeros(outside.shape, np.float32)
    far = saliency.geodesic_distances_from(superpixels, seeds)
    far = far / max(float(np.quantile(far[~seeds], 0.9)), 1e-6)
    return np.asarray(superpixels.paint(np.clip(far, 0, 1.2).astype(np.float32)) - 0.5, np.float32)
