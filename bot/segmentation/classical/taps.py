"""The object under taps or a scribble: near the hints, on short colour paths from them, unlike its surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from bot.segmentation.arrays import Bools, Floats, overlap
from bot.segmentation.classical import grabcut, minimum_cut, palette, saliency
from bot.segmentation.classical.colour_log_odds import colour_log_odds
from bot.segmentation.classical.minimum_cut import EdgeCosts
from bot.segmentation.classical.palette import Palette
from bot.segmentation.classical.superpixels import Superpixels, make_superpixels

LONG_SIDE = 256
"""Long side of the working copy."""
_REACHES = (0.09, 0.13, 0.18)
"""Half sizes that are tried, as shares of the picture's diagonal, because hints do not tell the object's size."""
_SUPERPIXEL = 9
_ROUNDS = 2
"""Rounds of colour models and cut. On every second open photo 4 rounds take a quarter longer and gain 0.004 IoU."""
_CERTAIN = 20.0
"""Log-odds of a pixel whose side is given."""
_SURROUNDINGS_FROM = 1.6
"""Distance from the hints, in reaches, from which a superpixel counts as surroundings."""
_BACKGROUND_FROM = 1.3
"""Distance from the hints, in reaches, from which a pixel's colour counts as background of its row and column."""
_COLOUR_REACH = 20.0
"""Length of a colour path (Lab) over which the hints' colours count as the object's at the start."""


def grow_from_hints(small: Pixels, inside: Bools, outside: Bools) -> Bools:
    """Find the object that hints point at.

    Tries several sizes and returns the result that follows edges best and that the others agree with most.

    Args:
        small: (h, w, 3) uint8 RGB, the working copy.
        inside: (h, w) hints on the object; at least one.
        outside: (h, w) hints off it.

    Returns:
        (h, w) the object: the pieces that contain a hint.
    """
    inside = inside & ~outside
    if not inside.any():
        return inside
    superpixels = make_superpixels(small, _SUPERPIXEL)
    colours, costs = palette.fine_palette(small), minimum_cut.edge_costs(small)
    candidates = [grow_at_size(superpixels, colours, costs, inside, outside, reach) for reach in _REACHES]
    scores = [
        minimum_cut.edge_alignment(mask, costs) + float(np.mean([overlap(mask, other) for other in candidates]))
        for mask in candidates
    ]
    return candidates[int(np.argmax(scores))]


def grow_at_size(
    superpixels: Superpixels,
    colours: Palette,
    costs: EdgeCosts,
    inside: Bools,
    outside: Bools,
    reach: float,
    rounds: int = _ROUNDS,
) -> Bools:
    """Find the object under hints, given its size.

    Args:
        superpixels: The picture's superpixels.
        colours: The palette.
        costs: The costs between neighbouring pixels.
        inside: (h, w) hints on the object; at least one.
        outside: (h, w) hints off it.
        reach: Half the object's size as a share of the picture's diagonal.
        rounds: Rounds of colour models and cut.

    Returns:
        (h, w) the object: the pieces that contain a hint.
    """
    height, width = inside.shape
    away = _distance(inside) / (reach * float(np.hypot(height, width)))
    path = saliency.geodesic_distances_from(superpixels, superpixels.mean(inside) > 0)
    around = (
        (superpixels.mean(away > _SURROUNDINGS_FROM) > 0.5) | (superpixels.border > 0) | (superpixels.mean(outside) > 0)
    )
    back = saliency.geodesic_distances_from(superpixels, around)
    escape_share = back / np.maximum(back + path, 1e-6)
    place = np.clip(2 * (1 - away), -2, 1.4) + 4 * (superpixels.paint(escape_share.astype(np.float32)) - 0.5)
    if outside.any():
        # Pixels nearer to a hint off the object than to one on it are rather background.
        place = place + np.clip(_distance(outside) / np.maximum(_distance(inside), 1) - 1, -2, 0)
    likely = 1 / (1 + np.exp(-2 * place))
    foreground = np.asarray(likely * superpixels.paint(np.exp(-path / _COLOUR_REACH).astype(np.float32)), np.float32)
    unwanted = outside * np.float32(0.05 * outside.size / max(int(np.count_nonzero(outside)), 1))
    background = np.asarray(1 - likely + unwanted, np.float32)
    local_share = colours.local_share((away > _BACKGROUND_FROM).astype(np.float32))
    mask: Bools | None = None
    for _ in range(rounds):
        log_odds = colour_log_odds(colours, foreground, background, local_share) + place
        log_odds[inside] = _CERTAIN
        log_odds[outside] = -_CERTAIN
        mask = minimum_cut.solve_minimum_cut(log_odds.astype(np.float32), costs, mask)
        foreground = mask.astype(np.float32)
        background = np.asarray(1 - foreground + unwanted, np.float32)
    assert mask is not None
    labels, _ = grabcut.connected_pieces(mask)
    touched = np.unique(labels[inside])
    return grabcut.fill_holes(np.isin(labels, touched[touched > 0])) & ~outside


def _distance(where: Bools) -> Floats:
    return np.asarray(cv2.distanceTransform((~where).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
