"""A studio's paper roll in the background's own colours, with the light and the subject's shadow on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Matte, Pixels

FIELD_SIDE = 512
"""Long side in pixels that the backdrop is drawn at; it has no detail that a larger one would show."""

FAINT = 0.16
"""Depth of shadow given to a subject that stands low in the picture and has none of its own."""

STEEPEST = 0.35
"""Rows a column by which the ground under a subject may climb: the slant of a car seen from a corner."""

_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the subject stands.

    Attributes:
        left, top, right, bottom: Its box in field pixels, the last two just outside.
        ground: (w,) float32: the field's row in which the ground lies under each column.
        touch: (w,) float32, 0 … 1: how near the subject comes to the ground in each column.
        cover: (w,) float32, 0 or 1: where it is above the ground at all.
        depth: How dark the photo's ground is right under the subject against the ground aside, 0 … 1; 0: it flies,
            or its lower end is out of the picture.
    """

    left: int
    top: int
    right: int
    bottom: int
    ground: _Floats
    touch: _Floats
    cover: _Floats
    depth: float


def draw_backdrop(picture: Pixels, subject: Matte, *, seed: int) -> _Floats:
    """Draw the backdrop.

    Args:
        picture: (H, W, 3) uint8 RGB.
        subject: (H, W) uint8 matte of what will stand before it.
        seed: Picks the variant: which of the background's colours, from where the light falls, how dark.

    Returns:
        (h, w, 3) float32 RGB, 0 … 1, its long side at most FIELD_SIDE.
    """
    height, width = subject.shape
    scale = min(1.0, FIELD_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    alpha = np.asarray(cv2.resize(subject, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)
    stand = _stand(lab[..., 0], alpha)
    wall, floor = _paper(lab, alpha, seed)
    field = _light(_roll(wall, floor, size, stand), stand, np.random.default_rng(seed))
    field[..., 0] *= 1 - _shadow(stand, size)
    field[..., 0] = np.clip(field[..., 0], 4, 97)
    return np.clip(cv2.cvtColor(field, cv2.COLOR_LAB2RGB), 0, 1)


def _paper(lab: _Floats, alpha: _Floats, seed: int) -> tuple[_Floats, _Floats]:
    """Colours (3,) Lab of the upright and of the lying part of the paper.

    The mean of a street is mud; the paper takes one of the colours that the background is made of, the most frequent
    one first, calmed and lifted as paper is.
    """
    background = cv2.dilate(alpha, np.ones((9, 9), np.uint8)) < 0.02
    if np.count_nonzero(background) < 32:
        background = alpha < 0.5
    if not background.any():
        background = np.ones_like(background)
    colours = np.asarray(cv2.GaussianBlur(lab, (0, 0), 2), np.float32)[background]
    centres, shares = _clusters(colours[:: max(1, len(colours) // 4000)])
    wanted = np.flatnonzero(shares > 0.08)
    chosen = centres[wanted[seed % len(wanted)]]
    dark = (seed // len(wanted)) % 2 == 1
    wall = chosen * np.array([1, 0.6, 0.6], np.float32)
    wall[0] = 0.35 * chosen[0] + (22 if dark else 52)
    strength = float(np.hypot(wall[1], wall[2]))
    wall[1:] *= min(1.0, 20 / max(strength, 1e-3))
    rows = np.nonzero(background)[0]
    low = lab[background][rows >= np.quantile(rows, 0.75)].mean(0)
    floor = wall.copy()
    # The floor leans towards the ground's own hue; its lightness stays the paper's.
    floor[1:] = 0.75 * wall[1:] + 0.25 * 0.6 * low[1:]
    return wall, floor


def _clusters(colours: _Floats, count: int = 5) -> tuple[_Floats, _Floats]:
    """k-means of (n, 3) colours, started along their lightness: centres and shares, the largest first."""
    order = colours[np.argsort(colours[:, 0], kind="stable")]
    centres = order[(np.linspace(0.1, 0.9, count) * (len(order) - 1)).astype(int)].copy()
    nearest = np.zeros(len(colours), int)
    for _ in range(12):
        nearest = ((colours[:, None] - centres) ** 2).sum(2).argmin(1)
        for index in range(count):
            if (nearest == index).any():
                centres[index] = colours[nearest == index].mean(0)
    shares = np.bincount(nearest, minlength=count) / len(colours)
    ranked = np.argsort(-shares, kind="stable")
    return np.asarray(centres[ranked], np.float32), np.asarray(shares[ranked], np.float32)


def _stand(lightness: _Floats, alpha: _Floats) -> Stand:
    """Find the subject's box, its feet, and how much shadow the photo itself has under them."""
    height, width = alpha.shape
    solid = alpha > 0.5
    if not solid.any():
        nothing = np.zeros(width, np.float32)
        return Stand(0, 0, width, height, nothing, nothing, nothing, 0.0)
    left, top, across, down = cv2.boundingRect(solid.astype(np.uint8))
    right, bottom = left + across, top + down
    lowest = np.where(solid.any(0), height - 1 - solid[::-1].argmax(0), -height).astype(np.float32)
    ground, level = _ground(lowest, left, right)
    cover = (level & (ground >= bottom - 0.25 * down)).astype(np.float32)
    touch = (cover * np.exp(-(((ground - lowest) / max(2.0, 0.03 * down)) ** 2))).astype(np.float32)
    box = (left, top, right, bottom, ground, touch, cover)
    if bottom >= height - max(2, 0.01 * height):
        return Stand(*box, 0.0)
    last = min(height, bottom + max(3, round(0.06 * down)))
    # Between the wheels or feet too: there the photo's own shadow is deepest.
    under = slice(max(0, bottom - round(0.15 * down)), last)
    free = alpha < 0.02
    close = (np.arange(height)[:, None] > lowest) & (lowest >= bottom - 0.25 * down) & (cover > 0)
    below = free[under, left:right] & close[under, left:right]
    around = slice(max(0, bottom - round(0.02 * down) - 1), last)
    beside = free[around].copy()
    beside[:, max(0, left - across // 6) : right + across // 6] = False
    if below.sum() < 8 or beside.sum() < 8:
        return Stand(*box, 0.25)
    # The same share of the darkest on both sides: a busy ground has dark spots everywhere.
    usual = float(np.quantile(lightness[around][beside], 0.35))
    darkest = float(np.quantile(lightness[under, left:right][below], 0.35))
    # Low in the picture things stand, even in light that shows no shadow; higher up they may well fly.
    least = FAINT if bottom > 0.66 * height else 0.0
    return Stand(*box, float(np.clip(1 - darkest / max(usual, 1.0), least, 0.8)))


def _ground(lowest: _Floats, left: int, right: int) -> tuple[_Floats, NDArray[np.bool_]]:
    """The ground under a subject: what it would rest on, its lower convex hull.

    Args:
        lowest: (w,) float32: its lowest row in each column.
        left: Its first column.
        right: The column after its last.

    Returns:
        (w,) float32 row of the ground, and (w,) whether it is level there: a hull that climbs steeply, from a foot to
        an outstretched arm, is no ground.
    """
    hull: list[int] = []
    for x in range(left, right):
        if lowest[x] < 0:
            continue
        while len(hull) > 1:
            first, last = hull[-2], hull[-1]
            rise = (lowest[x] - lowest[first]) * (last - first)
            if (lowest[last] - lowest[first]) * (x - first) > rise:
                break
            hull.pop()
        hull.append(x)
    rows = np.interp(np.arange(len(lowest)), hull, lowest[hull]).astype(np.float32)
    steep = np.abs(np.diff(rows, append=rows[-1:])) > STEEPEST
    inside = np.zeros(len(lowest), np.bool_)
    inside[hull[0] : hull[-1] + 1] = True
    return rows, inside & ~steep


def _roll(wall: _Floats, floor: _Floats, size: tuple[int, int], stand: Stand) -> _Floats:
    """The paper as it hangs: upright, a wide bend, and a lying part that catches the light."""
    width, height = size
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    bend = np.float32(min(0.86, max(0.48, stand.bottom / height - 0.1)) if stand.depth > 0 else 0.8)
    lying = np.clip((rows - bend + 0.13) / 0.26, 0, 1)
    lying = lying * lying * (3 - 2 * lying)
    field = wall + lying[..., None] * (floor - wall)
    # A bend is a little darker than either side of it.
    field[..., 0] += 5 * lying - 4 * np.exp(-(((rows - bend) / 0.1) ** 2))
    return np.ascontiguousarray(np.broadcast_to(field, (height, width, 3)), np.float32)


def _light(field: _Floats, stand: Stand, random: np.random.Generator) -> _Floats:
    """A soft glow behind the subject, falling off to the corners."""
    height, width = field.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = float(random.choice([-1, 1])) * float(random.uniform(0.08, 0.2))
    centre = ((stand.left + stand.right) / 2 / width * 0.5 + 0.25 + side) * width
    middle = ((stand.top + stand.bottom) / 2 / height * 0.4 + 0.22) * height
    reach = 0.62 * max(width, height)
    far = np.hypot(x - centre, y - middle) / reach
    field[..., 0] += 7 * np.exp(-((far * 1.5) ** 2)) - 9 * np.clip(far - 0.35, 0, 1) ** 2 * 2
    return field


def _shadow(stand: Stand, size: tuple[int, int]) -> _Floats:
    """(h, w) share of light that the subject takes from the ground: dark where it touches, wide and faint around."""
    width, height = size
    shadow = np.zeros((height, width), np.float32)
    if stand.depth < 0.04:
        return shadow
    across = min(stand.right - stand.left, 2 * (stand.bottom - stand.top))
    strength = min(0.2 + 0.7 * stand.depth, 0.25 + 0.5 * stand.depth)
    below = np.arange(height, dtype=np.float32)[:, None] - stand.ground
    near, wide = max(1.5, 0.018 * across), max(3.0, 0.06 * across)
    dark = 0.75 * stand.touch * np.exp(-((below / near) ** 2)) + 0.6 * stand.cover * np.exp(-((below / wide) ** 2))
    soft = cv2.GaussianBlur(dark, (0, 0), 1.5 * near, sigmaY=max(0.8, 0.5 * near), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.clip(strength * soft, 0, 0.85), np.float32)
