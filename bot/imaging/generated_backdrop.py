"""Drawing a studio backdrop in the background's own colours, with a glow and the subject's contact shadow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Matte, Pixels

FIELD_SIDE = 512
"""Long side in pixels at which the backdrop is drawn: it has no fine detail."""

MIN_SHADOW_DEPTH = 0.16
"""Minimal shadow depth for a subject that stands low in the picture."""

MAX_GROUND_SLOPE = 0.35
"""Largest slope of the ground under a subject, in rows per column: a car seen from a corner."""

_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GroundContact:
    """Where the subject touches the ground.

    Attributes:
        left, top, right, bottom: The subject's box in field pixels; right and bottom are exclusive.
        ground: (w,) float32: row of the ground in each column.
        touch: (w,) float32, 0 … 1: how close the subject is to the ground in each column.
        cover: (w,) float32, 0 or 1: whether the column has ground under the subject.
        depth: How much darker the photo's ground is under the subject than beside it, 0 … 1. 0: the subject does not
            touch the ground, or the picture cuts off its lower end.
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
        subject: (H, W) uint8 matte of the subject.
        seed: Picks the variant: which background colour, where the light comes from, how dark.

    Returns:
        (h, w, 3) float32 RGB, 0 … 1, its long side at most FIELD_SIDE.
    """
    height, width = subject.shape
    scale = min(1.0, FIELD_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    alpha = np.asarray(cv2.resize(subject, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)
    contact = _find_ground_contact(lab[..., 0], alpha)
    wall, floor = _wall_and_floor_colours(lab, alpha, seed)
    field = _add_glow(_draw_wall_and_floor(wall, floor, size, contact), contact, np.random.default_rng(seed))
    field[..., 0] *= 1 - _contact_shadow(contact, size)
    field[..., 0] = np.clip(field[..., 0], 4, 97)
    return np.clip(cv2.cvtColor(field, cv2.COLOR_LAB2RGB), 0, 1)


def _wall_and_floor_colours(lab: _Floats, alpha: _Floats, seed: int) -> tuple[_Floats, _Floats]:
    """Choose the Lab colours, (3,) each, of the wall and of the floor.

    The mean of a varied background is a muddy colour. So the wall takes one of the background's main colours, the most
    frequent one first, less saturated and lighter.
    """
    background = cv2.dilate(alpha, np.ones((9, 9), np.uint8)) < 0.02
    if np.count_nonzero(background) < 32:
        background = alpha < 0.5
    if not background.any():
        background = np.ones_like(background)
    colours = np.asarray(cv2.GaussianBlur(lab, (0, 0), 2), np.float32)[background]
    centres, shares = _k_means(colours[:: max(1, len(colours) // 4000)])
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
    # The floor's hue moves towards the photo's ground; its lightness stays the wall's.
    floor[1:] = 0.75 * wall[1:] + 0.25 * 0.6 * low[1:]
    return wall, floor


def _k_means(colours: _Floats, count: int = 5) -> tuple[_Floats, _Floats]:
    """Cluster (n, 3) colours by k-means, initialised along lightness; returns centres and shares, largest first."""
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


def _find_ground_contact(lightness: _Floats, alpha: _Floats) -> GroundContact:
    """Find the subject's box, where it touches the ground, and how dark the photo's shadow is there."""
    height, width = alpha.shape
    solid = alpha > 0.5
    if not solid.any():
        nothing = np.zeros(width, np.float32)
        return GroundContact(0, 0, width, height, nothing, nothing, nothing, 0.0)
    left, top, across, down = cv2.boundingRect(solid.astype(np.uint8))
    right, bottom = left + across, top + down
    lowest = np.where(solid.any(0), height - 1 - solid[::-1].argmax(0), -height).astype(np.float32)
    ground, level = _estimate_ground(lowest, left, right)
    cover = (level & (ground >= bottom - 0.25 * down)).astype(np.float32)
    touch = (cover * np.exp(-(((ground - lowest) / max(2.0, 0.03 * down)) ** 2))).astype(np.float32)
    box = (left, top, right, bottom, ground, touch, cover)
    if bottom >= height - max(2, 0.01 * height):
        return GroundContact(*box, 0.0)
    last = min(height, bottom + max(3, round(0.06 * down)))
    # This includes the area between wheels or feet, where the photo's shadow is darkest.
    under = slice(max(0, bottom - round(0.15 * down)), last)
    free = alpha < 0.02
    close = (np.arange(height)[:, None] > lowest) & (lowest >= bottom - 0.25 * down) & (cover > 0)
    below = free[under, left:right] & close[under, left:right]
    around = slice(max(0, bottom - round(0.02 * down) - 1), last)
    beside = free[around].copy()
    beside[:, max(0, left - across // 6) : right + across // 6] = False
    if below.sum() < 8 or beside.sum() < 8:
        return GroundContact(*box, 0.25)
    # The same quantile on both sides: a textured ground has dark spots everywhere.
    usual = float(np.quantile(lightness[around][beside], 0.35))
    darkest = float(np.quantile(lightness[under, left:right][below], 0.35))
    # A subject low in the picture stands, even without a visible shadow; higher up it may fly.
    least = MIN_SHADOW_DEPTH if bottom > 0.66 * height else 0.0
    return GroundContact(*box, float(np.clip(1 - darkest / max(usual, 1.0), least, 0.8)))


def _estimate_ground(lowest: _Floats, left: int, right: int) -> tuple[_Floats, NDArray[np.bool_]]:
    """Estimate the ground under a subject as its lower convex hull.

    Args:
        lowest: (w,) float32: the subject's lowest row in each column.
        left: The subject's first column.
        right: The column after the subject's last.

    Returns:
        (w,) float32 row of the ground, and (w,) bool whether it is level: a steep part of the hull, from a foot to an
        outstretched arm, is not ground.
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
    steep = np.abs(np.diff(rows, append=rows[-1:])) > MAX_GROUND_SLOPE
    inside = np.zeros(len(lowest), np.bool_)
    inside[hull[0] : hull[-1] + 1] = True
    return rows, inside & ~steep


