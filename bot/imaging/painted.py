"""Finding what a person painted onto a photo, by comparing the painted copy with the original.

A messenger scales the copy, encodes it again and may shift its tones. So both are compared at a small size, in Lab,
after fitting their tones, with a tolerance of a few pixels and of the noise measured in this pair.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.errors import UnusableInputError
from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Photo, Pixels

WORK_SIDE = 1024
"""Long side in pixels at which the pair is compared: strokes are wide, and noise is lowest well below 1280."""

EDGE_TOLERANCE = 2
"""Pixels by which an edge may shift in the copy without counting as painted."""

MIN_CHANGE = 9.0
"""Lab distance, beyond twice the noise, from which a change may be paint: JPEG at quality 70 stays below 6 outside
edges."""

CERTAIN_CHANGE = 20.0
"""Lab distance, beyond twice the noise, that only paint causes; a median change above it means another photo."""

PAINT_COLOUR_DISTANCE = 14.0
"""Lab distance up to which a pixel may be paint over a background of nearly the same colour."""

MIN_AREA = 2e-4
"""Share of the picture that paint has to cover at least."""

MAX_AREA = 0.75
"""Share above which the copy is another picture, not a painted copy."""


SURE_NOISE = 9.0
"""Lab distance: a larger median change is hardly a copy that a messenger has encoded again."""

SURE_FLAT = 0.75
"""Share of the certain changes that have a paint's few colours; what another photo shows there has many."""


def find_painted(original: Photo, painted: Photo, *, sure: bool = False) -> Mask:
    """Return the painted area.

    Areas that strokes enclose count as painted, because people circle objects.

    Args:
        original: The photo.
        painted: The same photo, painted on, of any size.
        sure: Whether it is unknown if it is the same photo: then it must be the same beyond the paint, and the paint
            must look like paint.

    Returns:
        (H, W) uint8 mask of the original's size, 255 = painted, with a small margin around soft strokes.

    Raises:
        PersonError: ``not-the-same-photo``, ``nothing-painted``.
    """
    ratio = (original.width / original.height) / (painted.width / painted.height)
    if not 0.97 < ratio < 1.03:
        raise UnusableInputError("not-the-same-photo")
    size = _work_size(original, painted)
    before, after = _to_small_lab(original.pixels, size), _to_small_lab(painted.pixels, size)
    before = _fit_tones(before, after)
    change = _difference(before, after)
    noise = float(np.percentile(change, 50))
    if noise > (SURE_NOISE if sure else CERTAIN_CHANGE):
        raise UnusableInputError("not-the-same-photo")
    certain = _remove_specks(change > CERTAIN_CHANGE + 2 * noise)
    if certain.mean() > MAX_AREA:
        raise UnusableInputError("not-the-same-photo")
    if certain.mean() < MIN_AREA:
        raise UnusableInputError("nothing-painted")
    if sure and not _is_flat(after, certain):
        raise UnusableInputError("not-the-same-photo")
    # Paint over nearly its own colour changes little. There the colour decides, but only between certain parts.
    width = _stroke_width(certain)
    possible = _matches_paint_colour(after, certain) & _close_gaps(certain, radius=max(3, round(width)))
    likely = _remove_specks((change > MIN_CHANGE + 2 * noise) | possible)
    found = _fill_enclosed(_close_gaps(_keep_components_with(likely, certain), radius=max(2, round(width / 4))))
    if found.mean() > MAX_AREA:
        raise UnusableInputError("not-the-same-photo")
    return _scale_to_original(found, original)


def _work_size(original: Photo, painted: Photo) -> tuple[int, int]:
    """Return width and height for the comparison: no larger than either picture."""
    longest = max(original.width, original.height)
    scale = min(1.0, WORK_SIDE / longest, max(painted.width, painted.height) / longest)
    return max(8, round(original.width * scale)), max(8, round(original.height * scale))


def _to_small_lab(pixels: Pixels, size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale down, blur slightly (JPEG's ringing), convert to Lab: L 0 … 100, a and b about -127 … 127."""
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(scaled, (0, 0), 0.8).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB), dtype=np.float32)


