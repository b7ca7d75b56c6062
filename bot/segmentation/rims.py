"""Rims: what still belongs to a thing that is erased, just outside its mask: hair, a foot, a soft edge.

A rim that stays is seen at once; a rim that is background harms the fill. So a pixel counts as rim only where its
colour is common in the mask beside it, rare in the background beside it, and where it hangs together with the mask.
"""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging import masks
from bot.imaging.photo import Mask, Photo, Pixels
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.classical.palette import Palette, coarse
from bot.segmentation.scaling import shrink

_LONG_SIDE = 427
"""Pixels that the search works at: half of what the masks are found at."""
_REACH = 0.045
"""Of the long side: how far outside the mask a rim may be."""
_WIDENED = 0.012
"""Of the long side: the mask's outermost part, which its widening has already added, is no example of the thing."""
_LOCAL = 0.10
"""Of the long side: colours of thing and background are learned from so far around a pixel."""
_ODDS = 4.0
"""How much more common a colour must be in the thing than in the background beside it.

Measured on 20 open photos. Of what an edge eroded by 8 px lacks: .40 found with 2, .36 with 4, .32 with 8. Of a cut-off
lower eighth: .21, .23, .15. Added to complete masks, mostly the thing's shadow: 7, 3, 2 % of the thing's area.
"""
_COMMON = 0.02
"""Share of the thing's colours around a pixel that its own must have at least."""
_LARGEST = 0.06
"""Of the mask's area: a larger piece is another thing that looks alike."""
_SMALLEST = 0.0004
"""Of the mask's area: a smaller piece is noise, and would not be seen."""
_WIDEN = 0.003
"""Of the long side: what a found piece is widened by, its own edge being soft."""


def find_rims(photo: Photo, mask: Mask) -> Mask:
    """Find what sticks out of a mask that is about to be erased.

    Looks up to 4.5 % of the long side outside the mask for connected pixels that look like the mask's inside and unlike
    the background beside it.

    Args:
        photo: The photo.
        mask: (H, W) uint8, 255 = about to be erased: a found thing, already widened a little.

    Returns:
        (H, W) uint8, 255 = rim, without the mask; all 0 where there is none. Together at most 12 % of the mask.

    Raises:
        ValueError: The mask is of another size than the photo.
    """
    if photo.pixels.shape[:2] != mask.shape:
        raise ValueError(f"a mask {mask.shape} for a photo {photo.pixels.shape}")
    nothing = np.zeros(mask.shape, np.uint8)
    box = masks.bounding_box(mask)
    if box is None or mask.all():
        return nothing
    small = shrink(photo.pixels, _LONG_SIDE)
    height, width = small.shape[:2]
    body = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) > 127
    if not body.any() or min(height, width) < 16:
        return nothing
    margin = 2 + round((_REACH + _LOCAL) * max(height, width))
    left, top, right, bottom = masks.bounding_box(np.asarray(body, np.uint8)) or (0, 0, width, height)
    window = (slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin))
    rim = np.zeros((height, width), np.uint8)
    found = _rims_in(np.ascontiguousarray(small[window]), np.ascontiguousarray(body[window]), max(height, width))
    rim[window] = np.asarray(found, np.uint8) * np.uint8(255)
    if not rim.any():
        return nothing
    full = cv2.resize(rim, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_LINEAR)
    wide = masks.dilate(masks.from_matte(np.asarray(full, np.uint8)), max(1, round(_WIDEN * max(mask.shape))))
    return np.asarray(wide & ~mask, np.uint8)


def _rims_in(picture: Pixels, body: Bools, long_side: int) -> Bools:
    """The rims within a window around the mask; see `find_rims`."""
    away = cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, 5)
    deep = cv2.distanceTransform(np.pad(body, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    reach = max(3.0, _REACH * long_side)
    thing = deep > _WIDENED * long_side
    if not thing.any():
        thing = body
    ring = (away > 0) & (away <= reach)
    behind = away > reach
    if np.count_nonzero(behind) < 64:
        return np.zeros_like(body)
    band = body & ~thing
    likely = _looks_like(coarse(picture), thing, behind, ring | band, max(3, round(_LOCAL * long_side)))
    return _attached(likely, body, thing, ring)


def _looks_like(colours: Palette, thing: Bools, behind: Bools, where: Bools, reach: int) -> Bools:
    """Whether each pixel's colour is common in the thing around it and rare in the background around it."""
    # Shares of a wide window have no detail: every second pixel of every second row does.
    size = (reach + 1, reach + 1)
    labels = np.ascontiguousarray(colours.labels[::2, ::2])
    inside, outside = thing[::2, ::2].astype(np.float32), behind[::2, ::2].astype(np.float32)
    front_total, back_total = cv2.blur(inside, size), cv2.blur(outside, size)
    told = (front_total > 0) & (back_total > 0)
    front_total, back_total = np.maximum(front_total, 1e-4), np.maximum(back_total, 1e-4)
    like = np.zeros(where.shape, bool)
    rows, columns = np.nonzero(where)
    theirs = colours.labels[rows, columns]
    for label in np.unique(theirs):
        vouched = colours.alike[label][labels]
        front = cv2.blur(vouched * inside, size) / front_total
        back = cv2.blur(vouched * outside, size) / back_total
        peak = float(colours.alike[label, label])
        common = told & (front > _COMMON * peak) & (front > _ODDS * (back + 0.002 * peak))
        at = np.flatnonzero(theirs == label)
        like[rows[at], columns[at]] = common[rows[at] // 2, columns[at] // 2]
    return like


def _attached(likely: Bools, body: Bools, thing: Bools, ring: Bools) -> Bools:
    """The likely pieces outside the mask that hang together with the thing inside, and have a rim's size.

    The mask is widened already, so beside a complete thing its outermost pixels are background: what looks alike beyond
    them is another thing. Where a part is missing they show that part, and lead to it.
    """
    _, labels = cv2.connectedComponents((likely | thing).astype(np.uint8), connectivity=8)
    leads = np.zeros(int(labels.max()) + 1, bool)
    leads[np.unique(labels[thing])] = True
    leads[0] = False
    outside = leads[labels] & likely & ring
    size = int(np.count_nonzero(body))
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(outside.astype(np.uint8), connectivity=8)
    areas = statistics[:, cv2.CC_STAT_AREA]
    kept = (areas >= max(3, _SMALLEST * size)) & (areas <= _LARGEST * size)
    kept[0] = False
    # A piece may hang together with the thing by way of another piece outside: it has to enter the mask by itself.
    entering = np.zeros(len(areas), bool)
    beside = cv2.dilate((likely & body).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    entering[np.unique(labels[beside])] = True
    kept &= entering
    return np.asarray(kept[labels], bool) if areas[kept].sum() <= 2 * _LARGEST * size else np.zeros_like(body)
