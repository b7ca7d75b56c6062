"""A picture in which several things are outlined and numbered, for a person to choose from."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bot.imaging.photo import Mask, Pixels

COLOURS = ((86, 180, 233), (230, 159, 0), (0, 190, 140), (240, 228, 66), (213, 94, 0), (204, 121, 167))
"""RGB, told apart by colour-blind people too (Okabe and Ito, Color Universal Design, 2008)."""

_DIM = 0.55
"""What belongs to no thing keeps this share of its lightness."""
_DISC = 0.032
"""Radius of a number's disc as a share of the long side: read at arm's length on a phone."""
_FONT = cv2.FONT_HERSHEY_DUPLEX


def number_things(pixels: Pixels, things: Sequence[Mask]) -> Pixels:
    """Outline things and put a number on each: 1 for the first.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        things: (H, W) uint8 masks, 255 = selected. They may overlap.

    Returns:
        (H, W, 3) uint8. What no thing covers is darker.
    """
    covered = np.zeros(pixels.shape[:2], bool)
    for thing in things:
        covered |= thing > 0
    shown = np.where(covered[..., None], pixels, (pixels * _DIM).astype(np.uint8))
    width = max(2, round(max(covered.shape) / 300))
    for number, thing in enumerate(things):
        outline, _ = cv2.findContours(thing, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for colour, thickness in (((0, 0, 0), 2 * width + 1), (COLOURS[number % len(COLOURS)], width)):
            shown = cv2.drawContours(np.ascontiguousarray(shown), outline, -1, colour, thickness, cv2.LINE_AA)
    taken: list[tuple[int, int]] = []
    radius = max(10, round(_DISC * max(covered.shape)))
    for number, thing in enumerate(things):
        others = [other for index, other in enumerate(things) if index != number]
        place = _place(thing, others, taken, radius)
        taken.append(place)
        _draw_number(shown, place, radius, number + 1, COLOURS[number % len(COLOURS)])
    return np.asarray(shown, np.uint8)


def _place(thing: Mask, others: Sequence[Mask], taken: Sequence[tuple[int, int]], radius: int) -> tuple[int, int]:
    """Where a thing's number stands: deep inside it, on a part that is its alone, away from the other numbers."""
    alone = thing.copy()
    for other in others:
        alone[other > 0] = 0
    # A thing that lies wholly within others still gets its number.
    area = alone if cv2.countNonZero(alone) >= max(16, 0.05 * cv2.countNonZero(thing)) else thing
    depth = cv2.distanceTransform(cv2.copyMakeBorder(area, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)[1:-1, 1:-1]
    for x, y in taken:
        cv2.circle(depth, (x, y), 2 * radius + 2, 0.0, -1)
    if not depth.any():
        depth = np.asarray(thing, np.float32)
    _, _, _, (x, y) = cv2.minMaxLoc(depth)
    height, width = thing.shape
    return int(np.clip(x, radius, max(radius, width - 1 - radius))), int(
        np.clip(y, radius, max(radius, height - 1 - radius))
    )


def _draw_number(shown: Pixels, place: tuple[int, int], radius: int, number: int, colour: tuple[int, int, int]) -> None:
    cv2.circle(shown, place, radius + max(1, radius // 8), (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(shown, place, radius, colour, -1, cv2.LINE_AA)
    scale, thickness = radius / 16, max(1, round(radius / 8))
    (width, height), _ = cv2.getTextSize(str(number), _FONT, scale, thickness)
    corner = (place[0] - width // 2, place[1] + height // 2)
    cv2.putText(shown, str(number), corner, _FONT, scale, (0, 0, 0), thickness, cv2.LINE_AA)
