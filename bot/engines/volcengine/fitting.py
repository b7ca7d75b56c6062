"""Applies a `Fit` to pixels and masks: scaling, and padding on the way out and back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from bot.engines.volcengine.geometry import Fit
from bot.imaging.photo import Mask, Matte, Pixels


def scale(array: Pixels | Matte, width: int, height: int) -> Any:
    """Resize with antialiasing: area averaging to shrink, cubic to enlarge. An array of that size is returned as is."""
    if array.shape[1] == width and array.shape[0] == height:
        return array
    shrinks = width <= array.shape[1] and height <= array.shape[0]
    return cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def scale_hole(mask: Mask, width: int, height: int) -> Mask:
    """Resize a mask. Every pixel that the hole touches is in the result, so that a one-pixel stroke does not vanish."""
    selected = np.where(mask > 0, 255, 0).astype(np.uint8)
    return np.where(scale(selected, width, height) > 0, 255, 0).astype(np.uint8)


def pad(array: Any, fit: Fit, *, value: int | None = None) -> Any:
    """Pad an array at the right and the bottom to the padded size, with a value or by repeating the edge."""
    right, bottom = fit.padded_width - fit.width, fit.padded_height - fit.height
    if not right and not bottom:
        return array
    if value is None:
        return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=value)


def unpad(array: Any, fit: Fit) -> Any:
    """Remove the padding from a picture that Volcengine returned, possibly in another size."""
    width = max(1, round(array.shape[1] * fit.width / fit.padded_width))
    height = max(1, round(array.shape[0] * fit.height / fit.padded_height))
    return np.ascontiguousarray(array[:height, :width])