def _draw_wall_and_floor(wall: _Floats, floor: _Floats, size: tuple[int, int], contact: GroundContact) -> _Floats:
    """Draw the wall, a wide bend, and the lighter floor."""
    width, height = size
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    bend = np.float32(min(0.86, max(0.48, contact.bottom / height - 0.1)) if contact.depth > 0 else 0.8)
    lying = np.clip((rows - bend + 0.13) / 0.26, 0, 1)
    lying = lying * lying * (3 - 2 * lying)
    field = wall + lying[..., None] * (floor - wall)
    # The bend is slightly darker than both sides.
    field[..., 0] += 5 * lying - 4 * np.exp(-(((rows - bend) / 0.1) ** 2))
    return np.ascontiguousarray(np.broadcast_to(field, (height, width, 3)), np.float32)


def _add_glow(field: _Floats, contact: GroundContact, random: np.random.Generator) -> _Floats:
    """Add a soft glow behind the subject that fades to the corners."""
    height, width = field.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = float(random.choice([-1, 1])) * float(random.uniform(0.08, 0.2))
    centre = ((contact.left + contact.right) / 2 / width * 0.5 + 0.25 + side) * width
    middle = ((contact.top + contact.bottom) / 2 / height * 0.4 + 0.22) * height
    reach = 0.62 * max(width, height)
    far = np.hypot(x - centre, y - middle) / reach
    field[..., 0] += 7 * np.exp(-((far * 1.5) ** 2)) - 9 * np.clip(far - 0.35, 0, 1) ** 2 * 2
    return field


def _contact_shadow(contact: GroundContact, size: tuple[int, int]) -> _Floats:
    """Return (h, w), the share of light that the contact shadow removes: dark at the contact, faint around it."""
    width, height = size
    shadow = np.zeros((height, width), np.float32)
    if contact.depth < 0.04:
        return shadow
    across = min(contact.right - contact.left, 2 * (contact.bottom - contact.top))
    strength = min(0.2 + 0.7 * contact.depth, 0.25 + 0.5 * contact.depth)
    below = np.arange(height, dtype=np.float32)[:, None] - contact.ground
    near, wide = max(1.5, 0.018 * across), max(3.0, 0.06 * across)
    dark = 0.75 * contact.touch * np.exp(-((below / near) ** 2)) + 0.6 * contact.cover * np.exp(-((below / wide) ** 2))
    soft = cv2.GaussianBlur(dark, (0, 0), 1.5 * near, sigmaY=max(0.8, 0.5 * near), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.clip(strength * soft, 0, 0.85), np.float32)
