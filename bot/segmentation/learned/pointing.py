"""What the net sees where a person points: in a box, under a tap. Measured: docs/local-engine.md#boxes-and-taps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from bot.segmentation.arrays import Bools, Floats, overlap
from bot.segmentation.classical import grabcut
from bot.segmentation.learned.automatic_map import find_automatic_map
from bot.segmentation.learned.closer_look import clipped_share
from bot.segmentation.learned.confidence import find_confidence, is_certain
from bot.segmentation.learned.net import MIN_PEAK, stretch
from bot.segmentation.learned.saliency_maps import WHOLE_PHOTO, SaliencyMaps, Shares, widen

Point: TypeAlias = tuple[float, float]
"""x and y as shares of the photo's width and height."""

_BOX_MARGINS = (0.15, 0.3, 0.5)
"""How far the passes over a box reach beyond it, as shares of its long side. IoU of the open photos: these 0.854; 0.15
and 0.4 have 0.846."""
_SLOW_BOX_MARGIN = 0.4
"""The margin of the only pass that a slow net makes over a box."""
_MARGIN_PIXELS = 4
"""Pixels of the photo that every margin has in addition."""
_TAP_WINDOWS = (0.25, 0.4, 0.6, 0.9)
"""Sides of the squares around a tap, as shares of the photo's long side. Several, because a tap does not tell how large
the object is. IoU of the open photos tapped in the middle and anywhere: these 0.820 and 0.804; 0.3, 0.5 and 0.75 have
0.805 and 0.786."""
_SLOW_TAP_WINDOW = 0.5
"""The only square that a slow net is run on."""
_LAST_PASS_MARGIN = 0.4
"""Margin of the last pass, as a share of the chosen object's long side."""
_CHOSEN_WEIGHT = 0.3
"""Weight of the chosen map against the last pass's map."""
_CLIPPED_WEIGHT = 4.0
_AGREEMENT_WEIGHT = 0.5
"""Weight of the other pieces' overlap against the strength. IoU on 16 open photos, before the last pass,
with three squares at full resolution: 0.5: 0.81, 1: 0.77, 2: 0.77; with a vote for the classical method 0.75, so that
has none."""
_FINGER = 0.02
"""How far from the tap the object may lie, as a share of the photo's long side."""
_CERTAIN_BONUS = 0.2
"""Bonus for the automatic find where it is certain: a person who taps it likely means the whole. IoU on 18 open photos
tapped anywhere, at full resolution: 0.75 without, 0.80 with 0.1 to 0.5; tapped in the middle (20 photos) 0.82."""
_MIN_TAP_PEAK = 0.05
"""A map below this around the tap says nothing about the object there."""
_MIN_OVERLAP = 0.3
"""Overlap with the chosen object below which the last pass has lost it and is ignored."""


@dataclass(frozen=True, slots=True, eq=False)
class _TappedPiece:
    """The piece of one map under a tap.

    Attributes:
        mask: (h, w) the piece; None where the map shows none.
        strength: Mean of the map inside it, 0 … 1.
        clipped: Share of its outline that the window clips, 0 … 1.
    """

    mask: Bools | None
    strength: float
    clipped: float


def predict_in_box(maps: SaliencyMaps, box: Shares, width: int, height: int) -> Bools | None:
    """Find the object in a box: the mean of three passes over the box and its surroundings.

    Args:
        maps: The photo's saliency maps.
        box: Within the photo.
        width: Width of the working copy in pixels.
        height: Height of the working copy in pixels.

    Returns:
        (height, width) the object; None where the net saw nothing in the box.

    Raises:
        NoUsableModelError: No usable model is present.
    """
    across, down = maps.size
    pixels = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    long = max(pixels[2] - pixels[0], pixels[3] - pixels[1])
    margins = (_SLOW_BOX_MARGIN,) if maps.is_slow else _BOX_MARGINS
    mean = np.zeros((height, width), np.float32)
    for margin in margins:
        window = widen(pixels, margin * long + _MARGIN_PIXELS, across, down)
        mean += maps.compute(window, keep_memory=margin != margins[-1]).paint(width, height) / len(margins)
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    mean *= ((rows >= box[1]) & (rows < box[3]))[:, None] & ((columns >= box[0]) & (columns < box[2]))
    peak = float(mean.max())
    return None if peak < MIN_PEAK else np.asarray(mean > 0.5 * peak, bool)


