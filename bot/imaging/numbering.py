"""Drawing numbered outlines of several objects, for a person to choose one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bot.imaging.photo import Mask, Pixels

COLOURS = ((86, 180, 233), (230, 159, 0), (0, 190, 140), (240, 228, 66), (213, 94, 0), (204, 121, 167))
"""RGB; colour-blind people can tell them apart (Okabe and Ito, Color Universal Design, 2008)."""

_OUTSIDE_BRIGHTNESS = 0.55
"""Share of its lightness that the area outside all masks keeps."""
_BADGE_RADIUS = 0.032
"""Radius of a badge as a share of the long side: readable at arm's length on a phone."""
_FONT = cv2.FONT_HERSHEY_DUPLEX


def draw_numbered_outlines(pixels: Pixels, outlined: Sequence[Mask]) -> Pixels:
    """Outline masks and put a numbered badge on each: 1 for the first.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        outlined: (H, W) uint8 masks, 255 = selected. They may overlap.

    Returns:
        (H, W, 3) uint8. What no mask covers is darker.
    """
    covered = np.zeros(pixels.shape[:2], bool)
    for mask in outlined:
        covered |= mask > 0
    shown = np.where(covered[..., None], pixels, (pixels * _OUTSIDE_BRIGHTNESS).astype(np.uint8))
    width = max(2, round(max(covered.shape) / 300))
    for number, mask in enumerate(outlined):
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for colour, thickness in (((0, 0, 0), 2 * width + 1), (COLOURS[number % len(COLOURS)], width)):
            shown = cv2.drawContours(np.ascontiguousarray(shown), outline, -1, colour, thickness, cv2.LINE_AA)
    taken: list[tuple[int, int]] = []
    radius = max(10, round(_BADGE_RADIUS * max(covered.shape)))
    for number, mask in enumerate(outlined):
        others = [other for index, other in enumerate(outlined) if index != number]
        centre = _badge_position(mask, others, taken, radius)
        taken.append(centre)
        _draw_badge(shown, centre, radius, number + 1, COLOURS[number % len(COLOURS)])
    return np.asarray(shown, np.uint8)


def _badge_position(
    mask: Mask, others: Sequence[Mask], taken: Sequence[tuple[int, int]], radius: int
) -> tuple[int, int]:
    """Choose a badge's centre: deep inside the mask, on a part that no other mask covers, away from other badges."""
    exclusive = mask.copy()
    for other in others:
        exclusive[other > 0] = 0
    # A mask that lies wholly within others still gets its badge.
    area = exclusive if cv2.countNonZero(exclusive) >= max(16, 0.05 * cv2.countNonZero(mask)) else mask
    depth = cv2.distanceTransform(cv2.copyMakeBorder(area, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)[1:-1, 1:-1]
    for x, y in taken:
        cv2.circle(depth, (x, y), 2 * radius + 2, 0.0, -1)
    if not depth.any():
        depth = np.asarray(mask, np.float32)
    _, _, _, (x, y) = cv2.minMaxLoc(depth)
    height, width = mask.shape
    return int(np.clip(x, radius, max(radius, width - 1 - radius))), int(
        np.clip(y, radius, max(radius, height - 1 - radius))
    )


def _draw_badge(shown: Pixels, centre: tuple[int, int], radius: int, number: int, colour: tuple[int, int, int]) -> None:
    cv2.circle(shown, centre, radius + max(1, radius // 8), (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(shown, centre, radius, colour, -1, cv2.LINE_AA)
    scale, thickness = radius / 16, max(1, round(radius / 8))
    (width, height), _ = cv2.getTextSize(str(number), _FONT, scale, thickness)
    corner = (centre[0] - width // 2, centre[1] + height // 2)
    cv2.putText(shown, str(number), corner, _FONT, scale, (0, 0, 0), thickness, cv2.LINE_AA)
