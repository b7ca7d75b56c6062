"""A closer look: passes over three windows side by side, and over the photo with the find hidden."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from bot.segmentation.arrays import Bools, Floats, overlap
from bot.segmentation.classical import grabcut
from bot.segmentation.learned.automatic_map import AutomaticMap
from bot.segmentation.learned.net import MIN_PEAK, stretch
from bot.segmentation.learned.saliency_maps import WHOLE_PHOTO, SaliencyMap, SaliencyMaps, Shares, in_pixels

_WINDOW = 0.55
"""A window's side as a share of the photo's long side: three such windows side by side overlap by half."""
_WINDOW_COUNT = 3
_MIN_SHARE = 0.0015
"""Share of the photo; smaller pieces are not objects."""
_MAX_SHARE = 0.7
_CLIPPED_WEIGHT = 4.0
"""How much the share of the outline that a window clips lowers an object's score."""
SAME_OBJECT = 0.7
"""Overlap from which two masks show the same object."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectCandidate:
    """A piece of a saliency map that may be an object.

    Attributes:
        mask: (h, w) at the size of the working copy.
        soft_mask: (h, w) float32, 0 … 1, the stretched map that shows it.
        strength: Mean of the unstretched map inside the mask, 0 … 1.
        score: The higher, the likelier it is an object that a person would name.
        clipped: Share of its outline that the sides of the window clip, 0 … 1.
    """

    mask: Bools
    soft_mask: Floats
    strength: float
    score: float
    clipped: float


def compute_window_maps(maps: SaliencyMaps, found: Bools, *, hide: bool) -> list[SaliencyMap]:
    """Run the net on windows of the photo, and on the photo without the find. The maps are cached.

    Args:
        maps: The photo's saliency maps.
        found: (h, w) the automatic find, at any size.
        hide: Whether to run on the photo without the find, too.

    Raises:
        NoUsableModelError: No usable model is present.
    """
    windows = _windows(*maps.size)
    window_maps = [
        maps.get(f"window {index}", window, keep_memory=hide or index < len(windows) - 1)
        for index, window in enumerate(windows)
    ]
    if not hide:
        return window_maps
    # The name depends on the find, because another find gives another picture.
    name = f"without {zlib.crc32(np.packbits(found).tobytes()):08x}"
    return [*window_maps, maps.get_with_hidden(name, found)]


def rank_objects(
    automatic: AutomaticMap, window_maps: list[SaliencyMap], width: int, height: int
) -> list[ObjectCandidate]:
    """The objects in all maps, best first; an object occurs once for each map that shows it.

    The score adds how strongly the net saw the object and how well the two best other maps agree, and subtracts how
    much of its outline a window clips.

    Args:
        automatic: The automatic passes; their own pieces are candidates, too.
        window_maps: Further maps.
        width: Width of the working copy in pixels.
        height: Height of the working copy in pixels.
    """
    painted = [
        (automatic.strength(width, height), WHOLE_PHOTO),
        *((one.paint(width, height), one.window) for one in window_maps),
    ]
    found: list[tuple[int, Bools, Floats, float, float]] = []
    for index, (values, window) in enumerate(painted):
        if float(values.max()) < MIN_PEAK:
            continue
        soft = stretch(values)
        found += [
            (index, mask, soft, float(values[mask].mean()), clipped_share(mask, window))
            for mask in _split_objects(soft)
        ]
    candidates = []
    for index, mask, soft, strength, clipped in found:
        others = [overlap(mask, other) for other_index, other, *_ in found if other_index != index]
        agreement = float(np.mean(sorted(others)[-2:])) if others else 0.0
        score = strength - min(1.0, _CLIPPED_WEIGHT * clipped) + agreement
        candidates.append(ObjectCandidate(mask, soft, strength, score, clipped))
    return sorted(candidates, key=lambda candidate: -candidate.score)


def clipped_share(mask: Bools, window: Shares) -> float:
    """The share of an outline that lies on the window's sides within the photo: the object continues beyond them."""
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
    clipped = sum(int(np.count_nonzero(along)) for is_inner, along in sides if is_inner)
    return clipped / max(outline, 1)


def _windows(width: int, height: int) -> list[Shares]:
    """Three overlapping squares along the photo's long side, as high as its short side where they can be."""
    long = max(width, height)
    side = min(_WINDOW * long, long)
    across, down = min(1.0, side / width), min(1.0, side / height)
    starts = [index / (_WINDOW_COUNT - 1) for index in range(_WINDOW_COUNT)]
    return [
        (s * (1 - across), t * (1 - down), s * (1 - across) + across, t * (1 - down) + down)
        for s, t in ((start, 0.5) if width >= height else (0.5, start) for start in starts)
    ]


def _split_objects(soft: Floats) -> list[Bools]:
    """The pieces above 0.5, the six largest at most, and all of them together."""
    labels, sizes = grabcut.connected_pieces(np.asarray(soft > 0.5, bool))
    large = [
        label for label in range(1, len(sizes)) if _MIN_SHARE * soft.size <= sizes[label] <= _MAX_SHARE * soft.size
    ]
    pieces = [np.asarray(labels == label, bool) for label in sorted(large, key=lambda label: -sizes[label])[:6]]
    if len(pieces) > 1:
        together = np.asarray(np.isin(labels, large), bool)
        if np.count_nonzero(together) <= _MAX_SHARE * soft.size:
            pieces.append(together)
    return pieces
