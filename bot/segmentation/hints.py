"""Finds the object that a person points at: by taps, by a box, by a scribble."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bot.imaging.masks import from_matte
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation import Tap, scaling
from bot.segmentation.arrays import Bools
from bot.segmentation.classical import grabcut
from bot.segmentation.classical import taps as classical_taps
from bot.segmentation.classical.box import Box, find_in_box
from bot.segmentation.learned import pointing
from bot.segmentation.learned.net import NoUsableModelError
from bot.segmentation.learned.saliency_maps import SaliencyMaps

_DOT_RADIUS = 0.006
"""A tap's radius as a share of the photo's diagonal: about what the centre of a fingertip covers on a phone."""
_LEARNED_SIDE = 1024
"""Long side of the copy on which the net's find is drawn."""
_MAX_TAPS = 6
"""The net is run for at most this number of taps, five passes each; further taps count by colour only."""
_MIN_COVERED = 0.8
"""Share of a scribble that the find has to cover, so that no further point of it is searched."""
_MAX_PART = 0.9
"""An unwanted object that covers this share of a piece is the piece itself; then colour separates its parts."""


def select_by_hints(
    photo: Photo,
    taps: tuple[Tap, ...],
    box: Box | None = None,
    scribble: Mask | None = None,
    models: Path | None = None,
    map_file: Path | None = None,
) -> Mask:
    """Find the object that taps, a box or a scribble point at.

    Pure and synchronous: meant for a pixel process. Works on a small copy; the same hints give the same mask.

    Several wanted taps select the one object under all of them or the objects under each. An unwanted tap removes the
    object or the part that it hits.

    Args:
        photo: The photo.
        taps: Points on the object (`Tap.keep`) and off it, in photo pixels; those outside the photo are ignored.
        box: Left, top, right, bottom around the object, in photo pixels; nothing outside it is selected.
        scribble: (H, W) uint8 of the photo's size, 255 = painted on the object.
        models: Folder of model files; None, or no usable model in it: the classical method answers.
        map_file: File that caches the net's saliency maps of this photo; see `find_subject`.

    Returns:
        (H, W) uint8 mask of the photo's size; all 0 where nothing matches the hints.
    """
    wanted = np.zeros(photo.pixels.shape[:2], np.uint8) if scribble is None else scribble.copy()
    unwanted = np.zeros_like(wanted)
    radius = max(1, round(_DOT_RADIUS * float(np.hypot(photo.width, photo.height))))
    for tap in taps:
        cv2.circle(wanted if tap.keep else unwanted, (int(tap.x), int(tap.y)), radius, 255, -1)
    if models is not None and (box is not None or wanted.any()):
        hints = _HintMasks(taps, box, scribble, wanted, unwanted)
        try:
            with SaliencyMaps(photo.pixels, models, map_file) as maps:
                found = _select_by_net(photo.pixels, hints, maps)
        except NoUsableModelError:
            found = None
        if found is not None:
            return found
    if box is not None:
        return from_matte(find_in_box(photo.pixels, box, wanted, unwanted))
    if not wanted.any():
        return np.zeros_like(wanted)
    small = scaling.shrink(photo.pixels, classical_taps.LONG_SIDE)
    return from_matte(scaling.enlarge(_grow_by_colour(photo.pixels, wanted, unwanted), small, photo.pixels))


@dataclass(frozen=True, slots=True, eq=False)
class _HintMasks:
    """The hints, and their masks of the photo's size: `wanted` with the scribble, `unwanted` from the unwanted taps."""

    taps: tuple[Tap, ...]
    box: Box | None
    scribble: Mask | None
    wanted: Mask
    unwanted: Mask


def _select_by_net(picture: Pixels, hints: _HintMasks, maps: SaliencyMaps) -> Mask | None:
    """The net's mask of the photo's size; None where the net saw nothing in the box."""
    small = scaling.shrink(picture, _LEARNED_SIDE)
    height, width = small.shape[:2]
    across, down = maps.size
    wanted_dots, unwanted_dots = (scaling.shrink_hint(hint, small) for hint in (hints.wanted, hints.unwanted))
    inside = np.ones((height, width), bool)
    found = np.zeros((height, width), bool)
    if hints.box is not None:
        left, top = max(0.0, hints.box[0]), max(0.0, hints.box[1])
        right, bottom = min(float(across), hints.box[2]), min(float(down), hints.box[3])
        if right - left < 2 or bottom - top < 2:
            return np.zeros(picture.shape[:2], np.uint8)
        found_in_box = pointing.predict_in_box(
            maps, (left / across, top / down, right / across, bottom / down), width, height
        )
        if found_in_box is None:
            return None
        found = found_in_box
        columns, rows = (np.arange(width) + 0.5) * across / width, (np.arange(height) + 0.5) * down / height
        inside = ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    points = _points_to_search(hints, small, across, down)
    for count, (x, y) in enumerate(points):
        at = min(height - 1, int(y * height)), min(width - 1, int(x * width))
        if found[at] or (hints.scribble is not None and count and _is_covered(wanted_dots, found)):
            continue
        found_object = pointing.predict_under_tap(maps, (x, y), wanted_dots, unwanted_dots)
        if found_object is None:
            found_object = _resize_to(
                _grow_by_colour(picture, _enlarge_dot(_draw_dot(at, found.shape), picture), hints.unwanted), small
            )
        found = found | found_object
    found &= inside
    if unwanted_dots.any():
        found = _remove_unwanted(picture, small, hints, found, maps)
    found = found & ~unwanted_dots
    return from_matte(scaling.enlarge(np.asarray(found, bool), small, picture))


