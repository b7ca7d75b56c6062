"""Parts of the outdoor scenes: sky with clouds, skylines, blades of grass."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Mask
from bot.playground import painting as p
from bot.playground.painting import Field, Light, rgb

SUN = np.asarray((0.6, -0.6, 0.53), np.float32)
"""Unit vector to the sun: right (x), up (−y), towards the camera (z)."""


def sky(horizon: float, seed: int, top: str, low: str, *, clouds: float, metres: float = 7000.0) -> Light:
    """A blue sky, paler towards the horizon, with clouds on a horizontal plane.

    Args:
        horizon: Row of the horizon; only the rows above it are painted.
        seed: Seed of the clouds.
        top: Colour high above.
        low: Colour at the horizon.
        clouds: Share of the sky that clouds cover, 0 … 1.
        metres: Period of the clouds.
    """
    _, y = p.pixel_grid(0, horizon)
    blue = p.mix(rgb(low), rgb(top), np.clip((horizon - y) / horizon, 0, 1) ** 0.75)
    above = p.level_plane(horizon, -900, 0, horizon)
    u, v = above.across / metres + 0.13, above.away / metres
    tile = p.noise_tile(seed, 1024, slope=1.5)
    halvings = above.halvings(metres / tile.shape[0])
    thick = p.read_texture(tile, u, v, halvings=halvings)
    towards_sun = p.read_texture(tile, u + 0.014, v - 0.014, halvings=halvings + 0.7)
    edge = float(np.quantile(tile[::8, ::8], 1 - clouds))
    cover = p.smoothstep(edge - 0.45, edge + 0.75, thick) * 0.96
    shade = np.clip(0.62 + 0.55 * (thick - towards_sun) - 0.2 * p.smoothstep(edge + 0.5, edge + 1.8, thick), 0, 1)
    white = p.mix(rgb("a9b6c9"), (1.12, 1.1, 1.06), shade)
    white = p.mix(white, np.asarray(rgb(low), np.float32) * np.float32(1.08), np.clip(above.away / 26000, 0, 1) ** 0.8)
    return p.mix(blue, white, cover)


def ridge(rows: tuple[float, float], foot: float, height: float, seed: int, *, slope: float, wave: float) -> Field:
    """A mask: 1 below a skyline, 0 above it.

    Args:
        rows: First row, and the row after the last.
        foot: Row of the foot of the hills or trees.
        height: Height of the highest one, pixels.
        seed: Seed of the skyline.
        slope: See `painting.noise_tile`: 2 for hills, below 1 for trees.
        wave: Period, in picture widths.
    """
    x, y = p.pixel_grid(*rows)
    line = p.read_texture(p.noise_tile(seed, slope=slope), x[:1] / p.WIDTH / wave, np.full_like(x[:1], 0.37))
    return p.smoothstep(-0.9, 0.9, y - foot + height * (0.5 + 0.25 * np.clip(line, -1.2, 2)))


def blades(ground: Light, top: float, horizon: float, *, count: int, length: float, seed: int) -> None:
    """Draw blades of grass over the nearest part of a meadow, from far to near.

    Args:
        ground: (HEIGHT − top, WIDTH, 3) linear light; changed in place. A blade has the colour of its root.
        top: The picture's row of the first row of `ground`.
        horizon: Row of the horizon.
        count: Number of blades.
        length: Length of a blade at the picture's lower edge, pixels.
        seed: Seed of their places and shapes.
    """
    rng = np.random.default_rng(seed)
    # OpenCV draws antialiased in 8 bits only; the square root (gamma) keeps precision in the dark.
    canvas = np.clip(np.sqrt(ground) * 255, 0, 255).astype(np.uint8)
    rows = np.sort(top + (p.HEIGHT + 40 - top) * rng.random(count) ** 0.85)
    columns, lean, tall, tone = (
        rng.random(count) * p.WIDTH,
        rng.normal(0, 0.3, count),
        rng.random(count),
        rng.random(count),
    )
    for row, column, bend, high, bright in zip(rows, columns, lean, tall, tone, strict=True):
        size = length * (0.45 + 0.75 * high) * (row - horizon) / (p.HEIGHT - horizon)
        root = canvas[min(int(row - top), canvas.shape[0] - 1), int(column)].astype(np.float64)
        colour = np.clip(root * (0.72 + 0.5 * bright), 0, 255).tolist()
        root_row, wide = row - top, max(0.5, size * 0.035)
        knee, knee_row = column + bend * size * 0.25, root_row - size * 0.55
        leaf = [
            (column - wide, root_row),
            (knee - wide * 0.7, knee_row),
            (column + bend * size, root_row - size),
            (knee + wide * 0.7, knee_row),
            (column + wide, root_row),
        ]
        cv2.fillPoly(canvas, [np.round(np.asarray(leaf) * 16).astype(np.int32)], colour, cv2.LINE_AA, shift=4)
    ground[:] = (canvas.astype(np.float32) / 255) ** 2


def to_mask(where: Field) -> Mask:
    """The mask of pixels that are covered by at least half."""
    mask: Mask = np.where(where > 0.5, np.uint8(255), np.uint8(0))
    return mask
