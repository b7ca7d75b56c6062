"""Divides a picture into inside and outside by a minimum cut of pixel log-odds and neighbour costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.imaging.photo import Pixels
from bot.segmentation.arrays import Bools, Floats

_CHECK_ROUNDS = 6
"""Rounds between two looks at whether the solution still changes."""
_SETTLED = 1e-3
"""Largest change of a pixel in a round (of 0 … 1) at which to end. The finds of 54 photos are the same to the bit."""
_STEP = 0.35
"""Step of both variables. Chambolle and Pock's scheme converges below 1/√8, the bound of the gradient's norm."""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeCosts:
    """The cost of separating neighbouring pixels.

    Attributes:
        across: (H, W-1) ≥ 0, between a pixel and the one to its right.
        down: (H-1, W) ≥ 0, between a pixel and the one below.
    """

    across: Floats
    down: Floats


def edge_costs(picture: Pixels, strength: float = 6.0, floor: float = 0.05) -> EdgeCosts:
    """Costs that are low where the colour changes (Boykov, Jolly 2001; contrast scaled as in GrabCut).

    Args:
        picture: (H, W, 3) uint8 RGB.
        strength: Cost where the colour does not change, in units of log-odds.
        floor: Share of that cost that the sharpest edge still has.
    """
    colours = picture.astype(np.float32)
    across = ((colours[:, 1:] - colours[:, :-1]) ** 2).sum(-1)
    down = ((colours[1:] - colours[:-1]) ** 2).sum(-1)
    typical = (float(across.sum()) + float(down.sum())) / max(across.size + down.size, 1)

    def cost(change: Floats) -> Floats:
        # GrabCut: exp(-β·change) with β = 1 / (2·mean change).
        lowered = np.exp(-change / max(2 * typical, 1e-6))
        return np.asarray(strength * (floor + (1 - floor) * lowered), np.float32)

    return EdgeCosts(cost(across), cost(down))


def solve_minimum_cut(log_odds: Floats, costs: EdgeCosts, start: Bools | None = None, rounds: int = 60) -> Bools:
    """Find the division with the lowest total cost.

    Solves the convex relaxation of the minimum cut (weighted total variation, whose thresholded minimiser is a minimum
    one: Chan, Esedoğlu, Nikolova 2006) by Chambolle and Pock's first-order scheme, 2011. Unlike OpenCV's GrabCut it
    takes any log-odds: from colour, place or saliency.

    Args:
        log_odds: (H, W) log-odds that each pixel is inside; positive: inside.
        costs: The costs between neighbours.
        start: The first guess; None: the signs of the log-odds.
        rounds: Rounds at most; some tens are enough for pictures of some hundred pixels, and fewer for simple ones.

    Returns:
        (H, W) True inside.
    """
    # Works in place, because creating arrays would take most of the time. Flows are stored multiplied by the step.
    inside = (log_odds > 0 if start is None else start).astype(np.float32)
    ahead, moved = inside.copy(), np.empty_like(inside)
    pull = np.asarray(log_odds, np.float32) * np.float32(_STEP)
    across, down = _Flow(costs.across), _Flow(costs.down)
    for number in range(rounds):
        across.update(ahead[:, 1:], ahead[:, :-1])
        down.update(ahead[1:], ahead[:-1])
        np.add(inside, pull, out=moved)
        moved[:, :-1] += across.values
        moved[:, 1:] -= across.values
        moved[:-1] += down.values
        moved[1:] -= down.values
        np.minimum(moved, 1, out=moved)
        np.maximum(moved, 0, out=moved)
        np.multiply(moved, 2, out=ahead)
        ahead -= inside
        inside, moved = moved, inside
        if number % _CHECK_ROUNDS == _CHECK_ROUNDS - 1:
            np.subtract(inside, moved, out=moved)
            if max(float(moved.max()), -float(moved.min())) < _SETTLED:
                break
    return np.asarray(inside > 0.5, bool)


def edge_alignment(mask: Bools, costs: EdgeCosts) -> float:
    """How well a mask's outline follows the picture's edges: 0 (in flat colour, or no outline) … 1."""
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    length = int(np.count_nonzero(across)) + int(np.count_nonzero(down))
    dearest = max(float(costs.across.max(initial=0)), float(costs.down.max(initial=0)))
    if not length or dearest <= 0:
        return 0.0
    paid = float(costs.across[across].sum()) + float(costs.down[down].sum())
    return 1 - paid / (dearest * length)


class _Flow:
    """The flow from each pixel to its neighbour in one direction, limited by the cost of separating them."""

    def __init__(self, cost: Floats) -> None:
        self._limit = cost * np.float32(_STEP)
        self._least = -self._limit
        self._change = np.empty_like(self._limit)
        self.values = np.zeros_like(self._limit)

    def update(self, there: Floats, here: Floats) -> None:
        np.subtract(there, here, out=self._change)
        np.multiply(self._change, _STEP**2, out=self._change)
        np.add(self.values, self._change, out=self.values)
        np.minimum(self.values, self._limit, out=self.values)
        np.maximum(self.values, self._least, out=self.values)
