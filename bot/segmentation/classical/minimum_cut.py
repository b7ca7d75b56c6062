"""The cut between inside and outside that costs least: each pixel's own word, and edges that want to be on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.imaging.photo import Pixels
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.classical.superpixels import Floats

_STEP = 0.35
"""Of both variables; below 1/√8, the bound of the gradient's norm, Chambolle and Pock's scheme converges."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """What it costs to cut between neighbours.

    Attributes:
        across: (H, W-1) ≥ 0, between a pixel and the one to its right.
        down: (H-1, W) ≥ 0, between a pixel and the one below.
    """

    across: Floats
    down: Floats


def edges(picture: Pixels, strength: float = 6.0, least: float = 0.05) -> Edges:
    """Costs that are low where the colour changes (Boykov, Jolly 2001; the scale of contrast as in GrabCut).

    Args:
        picture: (H, W, 3) uint8 RGB.
        strength: Cost where there is no change at all, in units of the pixels' own words (log-odds).
        least: Share of that cost which the sharpest edge still has.
    """
    colours = picture.astype(np.float32)
    across = ((colours[:, 1:] - colours[:, :-1]) ** 2).sum(-1)
    down = ((colours[1:] - colours[:-1]) ** 2).sum(-1)
    typical = (float(across.sum()) + float(down.sum())) / max(across.size + down.size, 1)

    def cost(change: Floats) -> Floats:
        # GrabCut: exp(-β·change) with β = 1 / (2·mean change).
        lowered = np.exp(-change / max(2 * typical, 1e-6))
        return np.asarray(strength * (least + (1 - least) * lowered), np.float32)

    return Edges(cost(across), cost(down))


def cut(words: Floats, between: Edges, start: Bools | None = None, turns: int = 60) -> Bools:
    """Divide the picture so that words and edges together are served best.

    The convex relaxation of the minimum cut (weighted total variation, whose thresholded minimiser is a minimum cut:
    Chan, Esedoğlu, Nikolova 2006), by Chambolle and Pock's first-order scheme, 2011. Unlike OpenCV's GrabCut it takes
    any words for the pixels: colour, place, saliency.

    Args:
        words: (H, W) log-odds of each pixel being inside; positive speaks for it.
        between: The neighbours' costs.
        start: Where to start from; None: from the words' signs.
        turns: Rounds; tens are enough for pictures of some hundred pixels.

    Returns:
        (H, W) what is inside.
    """
    # In place throughout: most of the time would go to making the arrays. Flows are kept times the step.
    inside = (words > 0 if start is None else start).astype(np.float32)
    ahead, moved = inside.copy(), np.empty_like(inside)
    pull = np.asarray(words, np.float32) * np.float32(_STEP)
    across, down = _Flow(between.across), _Flow(between.down)
    for _ in range(turns):
        across.push(ahead[:, 1:], ahead[:, :-1])
        down.push(ahead[1:], ahead[:-1])
        np.add(inside, pull, out=moved)
        moved[:, :-1] += across.now
        moved[:, 1:] -= across.now
        moved[:-1] += down.now
        moved[1:] -= down.now
        np.minimum(moved, 1, out=moved)
        np.maximum(moved, 0, out=moved)
        np.multiply(moved, 2, out=ahead)
        ahead -= inside
        inside, moved = moved, inside
    return np.asarray(inside > 0.5, bool)


def on_edges(mask: Bools, between: Edges) -> float:
    """How well a mask's outline lies on the picture's edges: 0 (in flat colour) … 1; 0 where it has no outline."""
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    length = int(np.count_nonzero(across)) + int(np.count_nonzero(down))
    dearest = max(float(between.across.max(initial=0)), float(between.down.max(initial=0)))
    if not length or dearest <= 0:
        return 0.0
    paid = float(between.across[across].sum()) + float(between.down[down].sum())
    return 1 - paid / (dearest * length)


class _Flow:
    """What goes over from each pixel to its neighbour in one direction, at most what it costs to cut between them."""

    def __init__(self, cost: Floats) -> None:
        self._most = cost * np.float32(_STEP)
        self._least = -self._most
        self._change = np.empty_like(self._most)
        self.now = np.zeros_like(self._most)

    def push(self, there: Floats, here: Floats) -> None:
        np.subtract(there, here, out=self._change)
        np.multiply(self._change, _STEP**2, out=self._change)
        np.add(self.now, self._change, out=self.now)
        np.minimum(self.now, self._most, out=self.now)
        np.maximum(self.now, self._least, out=self.now)