def _fit_tones(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Adjust gain and offset of each channel of the original to match the copy where it is unpainted."""
    fitted = before
    for _ in range(2):
        distance = np.abs(after - fitted).max(axis=2)
        alike = distance <= np.percentile(distance, 60)
        channels = []
        for channel in range(3):
            x, y = before[..., channel][alike], after[..., channel][alike]
            spread = float(x.var())
            gain = float(((x - x.mean()) * (y - y.mean())).mean()) / spread if spread > 1.0 else 1.0
            gain = min(1.2, max(0.8, gain))
            offset = min(8.0, max(-8.0, float(y.mean() - gain * x.mean())))
            channels.append(before[..., channel] * gain + offset)
        fitted = np.stack(channels, axis=2)
    return fitted


def _difference(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lab distance ≥ 0 of each pixel of the copy from the range of the original's values within `EDGE_TOLERANCE`."""
    kernel = np.ones((2 * EDGE_TOLERANCE + 1, 2 * EDGE_TOLERANCE + 1), np.uint8)
    above = after - cv2.dilate(before, kernel)
    below = cv2.erode(before, kernel) - after
    outside = np.maximum(np.maximum(above, below), 0)
    return np.asarray(np.sqrt((outside**2).sum(axis=2)), dtype=np.float32)


def _matches_paint_colour(after: NDArray[np.float32], certain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the copy shows a paint colour: one of the most frequent colours of the certainly painted pixels."""
    core = cv2.erode(certain.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    colours = after[core if core.any() else certain]
    found = np.zeros(certain.shape, np.bool_)
    for _ in range(3):
        bins, counts = np.unique(np.round(colours / 10).astype(np.int16), axis=0, return_counts=True)
        near = np.abs(colours - bins[counts.argmax()] * 10).max(axis=1) < 10
        if near.mean() < 0.3:
            break
        paint = np.median(colours[near], axis=0)
        found |= np.sqrt(((after - paint) ** 2).sum(axis=2)) < PAINT_COLOUR_DISTANCE
        colours = colours[~near]
        if len(colours) < 0.1 * certain.sum():
            break
    return found


def _is_flat(after: NDArray[np.float32], certain: NDArray[np.bool_]) -> bool:
    """Whether most certain changes have a paint's colour."""
    return bool(_matches_paint_colour(after, certain)[certain].mean() >= SURE_FLAT)


def _remove_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(3)) > 0)


def _stroke_width(certain: NDArray[np.bool_]) -> float:
    """Estimate the strokes' width in pixels."""
    depth = cv2.distanceTransform(certain.astype(np.uint8), cv2.DIST_L2, 3)
    return 2 * float(np.percentile(depth[certain], 95))


def _close_gaps(mask: NDArray[np.bool_], *, radius: int) -> NDArray[np.bool_]:
    """Close gaps narrower than twice the radius, which is at most 5 % of the long side, or 3."""
    radius = min(radius, max(3, round(0.05 * max(mask.shape))))
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), *(radius,) * 4, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(2 * radius + 1))
    return np.asarray(closed[radius:-radius, radius:-radius] > 0)


def _keep_components_with(likely: NDArray[np.bool_], certain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the connected components of `likely` that contain enough certain pixels (hysteresis)."""
    count, labels = cv2.connectedComponents((likely | certain).astype(np.uint8), connectivity=8)
    certain_counts = np.bincount(labels[certain], minlength=count)
    keep = certain_counts >= max(4, 0.02 * certain_counts[1:].max(initial=0))
    keep[0] = False
    return np.asarray(keep[labels])


def _fill_enclosed(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill what the strokes enclose."""
    padded = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] != 2)


def _scale_to_original(found: NDArray[np.bool_], original: Photo) -> Mask:
    margin = cv2.dilate(found.astype(np.uint8) * 255, _disc(3))
    scaled = cv2.resize(margin, (original.width, original.height), interpolation=cv2.INTER_LINEAR)
    return from_matte(np.asarray(scaled, np.uint8))


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), dtype=np.uint8)
