"""The thing that a person points at: by taps, by a box, by a scribble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation import Tap, scaling
from bot.segmentation.classical import grabcut, tapped
from bot.segmentation.classical.boxed import Box, find_in_box
from bot.segmentation.learned import pointed
from bot.segmentation.learned.net import NoSegmenterError
from bot.segmentation.learned.views import Bools, Views

_DOT = 0.006
"""A tap's radius as a share of the photo's diagonal: about what a fingertip's middle covers on a phone."""
_LEARNED_SIDE = 1024
"""Long side of the copy on which the learned way draws."""
_MOST_TAPS = 6
"""The learned way looks for at most this number of taps, four looks each; colour decides what further taps hit."""
_COVERED = 0.8
"""A scribble is understood when so much of it lies on what was found."""


def select(
    photo: Photo,
    taps: tuple[Tap, ...],
    box: Box | None = None,
    scribble: Mask | None = None,
    models: Path | None = None,
    maps: Path | None = None,
) -> Mask:
    """Find the thing that taps, a box or a scribble point at.

    Pure and synchronous: meant for a worker process. Works on a small copy; the same hints give the same mask.

    Several taps that are kept give the one thing under all of them or the things under each; a tap that is not kept
    takes away the thing or the piece that it hits.

    Args:
        photo: The photo.
        taps: Points on the thing (`keep`) and off it, in photo pixels; those outside the photo do not count.
        box: Left, top, right, bottom around the thing, in photo pixels; nothing outside it is selected.
        scribble: (H, W) uint8 of the photo's size, 255 = painted on the thing.
        models: Folder of learned models; with none, or none that works, the classical way answers.
        maps: File in which the automatic maps of this photo are kept; see `find_subject`.

    Returns:
        (H, W) uint8 mask of the photo's size; all 0 where nothing fits the hints.
    """
    keep = np.zeros(photo.pixels.shape[:2], np.uint8) if scribble is None else scribble.copy()
    drop = np.zeros_like(keep)
    radius = max(1, round(_DOT * float(np.hypot(photo.width, photo.height))))
    for tap in taps:
        cv2.circle(keep if tap.keep else drop, (int(tap.x), int(tap.y)), radius, 255, -1)
    if models is not None and (box is not None or keep.any()):
        hints = _Hints(taps, box, scribble, keep, drop)
        try:
            with Views(photo.pixels, models, maps) as views:
                found = _learned(photo.pixels, hints, views)
        except NoSegmenterError:
            found = None
        if found is not None:
            return found
    if box is not None:
        return from_matte(find_in_box(photo.pixels, box, keep, drop))
    if not keep.any():
        return np.zeros_like(keep)
    small = scaling.shrink(photo.pixels, tapped.LONG_SIDE)
    return from_matte(scaling.enlarge(_by_colour(photo.pixels, keep, drop), small, photo.pixels))


@dataclass(frozen=True, slots=True, eq=False)
class _Hints:
    taps: tuple[Tap, ...]
    box: Box | None
    scribble: Mask | None
    keep: Mask
    drop: Mask


def _learned(picture: Pixels, hints: _Hints, views: Views) -> Mask | None:
    """The learned way's mask of the photo's size; None where it saw nothing that fits."""
    small = scaling.shrink(picture, _LEARNED_SIDE)
    height, width = small.shape[:2]
    across, down = views.size
    dots, refused = (scaling.shrink_hint(hint, small) for hint in (hints.keep, hints.drop))
    inside = np.ones((height, width), bool)
    found = np.zeros((height, width), bool)
    if hints.box is not None:
        left, top = max(0.0, hints.box[0]), max(0.0, hints.box[1])
        right, bottom = min(float(across), hints.box[2]), min(float(down), hints.box[3])
        if right - left < 2 or bottom - top < 2:
            return np.zeros(picture.shape[:2], np.uint8)
        boxed = pointed.in_box(views, (left / across, top / down, right / across, bottom / down), width, height)
        if boxed is None:
            return None
        found = boxed
        columns, rows = (np.arange(width) + 0.5) * across / width, (np.arange(height) + 0.5) * down / height
        inside = ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    places = _places(hints, small, across, down)
    for count, (x, y) in enumerate(places):
        at = min(height - 1, int(y * height)), min(width - 1, int(x * width))
        if found[at] or (hints.scribble is not None and count and _is_covered(dots, found)):
            continue
        thing = pointed.under_tap(views, (x, y), dots, refused)
        if thing is None:
            thing = _enlarged(_by_colour(picture, _full(_dot(at, found.shape), picture), hints.drop), small)
        found = found | thing
    found &= inside
    if refused.any():
        found = _without(picture, small, hints, found, views)
    found = found & ~refused
    return from_matte(scaling.enlarge(np.asarray(found, bool), small, picture))


