"""What a learned segmenter sees where a person points: in a box, under a tap."""

from __future__ import annotations

import cv2
import numpy as np

from bot.segmentation.classical import grabcut
from bot.segmentation.learned import automatic_map
from bot.segmentation.learned.confidence import find_confidence, is_certain
from bot.segmentation.learned.net import NOTHING, Floats, stretch
from bot.segmentation.learned.views import Bools, Shares, Views, widened
from bot.segmentation.learned.windows import cut_share, overlap

Point = tuple[float, float]
"""x and y as shares of the photo's width and height."""

_BOX_WIDER = (0.15, 0.40)
_PIXELS = 4
"""How far the looks at a box reach beyond it: of its long side, and pixels."""
_TAP_WINDOWS = (0.3, 0.5, 0.75)
"""Sides of the squares around a tap, as shares of the photo's long side: how large the thing is, is not known."""
_TAP_WIDER = 0.4
_OF_THE_ANSWER = 0.3
"""Weight of the chosen answer's map against the last look's."""
_CUT = 4.0
_AGREED = 0.5
"""Weight of the other answers' overlap against how strongly a thing is seen. Overlap with the truth on 16 open photos,
before the last look: 0.5: 0.81, 1: 0.77, 2: 0.77; with a vote for the classical way 0.75, so it has none."""
_FINGER = 0.02
"""Of the photo's long side: so far from the tap a thing may lie and still be meant."""
_CERTAIN = 0.2
"""What speaks for the automatic find where it is certain: a person who taps it likely means the whole. Overlap with the
truth on 18 open photos tapped anywhere: 0.75 without, 0.80 with 0.1 to 0.5; tapped in the middle (20 photos) 0.82."""
_FAINTEST = 0.05
"""A map below this around the tap says nothing about the thing there."""
_SLOW_WINDOW = 0.5


def in_box(views: Views, box: Shares, width: int, height: int) -> Bools | None:
    """The thing in a box: the mean of two looks at it and what is around it.

    Args:
        views: The photo's views.
        box: Within the photo.
        width: Of the copy that is worked on, in pixels.
        height: Of the same.

    Returns:
        (height, width) the thing; None where the net saw nothing in the box.

    Raises:
        NoSegmenterError: No model is there that works.
    """
    across, down = views.size
    pixels = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    long = max(pixels[2] - pixels[0], pixels[3] - pixels[1])
    wider = _BOX_WIDER[-1:] if views.is_slow else _BOX_WIDER
    seen = np.zeros((height, width), np.float32)
    for share in wider:
        window = widened(pixels, share * long + _PIXELS, across, down)
        seen += views.fresh(window, more=share != wider[-1]).paint(width, height) / len(wider)
    rows, columns = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    seen *= ((rows >= box[1]) & (rows < box[3]))[:, None] & ((columns >= box[0]) & (columns < box[2]))
    peak = float(seen.max())
    return None if peak < NOTHING else np.asarray(seen > 0.5 * peak, bool)


def under_tap(views: Views, at: Point, wanted: Bools, unwanted: Bools) -> Bools | None:
    """The thing under a tap.

    Looks at three squares around the tap, and takes from them and from the automatic map the piece under the tap that
    is seen most strongly, that its square cuts least, and that the others agree with most; then looks once more at
    that thing alone.

    Args:
        views: The photo's views.
        at: The tap, within the photo.
        wanted: (h, w) dots of all taps that are on the thing.
        unwanted: (h, w) dots of the taps that are off it.

    Returns:
        (h, w) the thing; None where the net saw none there.

    Raises:
        NoSegmenterError: No model is there that works.
    """
    height, width = wanted.shape
    across, down = views.size
    automatic = automatic_map.look(views)
    maps = [automatic.soft(width, height)]
    answers = [_answer(maps[0], at, (0.0, 0.0, 1.0, 1.0))]
    for share in (_SLOW_WINDOW,) if views.is_slow else _TAP_WINDOWS:
        half = share * max(across, down) / 2
        x, y = at[0] * across, at[1] * down
        window = widened((x, y, x, y), half, across, down)
        view = views.fresh(window, more=True)
        maps.append(view.paint(width, height))
        answers.append(_answer(maps[-1], at, view.window))
    votes = [mask for mask, _, _ in answers if mask is not None]
    strength = find_confidence(automatic, automatic.mask(width, height))
    certain = is_certain(strength, automatic.agreement)
    best, score = None, -np.inf
    for index, (mask, strength, cut) in enumerate(answers):
        if mask is None:
            continue
        others = [overlap(mask, other) for other in votes if other is not mask]
        worth = strength - min(1.0, _CUT * cut) + (_AGREED * float(np.mean(others)) if others else 0.0)
        worth += _share(wanted, mask) - _share(unwanted, mask)
        if index == 0 and certain:
            worth += _CERTAIN
        if worth > score:
            best, score = index, worth
    if best is None:
        return None
    chosen = answers[best][0]
    assert chosen is not None
    if views.is_slow:
        return chosen
    left, top, wide, high = cv2.boundingRect(chosen.astype(np.uint8))
    box = (left * across / width, top * down / height, (left + wide) * across / width, (top + high) * down / height)
    by = _TAP_WIDER * max(box[2] - box[0], box[3] - box[1]) + _PIXELS
    closer = views.fresh(widened(box, by, across, down)).paint(width, height)
    mixed = _OF_THE_ANSWER * maps[best] + (1 - _OF_THE_ANSWER) * stretch(closer)
    drawn, _, _ = _answer(mixed, at, (0.0, 0.0, 1.0, 1.0))
    # A last look that lost the thing does not count.
    return drawn if drawn is not None and overlap(drawn, chosen) > _STILL_THE_SAME else chosen


_STILL_THE_SAME = 0.3


def _answer(seen: Floats, at: Point, window: Shares) -> tuple[Bools | None, float, float]:
    """The piece under the tap, how strongly it is seen, and how much of its outline the window cuts.

    Where the map is faint under the tap, the piece is what is half as strong as it is there, not what is above 0.5.
    """
    height, width = seen.shape
    x, y = min(width - 1, int(at[0] * width)), min(height - 1, int(at[1] * height))
    reach = max(1, round(_FINGER * max(width, height)))
    near = (slice(max(0, y - reach), y + reach + 1), slice(max(0, x - reach), x + reach + 1))
    peak = float(seen[near].max())
    if peak < _FAINTEST:
        return None, 0.0, 0.0
    labels, sizes = grabcut.pieces(np.asarray(seen > min(0.5, peak / 2), bool))
    label = int(labels[y, x])
    if label == 0:
        counts = np.bincount(labels[near].ravel(), minlength=len(sizes))
        counts[0] = 0
        label = int(np.argmax(counts))
    mask = np.asarray(labels == label, bool)
    return mask, float(seen[mask].mean()), cut_share(mask, window)


def _share(dots: Bools, mask: Bools) -> float:
    count = np.count_nonzero(dots)
    return np.count_nonzero(dots & mask) / count if count else 0.0
