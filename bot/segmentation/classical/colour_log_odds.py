"""How likely a pixel belongs to the object, by its colour alone."""

from __future__ import annotations

import numpy as np

from bot.segmentation.arrays import Floats
from bot.segmentation.classical.palette import Palette

_LOCAL_WEIGHT = 0.7
"""Weight of the background in the pixel's row and column against the background as a whole."""
_FLOOR = 5e-4
"""Share below which a colour counts as absent."""
_MAX_LOG_ODDS = 3.0
"""Largest log-odds that a colour alone can give."""


def colour_log_odds(colours: Palette, foreground: Floats, background: Floats, local_share: Floats) -> Floats:
    """Log-odds that each pixel belongs to the object, by its colour alone.

    Args:
        colours: The picture's colours.
        foreground: (H, W) ≥ 0, how likely each pixel is the object.
        background: (H, W) ≥ 0, how likely it is background.
        local_share: (H, W) how common its colour is in the background of its row and column; see `Palette.local_share`.

    Returns:
        (H, W) -3 … 3.
    """
    background_colours = background_share(colours, background, local_share)
    odds = (colours.share(foreground)[colours.labels] + _FLOOR) / (background_colours + _FLOOR)
    return np.asarray(np.clip(np.log(odds), -_MAX_LOG_ODDS, _MAX_LOG_ODDS), np.float32)


def background_share(colours: Palette, background: Floats, local_share: Floats) -> Floats:
    """How common each pixel's colour is in the background: in all of it, and in the pixel's row and column.

    Returns:
        (H, W) 0 … 1.
    """
    return np.asarray(
        (1 - _LOCAL_WEIGHT) * colours.share(background)[colours.labels] + _LOCAL_WEIGHT * local_share, np.float32
    )
