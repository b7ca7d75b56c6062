"""What the pictures under the sky share: clouds, hills, and blades of grass."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Mask
from bot.playground import painting as p
from bot.playground.painting import Field, Light, rgb

SUN = np.asarray((0.6, -0.6, 0.53), np.float32)
"""Where the light comes from: right (x), up (−y), and from behind the camera (z); of length 1."""


def sky(horizon: float, seed: int, top: str, low: str, *, clouds: float, metres: float = 7000.0) -> Light:
    """Blue that pales towards the horizon, and clouds on a level plane.

    Args:
        horizon: Row of the horizon; only the rows above it are painted.
        seed: Of the clouds.
        top: Colour high above.
        low: Colour at the horizon.
        clouds: Share of the sky that they cover, 0 … 1.
        metres: How far until the clouds repeat.
    """
    _, y = p.grid(0, horizon)
    blue = p.mix(rgb(low), rgb(top), np.clip((horizon - y) / horizon, 0, 1) ** 0.75)
    above = p.plane(horizon, -900, 0, horizon)
    u, v = above.across / metres + 0.13, above.away / metres
    tile = p.texture(seed, 1024, slope=1.5)
    coarse = above.coarse(metres / tile.shape[0])
    thick = p.sample(tile, u, v, coarse=coarse)
    towards_sun = p.sample(tile, u + 0.014, v - 0.014, coarse=coarse + 0.7)
    edge = float(np.quantile(tile[::8, ::8], 1 - clouds))
    cover = p.step(edge - 0.45, edge + 0.75, thick) * 0.96
    shade = np.clip(0.62 + 0.55 * (thick - towards_sun) - 0.2 * p.step(edge + 0.5, edge + 1.8, thick), 0, 1)
    white = p.mix(rgb("a9b6c9"), (1.12, 1.1, 1.06), shade)
    white = p.mix(white, np.asarray(rgb(low), np.float32) * np.float32(1.08), np.clip(above.away / 26000, 0, 1) ** 0.8)
    return p.mix(blue, white, cover)


def ridge(rows: tuple[float, float], foot: float, height: float, seed: int, *, slope: float, wave: float) -> Field:
    """1 below a skyline, 0 above it.

    Args:
        rows: First row, and the one after the last, of the part that is painted.
        foot: Row on which the hills or trees stand.
        height: Of the highest of them, in pixels.
        seed: Another one gives another skyline.
        slope: See `painting.texture`: 2 for hills, below 1 for trees.
        wave: Picture widths until it repeats.
    """
    x, y = p.grid(*rows)
    line = p.sample(p.texture(seed, slope=slope), x[:1] / p.WIDTH / wave, np.full_like(x[:1], 0.37))
    return p.step(-0.9, 0.9, y - foot + height * (0.5 + 0.25 * np.clip(line, -1.2, 2)))


def blades(ground: Light, top: float, horizon: float, *, count: int, length: float, seed: int) -> None:
    """Grass drawn blade by blade over the nearest part of a meadow, from far to near.

    Args:
        ground: (HEIGHT − top, WIDTH, 3) linear light; changed in place. A blade takes its colour from where it grows.
        top: The row of the picture that `ground` begins with.
        horizon: Row of the horizon.
        count: How many.
        length: In pixels, of a blade that grows at the picture's lower edge.
        seed: Of where and how they grow.
    """
    rng = np.random.default_rng(seed)
    # Drawing has soft edges for 8 bits only: the square root spends them where the eye does.
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


def solid(where: Field) -> Mask:
    """The mask of what is at least half there."""
    mask: Mask = np.where(where > 0.5, np.uint8(255), np.uint8(0))
    return mask