def _places(hints: _Hints, small: Pixels, across: int, down: int) -> list[tuple[float, float]]:
    """The points that a thing is looked for under, as shares: the taps, or points along the scribble."""
    places = [
        (tap.x / across, tap.y / down) for tap in hints.taps if tap.keep and 0 <= tap.x < across and 0 <= tap.y < down
    ]
    if hints.scribble is not None and hints.scribble.any():
        rows, columns = np.nonzero(scaling.shrink_hint(hints.scribble, small))
        middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
        places += [
            ((float(columns[index]) + 0.5) / small.shape[1], (float(rows[index]) + 0.5) / small.shape[0])
            for index in (middle, 0, len(rows) - 1)
        ]
    return places[:_MOST_TAPS]


def _without(picture: Pixels, small: Pixels, hints: _Hints, found: Bools, views: Views) -> Bools:
    """What was found, without the things or the parts that the refused taps hit."""
    height, width = found.shape
    across, down = views.size
    dots, refused = (scaling.shrink_hint(hint, small) for hint in (hints.keep, hints.drop))
    for tap in [tap for tap in hints.taps if not tap.keep][:_MOST_TAPS]:
        row, column = int(tap.y * height / down), int(tap.x * width / across)
        if not (0 <= row < height and 0 <= column < width) or not found[row, column]:
            continue
        labels, _ = grabcut.pieces(found)
        piece = np.asarray(labels == labels[row, column], bool)
        if not (piece & dots).any() and (dots.any() or (found & ~piece).any()):
            found = found & ~piece
            continue
        hit = pointed.under_tap(views, (tap.x / across, tap.y / down), refused, dots)
        if (
            hit is not None
            and not (hit & dots).any()
            and np.count_nonzero(hit & piece) < _MOST * np.count_nonzero(piece)
        ):
            found = found & ~hit
            continue
        # One thing to the net: colour tells its parts apart.
        believed = hints.keep if hints.keep.any() else _full(_deepest(piece & ~refused), picture)
        part = _enlarged(_by_colour(picture, believed, hints.drop), small)
        found = (found & ~piece) | (piece & part)
    return found


_MOST = 0.9


def _deepest(piece: Bools) -> Bools:
    framed = cv2.copyMakeBorder(piece.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return _dot((int(row), int(column)), piece.shape)


def _is_covered(dots: Bools, found: Bools) -> bool:
    return int(np.count_nonzero(dots & found)) >= _COVERED * int(np.count_nonzero(dots))


def _dot(at: tuple[int, int], shape: tuple[int, ...]) -> Bools:
    drawn = np.zeros(shape, np.uint8)
    cv2.circle(drawn, (at[1], at[0]), max(1, round(_DOT * float(np.hypot(shape[0], shape[1])))), 1, -1)
    return np.asarray(drawn > 0, bool)


def _full(dot: Bools, picture: Pixels) -> Mask:
    size = picture.shape[1], picture.shape[0]
    return np.asarray(cv2.resize(dot.astype(np.uint8) * 255, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _by_colour(picture: Pixels, keep: Mask, drop: Mask) -> Bools:
    """The classical way's thing, on its own small copy."""
    small = scaling.shrink(picture, tapped.LONG_SIDE)
    return tapped.separate(small, scaling.shrink_hint(keep, small), scaling.shrink_hint(drop, small))


def _enlarged(mask: Bools, small: Pixels) -> Bools:
    size = small.shape[1], small.shape[0]
    return np.asarray(cv2.resize(mask.astype(np.float32), size) > 0.5, bool)