def predict_under_tap(maps: SaliencyMaps, tap: Point, wanted: Bools, unwanted: Bools) -> Bools | None:
    """Find the object under a tap.

    Runs the net on four squares around the tap. From these maps and the automatic one it takes the piece under the tap
    that the net saw most strongly, that its square clips least, and that the others agree with most. A last pass over
    that object alone refines it.

    Args:
        maps: The photo's saliency maps.
        tap: The tap, within the photo.
        wanted: (h, w) dots of all taps on the object.
        unwanted: (h, w) dots of the taps off the object.

    Returns:
        (h, w) the object; None where the net saw none there.

    Raises:
        NoUsableModelError: No usable model is present.
    """
    height, width = wanted.shape
    across, down = maps.size
    automatic = find_automatic_map(maps)
    painted = [automatic.soft_mask(width, height)]
    pieces = [_piece_under(painted[0], tap, WHOLE_PHOTO)]
    for share in (_SLOW_TAP_WINDOW,) if maps.is_slow else _TAP_WINDOWS:
        half = share * max(across, down) / 2
        x, y = tap[0] * across, tap[1] * down
        one = maps.compute(widen((x, y, x, y), half, across, down), keep_memory=True)
        painted.append(one.paint(width, height))
        pieces.append(_piece_under(painted[-1], tap, one.window))
    confidence = find_confidence(automatic, automatic.mask(width, height))
    bonus = _CERTAIN_BONUS if is_certain(confidence, automatic.agreement) else 0.0
    best = _best_piece(pieces, wanted, unwanted, bonus)
    chosen = None if best is None else pieces[best].mask
    if best is None or chosen is None or maps.is_slow:
        return chosen
    left, top, wide, high = cv2.boundingRect(chosen.astype(np.uint8))
    box = (left * across / width, top * down / height, (left + wide) * across / width, (top + high) * down / height)
    margin = _LAST_PASS_MARGIN * max(box[2] - box[0], box[3] - box[1]) + _MARGIN_PIXELS
    closer = maps.compute(widen(box, margin, across, down)).paint(width, height)
    mixed = _CHOSEN_WEIGHT * painted[best] + (1 - _CHOSEN_WEIGHT) * stretch(closer)
    refined = _piece_under(mixed, tap, WHOLE_PHOTO).mask
    return refined if refined is not None and overlap(refined, chosen) > _MIN_OVERLAP else chosen


def _best_piece(pieces: list[_TappedPiece], wanted: Bools, unwanted: Bools, bonus: float) -> int | None:
    """Index of the piece with the highest score; None where no map shows a piece. `bonus` is for the first piece."""
    votes = [piece.mask for piece in pieces if piece.mask is not None]
    best, best_score = None, -np.inf
    for index, piece in enumerate(pieces):
        if piece.mask is None:
            continue
        others = [overlap(piece.mask, other) for other in votes if other is not piece.mask]
        score = piece.strength - min(1.0, _CLIPPED_WEIGHT * piece.clipped)
        score += _AGREEMENT_WEIGHT * float(np.mean(others)) if others else 0.0
        score += _share_inside(wanted, piece.mask) - _share_inside(unwanted, piece.mask)
        if index == 0:
            score += bonus
        if score > best_score:
            best, best_score = index, score
    return best


def _piece_under(values: Floats, tap: Point, window: Shares) -> _TappedPiece:
    """The piece of a map under a tap.

    Where the map is faint under the tap, the piece is what has at least half the strength there, not what is above 0.5.
    """
    height, width = values.shape
    x, y = min(width - 1, int(tap[0] * width)), min(height - 1, int(tap[1] * height))
    reach = max(1, round(_FINGER * max(width, height)))
    near = (slice(max(0, y - reach), y + reach + 1), slice(max(0, x - reach), x + reach + 1))
    peak = float(values[near].max())
    if peak < _MIN_TAP_PEAK:
        return _TappedPiece(None, 0.0, 0.0)
    labels, sizes = grabcut.connected_pieces(np.asarray(values > min(0.5, peak / 2), bool))
    label = int(labels[y, x])
    if label == 0:
        counts = np.bincount(labels[near].ravel(), minlength=len(sizes))
        counts[0] = 0
        label = int(np.argmax(counts))
    mask = np.asarray(labels == label, bool)
    return _TappedPiece(mask, float(values[mask].mean()), clipped_share(mask, window))


def _share_inside(dots: Bools, mask: Bools) -> float:
    """The share of the dots' pixels that the mask covers, 0 … 1; 0 without dots."""
    count = np.count_nonzero(dots)
    return np.count_nonzero(dots & mask) / count if count else 0.0
