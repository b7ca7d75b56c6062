"""What a pixel's colour says about whether it belongs to the thing."""

from __future__ import annotations

import numpy as np

from bot.segmentation.classical.palette import Palette
from bot.segmentation.classical.superpixels import Floats

_BESIDE = 0.7
"""Weight of the background at the same height and in the same column against that all round."""
_FLOOR = 5e-4
"""Share below which a colour counts as not seen."""
_CLEAREST = 3.0
"""Greatest log-odds that a colour alone can give."""


def colour_odds(colours: Palette, front: Floats, behind: Floats, beside: Floats) -> Floats:
    """Log-odds of each pixel being the thing, by its colour alone.

    Args:
        colours: The picture's colours.
        front: (H, W) ≥ 0, how sure each pixel is the thing.
        behind: (H, W) ≥ 0, how sure it is not.
        beside: (H, W) how common its colour is in the background of its row and column, see `Palette.seen_beside`.

    Returns:
        (H, W) -3 … 3.
    """
    back = seen_behind(colours, behind, beside)
    odds = (colours.share(front)[colours.labels] + _FLOOR) / (back + _FLOOR)
    return np.asarray(np.clip(np.log(odds), -_CLEAREST, _CLEAREST), np.float32)


def seen_behind(colours: Palette, behind: Floats, beside: Floats) -> Floats:
    """How common each pixel's colour is in the background: all round, and in its own row and column; (H, W) 0 … 1."""
    return np.asarray((1 - _BESIDE) * colours.share(behind)[colours.labels] + _BESIDE * beside, np.float32)
