"""The form in which masks are stored: one bit a pixel, and never large. Runs in the pixel pool."""

from __future__ import annotations

from bot.errors import UnusableInputError
from bot.imaging import encoding, masks
from bot.imaging.photo import Mask

STORED_MATTE_SIDE = 2048
"""Long side in pixels of a stored matte: the Mini App shows no more. It is scaled back with antialiasing."""

MAX_STORED_MASK_BYTES = 1_000_000
"""A larger mask is stored at `STORED_MATTE_SIDE`, where it takes 0.5 MB at most. A painted mask of 50 megapixels takes
some tens of kB; only noise takes more than this."""


def mask_to_store(mask: Mask) -> bytes:
    """A mask as a 1-bit PNG of `MAX_STORED_MASK_BYTES` at most.

    Raises:
        PersonError: ``mask-broken``: it is noise, and cannot be made smaller.
    """
    png = encoding.encode_mask(mask)
    scale = STORED_MATTE_SIDE / max(mask.shape)
    if len(png) <= MAX_STORED_MASK_BYTES or scale >= 1:
        return png
    height, width = (max(1, round(side * scale)) for side in mask.shape)
    smaller = masks.scale(mask, width, height)
    if not smaller.any() or smaller.all():
        raise UnusableInputError("mask-broken", why="too detailed")
    return encoding.encode_mask(smaller)
