"""The thing under taps or a scribble: near the hints, easily reached from them by colour, unlike what is around it."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from bot.segmentation.classical import grabcut, minimum_cut, palette, saliency
from bot.segmentation.classical import superpixels as saliency_regions
from bot.segmentation.classical.colour_log_odds import colour_odds
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.classical.minimum_cut import Edges
from bot.segmentation.classical.palette import Palette
from bot.segmentation.classical.superpixels import Floats, Regions

LONG_SIDE = 256
"""Of the copy that is worked on."""
_REACHES = (0.09, 0.13, 0.18)
"""Sizes that a thing is tried at, as shares of the picture's diagonal: nobody says how large the thing is."""
_SUPERPIXEL = 9
_ROUNDS = 2
"""Of colour models and cut. Measured on every second open photo: 4 take a quarter longer for 0.004 of overlap."""
_SURELY = 20.0
_AROUND = 1.6
"""In reaches from the hints: where things around the thing begin."""
_BESIDE = 1.3
_COLOUR_REACH = 20.0
"""Length of a colour path (Lab) over which the hints' colours are believed at the start."""


def separate(small: Pixels, inside: Bools, outside: Bools) -> Bools:
    """Find the thing that hints point at.

    Tries several sizes and keeps the answer that lies best on edges and that the others agree with most.

    Args:
        small: (h, w, 3) uint8 RGB, small.
        inside: (h, w) hints on the thing; at least one.
        outside: (h, w) hints off it.

    Returns:
        (h, w) the thing: pieces that have a hint in them.
    """
    inside = inside & ~outside
    if not inside.any():
        return inside
    regions = saliency_regions.cut(small, _SUPERPIXEL)
    colours, between = palette.fine(small), minimum_cut.edges(small)
    tried = [at_size(regions, colours, between, inside, outside, reach) for reach in _REACHES]
    worth = [
        minimum_cut.on_edges(mask, between) + float(np.mean([_overlap(mask, other) for other in tried]))
        for mask in tried
    ]
    return tried[int(np.argmax(worth))]


def at_size(
    regions: Regions,
    colours: Palette,
    between: Edges,
    inside: Bools,
    outside: Bools,
    reach: float,
    rounds: int = _ROUNDS,
) -> Bools:
    """Find the thing under hints, if it is about so large.

    Args:
        regions: The picture's superpixels.
        colours: Its colours.
        between: Its edges.
        inside: (h, w) hints on the thing; at least one.
        outside: (h, w) hints off it.
        reach: Half the thing's size as a share of the picture's diagonal.
        rounds: Of colour models and cut.

    Returns:
        (h, w) the thing: pieces that have a hint in them.
    """
    height, width = inside.shape
    away = _distance(inside) / (reach * float(np.hypot(height, width)))
    path = saliency.cheapest(regions, regions.mean(inside) > 0)
    around = (regions.mean(away > _AROUND) > 0.5) | (regions.rim > 0) | (regions.mean(outside) > 0)
    back = saliency.cheapest(regions, around)
    easier = back / np.maximum(back + path, 1e-6)
    place = np.clip(2 * (1 - away), -2, 1.4) + 4 * (regions.paint(easier.astype(np.float32)) - 0.5)
    if outside.any():
        # What is nearer to a hint off the thing than to one on it is rather not the thing.
        place = place + np.clip(_distance(outside) / np.maximum(_distance(inside), 1) - 1, -2, 0)
    likely = 1 / (1 + np.exp(-2 * place))
    front = np.asarray(likely * regions.paint(np.exp(-path / _COLOUR_REACH).astype(np.float32)), np.float32)
    refused = outside * np.float32(0.05 * outside.size / max(int(np.count_nonzero(outside)), 1))
    behind = np.asarray(1 - likely + refused, np.float32)
    beside = colours.seen_beside((away > _BESIDE).astype(np.float32))
    mask: Bools | None = None
    for _ in range(rounds):
        words = colour_odds(colours, front, behind, beside) + place
        words[inside] = _SURELY
        words[outside] = -_SURELY
        mask = minimum_cut.cut(words.astype(np.float32), between, mask)
        front = mask.astype(np.float32)
        behind = np.asarray(1 - front + refused, np.float32)
    assert mask is not None
    labels, _ = grabcut.pieces(mask)
    touched = np.unique(labels[inside])
    return grabcut.fill_holes(np.isin(labels, touched[touched > 0])) & ~outside


def _distance(where: Bools) -> Floats:
    return np.asarray(cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _overlap(one: Bools, other: Bools) -> float:
    return int(np.count_nonzero(one & other)) / max(int(np.count_nonzero(one | other)), 1)