def _points_to_search(hints: _HintMasks, small: Pixels, across: int, down: int) -> list[tuple[float, float]]:
    """The points under which an object is searched, as shares: the wanted taps and three points of the scribble."""
    points = [
        (tap.x / across, tap.y / down) for tap in hints.taps if tap.keep and 0 <= tap.x < across and 0 <= tap.y < down
    ]
    if hints.scribble is not None and hints.scribble.any():
        rows, columns = np.nonzero(scaling.shrink_hint(hints.scribble, small))
        middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
        points += [
            ((float(columns[index]) + 0.5) / small.shape[1], (float(rows[index]) + 0.5) / small.shape[0])
            for index in (middle, 0, len(rows) - 1)
        ]
    return points[:_MAX_TAPS]


def _remove_unwanted(picture: Pixels, small: Pixels, hints: _HintMasks, found: Bools, maps: SaliencyMaps) -> Bools:
    """Remove from the find the objects or parts that the unwanted taps hit."""
    height, width = found.shape
    across, down = maps.size
    wanted_dots, unwanted_dots = (scaling.shrink_hint(hint, small) for hint in (hints.wanted, hints.unwanted))
    for tap in [tap for tap in hints.taps if not tap.keep][:_MAX_TAPS]:
        row, column = int(tap.y * height / down), int(tap.x * width / across)
        if not (0 <= row < height and 0 <= column < width) or not found[row, column]:
            continue
        labels, _ = grabcut.connected_pieces(found)
        piece = np.asarray(labels == labels[row, column], bool)
        if not (piece & wanted_dots).any() and (wanted_dots.any() or (found & ~piece).any()):
            found = found & ~piece
            continue
        hit = pointing.predict_under_tap(maps, (tap.x / across, tap.y / down), unwanted_dots, wanted_dots)
        if (
            hit is not None
            and not (hit & wanted_dots).any()
            and np.count_nonzero(hit & piece) < _MAX_PART * np.count_nonzero(piece)
        ):
            found = found & ~hit
            continue
        # The net sees one object here; colour separates its parts.
        hint = hints.wanted if hints.wanted.any() else _enlarge_dot(_innermost_dot(piece & ~unwanted_dots), picture)
        part = _resize_to(_grow_by_colour(picture, hint, hints.unwanted), small)
        found = (found & ~piece) | (piece & part)
    return found


def _innermost_dot(piece: Bools) -> Bools:
    """A dot at the point of a piece that is farthest from its edge."""
    framed = cv2.copyMakeBorder(piece.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return _draw_dot((int(row), int(column)), piece.shape)


def _is_covered(wanted_dots: Bools, found: Bools) -> bool:
    return int(np.count_nonzero(wanted_dots & found)) >= _MIN_COVERED * int(np.count_nonzero(wanted_dots))


def _draw_dot(at: tuple[int, int], shape: tuple[int, ...]) -> Bools:
    drawn = np.zeros(shape, np.uint8)
    cv2.circle(drawn, (at[1], at[0]), max(1, round(_DOT_RADIUS * float(np.hypot(shape[0], shape[1])))), 1, -1)
    return np.asarray(drawn > 0, bool)


def _enlarge_dot(dot: Bools, picture: Pixels) -> Mask:
    """The dot at the photo's size."""
    size = picture.shape[1], picture.shape[0]
    return np.asarray(cv2.resize(dot.astype(np.uint8) * 255, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _grow_by_colour(picture: Pixels, wanted: Mask, unwanted: Mask) -> Bools:
    """The classical method's find, at the size of its working copy."""
    small = scaling.shrink(picture, classical_taps.LONG_SIDE)
    return classical_taps.grow_from_hints(
        small, scaling.shrink_hint(wanted, small), scaling.shrink_hint(unwanted, small)
    )


def _resize_to(mask: Bools, small: Pixels) -> Bools:
    return scaling.resize_mask(mask, small.shape[1], small.shape[0])
