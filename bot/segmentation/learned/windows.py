"""A closer look: three windows side by side, and the photo with the find hidden, show what one look does not."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from bot.segmentation.classical import grabcut
from bot.segmentation.learned.automatic_map import Automatic
from bot.segmentation.learned.net import NOTHING, Floats, stretch
from bot.segmentation.learned.views import EVERYTHING, Bools, Shares, View, Views, in_pixels

_WINDOW = 0.55
"""Of the long side: three such windows side by side overlap by half."""
_COUNT = 3
_LEAST = 0.0015
"""Of the photo; smaller pieces are no things."""
_LARGEST = 0.7
_CUT = 4.0
"""How much a share of the outline that a window's side cuts speaks against a thing."""
SAME = 0.7
"""Overlap from which two things are one."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """A thing that was seen.

    Attributes:
        mask: (h, w) of the copy that is worked on.
        soft: (h, w) float32, 0 … 1, the map that it was seen in.
        strength: Mean of that map inside it, 0 … 1.
        score: The higher, the likelier a thing that a person would name.
        cut: Share of its outline that a window's side cuts, 0 … 1.
    """

    mask: Bools
    soft: Floats
    strength: float
    score: float
    cut: float


def windows(width: int, height: int) -> list[Shares]:
    """Three squares along the photo's long side, overlapping; the whole of its short side where they can."""
    long = max(width, height)
    side = min(_WINDOW * long, long)
    across, down = min(1.0, side / width), min(1.0, side / height)
    starts = [index / (_COUNT - 1) for index in range(_COUNT)]
    return [
        (s * (1 - across), t * (1 - down), s * (1 - across) + across, t * (1 - down) + down)
        for s, t in ((start, 0.5) if width >= height else (0.5, start) for start in starts)
    ]


def look_around(views: Views, found: Bools, *, hide: bool) -> list[View]:
    """Look at windows of the photo, and at the photo without what was found; named, so kept.

    Args:
        views: The photo's views.
        found: (h, w) the automatic find, any size.
        hide: Whether to look at the photo without it, too.

    Raises:
        NoSegmenterError: No model is there that works.
    """
    places = windows(*views.size)
    seen = [
        views.named(f"window {index}", place, more=hide or index < len(places) - 1)
        for index, place in enumerate(places)
    ]
    if not hide:
        return seen
    # Another find is another picture to look at: the name tells which.
    name = f"without {zlib.crc32(np.packbits(found).tobytes()):08x}"
    return [*seen, views.without(name, found)]


def scored(automatic: Automatic, looks: list[View], width: int, height: int) -> list[Thing]:
    """The things in the looks, best first; the same thing may be there as often as it was seen.

    A thing is scored by how strongly it was seen, by how much of its outline a window cuts, and by how well the best
    of the other looks agrees with it.

    Args:
        automatic: The automatic passes, whose own answers are among the things.
        looks: Further looks.
        width: Of the copy that is worked on, in pixels.
        height: Of the same.
    """
    maps = [(automatic.seen(width, height), EVERYTHING), *((one.paint(width, height), one.window) for one in looks)]
    found: list[tuple[int, Bools, Floats, float, float]] = []
    for index, (seen, window) in enumerate(maps):
        if float(seen.max()) < NOTHING:
            continue
        soft = stretch(seen)
        found += [(index, mask, soft, float(seen[mask].mean()), cut_share(mask, window)) for mask in _parts(soft)]
    answers = []
    for index, mask, soft, strength, cut in found:
        others = [overlap(mask, other) for number, other, *_ in found if number != index]
        agreed = float(np.mean(sorted(others)[-2:])) if others else 0.0
        answers.append(Thing(mask, soft, strength, strength - min(1.0, _CUT * cut) + agreed, cut))
    return sorted(answers, key=lambda thing: -thing.score)


def _parts(soft: Floats) -> list[Bools]:
    """The pieces above 0.5, and all of them together."""
    labels, sizes = grabcut.pieces(np.asarray(soft > 0.5, bool))
    large = [label for label in range(1, len(sizes)) if _LEAST * soft.size <= sizes[label] <= _LARGEST * soft.size]
    pieces = [np.asarray(labels == label, bool) for label in sorted(large, key=lambda label: -sizes[label])[:6]]
    if len(pieces) > 1:
        together = np.asarray(np.isin(labels, large), bool)
        if np.count_nonzero(together) <= _LARGEST * soft.size:
            pieces.append(together)
    return pieces


def cut_share(mask: Bools, window: Shares) -> float:
    """The share of a thing's outline that lies on the window's sides within the photo: it goes on beyond them."""
    height, width = mask.shape
    left, top, right, bottom = in_pixels(window, width, height)
    edge = (
        cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0) == 0
    )
    outline = int(np.count_nonzero(mask & edge))
    sides = (
        (left > 0, mask[top:bottom, left]),
        (right < width, mask[top:bottom, right - 1]),
        (top > 0, mask[top, left:right]),
        (bottom < height, mask[bottom - 1, left:right]),
    )
    cut = sum(int(np.count_nonzero(along)) for inner, along in sides if inner)
    return cut / max(outline, 1)


def overlap(one: Bools, other: Bools) -> float:
    """Intersection over union, 0 … 1."""
    return int(np.count_nonzero(one & other)) / max(int(np.count_nonzero(one | other)), 1)
