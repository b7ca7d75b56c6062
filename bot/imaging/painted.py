"""Finds what a person painted onto a photo, by comparing the painted copy with the original.

The copy has been through a messenger: scaled, encoded again, its tones perhaps a little moved. So the two are compared
small, in Lab, after a fit of their tones, and with a tolerance of a few pixels and of the noise that this pair shows.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.errors import UnusableInputError
from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Photo, Pixels

WORK_SIDE = 1024
"""Long side in pixels at which the pair is compared: strokes are wide, and noise is smallest well below 1280."""

REACH = 2
"""Pixels by which an edge may lie elsewhere in the copy without counting as painted."""

LEAST_CHANGE = 9.0
"""Lab distance that is never noise alone: JPEG at quality 70 stays below 6 outside edges."""

SURE_CHANGE = 20.0
"""Lab distance that only paint makes."""

SAME_PAINT = 14.0
"""Lab distance within which a pixel may be the paint itself, over something of nearly its colour."""

LEAST_AREA = 2e-4
"""Share of the picture below which nothing counts as painted."""

MOST_AREA = 0.75
"""Share beyond which this is another picture rather than a painted one."""


def find_painted(original: Photo, painted: Photo) -> Mask:
    """Find what was painted.

    Areas that strokes enclose count as painted: people circle what they mean.

    Args:
        original: The photo.
        painted: The same photo, painted on, of any size.

    Returns:
        (H, W) uint8 mask of the original's size, 255 = painted, with a little margin around soft strokes.

    Raises:
        PersonError: ``not-the-same-photo``, ``nothing-painted``.
    """
    ratio = (original.width / original.height) / (painted.width / painted.height)
    if not 0.97 < ratio < 1.03:
        raise UnusableInputError("not-the-same-photo")
    size = _work_size(original, painted)
    before, after = _small(original.pixels, size), _small(painted.pixels, size)
    before = _fit_tones(before, after)
    change = _change(before, after)
    noise = float(np.percentile(change, 50))
    if noise > SURE_CHANGE:
        raise UnusableInputError("not-the-same-photo")
    sure = _opened(change > SURE_CHANGE + 2 * noise)
    if sure.mean() > MOST_AREA:
        raise UnusableInputError("not-the-same-photo")
    if sure.mean() < LEAST_AREA:
        raise UnusableInputError("nothing-painted")
    # Over something of nearly its own colour paint changes little: there its colour tells, but only between sure parts.
    width = _stroke_width(sure)
    unsure = _like_paint(after, sure) & _closed(sure, radius=max(3, round(width)))
    likely = _opened((change > LEAST_CHANGE + 2 * noise) | unsure)
    found = _filled(_closed(_touching(likely, sure), radius=max(2, round(width / 4))))
    if found.mean() > MOST_AREA:
        raise UnusableInputError("not-the-same-photo")
    return _full_size(found, original)


def _work_size(original: Photo, painted: Photo) -> tuple[int, int]:
    """Width and height of the comparison: no larger than either picture."""
    longest = max(original.width, original.height)
    scale = min(1.0, WORK_SIDE / longest, max(painted.width, painted.height) / longest)
    return max(8, round(original.width * scale)), max(8, round(original.height * scale))


def _small(pixels: Pixels, size: tuple[int, int]) -> NDArray[np.float32]:
    """Scaled down, slightly blurred (JPEG's ringing), in Lab: L 0 … 100, a and b about -127 … 127."""
    scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(scaled, (0, 0), 0.8).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB), dtype=np.float32)


def _fit_tones(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """The original with each channel moved by gain and offset to match the copy where it is unpainted."""
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


def _change(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel of the copy lies outside what the original shows within `REACH`; Lab distance ≥ 0."""
    kernel = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    above = after - cv2.dilate(before, kernel)
    below = cv2.erode(before, kernel) - after
    outside = np.maximum(np.maximum(above, below), 0)
    return np.asarray(np.sqrt((outside**2).sum(axis=2)), dtype=np.float32)


def _like_paint(after: NDArray[np.float32], sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the copy shows one of the paints: the most frequent colours of what surely was painted."""
    core = cv2.erode(sure.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    colours = after[core if core.any() else sure]
    found = np.zeros(sure.shape, np.bool_)
    for _ in range(3):
        bins, counts = np.unique(np.round(colours / 10).astype(np.int16), axis=0, return_counts=True)
        near = np.abs(colours - bins[counts.argmax()] * 10).max(axis=1) < 10
        if near.mean() < 0.3:
            break
        paint = np.median(colours[near], axis=0)
        found |= np.sqrt(((after - paint) ** 2).sum(axis=2)) < SAME_PAINT
        colours = colours[~near]
        if len(colours) < 0.1 * sure.sum():
            break
    return found


def _opened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(3)) > 0)


def _stroke_width(sure: NDArray[np.bool_]) -> float:
    """About how wide the strokes are, in pixels."""
    depth = cv2.distanceTransform(sure.astype(np.uint8), cv2.DIST_L2, 3)
    return 2 * float(np.percentile(depth[sure], 95))


def _closed(mask: NDArray[np.bool_], *, radius: int) -> NDArray[np.bool_]:
    """Gaps narrower than twice the radius closed."""
    radius = min(radius, max(3, round(0.05 * max(mask.shape))))
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), *(radius,) * 4, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(2 * radius + 1))
    return np.asarray(closed[radius:-radius, radius:-radius] > 0)


def _touching(likely: NDArray[np.bool_], sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts of `likely` in which there is something sure, and enough of it."""
    count, labels = cv2.connectedComponents((likely | sure).astype(np.uint8), connectivity=8)
    surely = np.bincount(labels[sure], minlength=count)
    keep = surely >= max(4, 0.02 * surely[1:].max(initial=0))
    keep[0] = False
    return np.asarray(keep[labels])


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What the strokes enclose, filled: all that the outside does not reach."""
    padded = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] != 2)


def _full_size(found: NDArray[np.bool_], original: Photo) -> Mask:
    margin = cv2.dilate(found.astype(np.uint8) * 255, _disc(3))
    scaled = cv2.resize(margin, (original.width, original.height), interpolation=cv2.INTER_LINEAR)
    return from_matte(np.asarray(scaled, np.uint8))


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), dtype=np.uint8)
