"""Drawing functions for the sample pictures: noise, perspective, shapes, light and tone mapping.

Colours are linear light, so that shadows, haze and blur add up as in a camera; `expose` converts them to sRGB at the
end. All noise is seeded: the same call gives the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels

Field: TypeAlias = NDArray[np.floating[Any]]
"""(H, W) floats, usually float32."""
Light: TypeAlias = NDArray[np.float32]
"""(H, W, 3) float32: linear light, 1 = white in sunlight."""
Colour: TypeAlias = tuple[float, float, float]
"""Linear red, green and blue."""

WIDTH, HEIGHT = 1280, 960


def rgb(code: str) -> Colour:
    """The linear light of an sRGB colour ``rrggbb``."""
    srgb = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (((value + 0.055) / 1.055) ** 2.4 for value in srgb)
    return red, green, blue


def pixel_grid(top: float = 0, bottom: float = HEIGHT, left: float = 0, right: float = WIDTH) -> tuple[Field, Field]:
    """The x and y coordinates of each pixel in a part of the picture."""
    x = np.arange(int(left), int(right), dtype=np.float32)
    y = np.arange(int(top), int(bottom), dtype=np.float32)
    return np.broadcast_to(x, (y.size, x.size)), np.broadcast_to(y[:, None], (y.size, x.size))


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between; reversed if `low` > `high`."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    smooth: Field = t * t * (3 - 2 * t)
    return smooth


def mix(first: Light | Colour, second: Light | Colour, share: Field) -> Light:
    """Blend from `first` (`share` = 0) to `second` (`share` = 1)."""
    mixed = np.empty((*share.shape, 3), np.float32)
    for channel in range(3):
        # Channel by channel: broadcasting over a last axis of 3 is several times slower.
        one, two = (np.asarray(light, np.float32)[..., channel] for light in (first, second))
        mixed[..., channel] = one + (two - one) * share
    return mixed


def scale(light: Light | Colour, level: Field) -> Light:
    """Multiply light by a level per pixel."""
    lit = np.empty((*level.shape, 3), np.float32)
    for channel in range(3):
        lit[..., channel] = np.asarray(light, np.float32)[..., channel] * level
    return lit


def gradient(stops: list[tuple[float, Colour]], value: Field) -> Light:
    """Interpolate colours by `value` between stops, which are in rising order."""
    at = [stop for stop, _ in stops]
    colours = np.empty((*value.shape, 3), np.float32)
    for channel in range(3):
        colours[..., channel] = np.interp(value, at, [colour[channel] for _, colour in stops])
    return colours


@lru_cache(maxsize=16)
def noise_tile(seed: int, side: int = 512, slope: float = 1.0, coarsest: float = 2.0) -> Field:
    """Seamlessly repeating noise: (side, side), mean 0, standard deviation 1.

    Args:
        seed: Seed of the noise.
        side: Side of the tile, texels.
        slope: The amplitude is frequency ** −slope: 0 is white noise, 1 clouds, 1.6 smooth hills.
        coarsest: Lowest frequency, waves per tile.
    """
    white = np.random.default_rng(seed).standard_normal((side, side), dtype=np.float32)
    waves = np.asarray(cv2.dft(white, flags=cv2.DFT_COMPLEX_OUTPUT))
    along = np.fft.fftfreq(side).astype(np.float32) * np.float32(side)
    frequency = np.asarray(cv2.magnitude(*np.broadcast_arrays(along[:, None], along[None, :])), np.float32)
    gain = np.where(frequency >= coarsest, cv2.pow(np.maximum(frequency, 1), -slope), 0).astype(np.float32)
    tile = np.asarray(cv2.dft(waves * gain[..., None], flags=cv2.DFT_INVERSE | cv2.DFT_REAL_OUTPUT))
    whole: Field = (tile - tile.mean()) / tile.std()
    whole.flags.writeable = False
    return whole


def read_texture(tile: Field, u: Field, v: Field, *, halvings: float | Field = 0.0) -> Field:
    """Read a repeating tile at (u, v); 1 is one tile.

    Args:
        tile: From `noise_tile`.
        u: Across, (H, W).
        v: Down, (H, W).
        halvings: How many times the tile is halved before it is read (its mip level), a number or (H, 1) per row;
            avoids aliasing far away.
    """
    level = np.broadcast_to(np.asarray(halvings, np.float32), (u.shape[0], 1))[:, 0]
    read = np.zeros(u.shape, np.float32)
    for halved in range(8):
        share = np.clip(1 - np.abs(np.clip(level, 0, 7) - halved), 0, 1).astype(np.float32)
        rows = np.flatnonzero(share)
        if rows.size:
            some = slice(int(rows[0]), int(rows[-1]) + 1)
            read[some] += share[some, None] * _read(_halved(tile, halved), u[some], v[some])
    return read


def _halved(tile: Field, times: int) -> Field:
    side = max(1, tile.shape[0] >> times)
    return np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _read(tile: Field, u: Field, v: Field) -> Field:
    side = tile.shape[0]
    # Minus half a texel for its centre, plus one for the border that continues the tile.
    across, down = ((axis - np.floor(axis)) * np.float32(side) + np.float32(0.5) for axis in (u, v))
    padded = cv2.copyMakeBorder(tile, 1, 2, 1, 2, cv2.BORDER_WRAP)
    read = cv2.remap(padded, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


@dataclass(frozen=True, slots=True)
class Plane:
    """A horizontal plane in perspective: the ground below the horizon, or clouds above it.

    Attributes:
        across: Metres to the right of the camera, (H, W).
        away: Metres from the camera, (H, W).
    """

    across: Field
    away: Field

    def halvings(self, texel: float) -> Field:
        """The halvings of `read_texture` for a tile with texels of this many metres, (H, 1)."""
        deep = np.abs(np.gradient(self.away[:, :1], axis=0))
        wide = self.away[:, :1] / FOCAL
        return np.asarray(np.log2(np.maximum(np.sqrt(deep * wide) / texel, 1)), np.float32)


FOCAL = 1300.0
"""Focal length in pixels: a normal lens, 52° across."""


def level_plane(horizon: float, height: float, top: float, bottom: float) -> Plane:
    """A horizontal plane in the rows from `top` to `bottom`.

    Args:
        horizon: Row of the horizon.
        height: Metres below the camera; negative: above it.
        top: First row.
        bottom: Row after the last.
    """
    x, y = pixel_grid(top, bottom)
    away = height * FOCAL / np.where(height > 0, np.maximum(y - horizon, 0.5), np.minimum(y - horizon, -0.5))
    away = np.asarray(away, np.float32)
    return Plane((x - WIDTH / 2) * away / np.float32(FOCAL), away)


def fill_polygons(*outlines: list[tuple[float, float]], radius: float = 0.6) -> Field:
    """Fill polygons with 1 and blur their edges by `radius` pixels."""
    points = [np.asarray(outline, np.float64) for outline in outlines]
    margin = 3 * radius + 2
    left, top = np.maximum(np.floor(np.min([corners.min(0) for corners in points], 0) - margin), 0).astype(int)
    right, bottom = np.minimum(np.max([corners.max(0) for corners in points], 0) + margin, (WIDTH, HEIGHT)).astype(int)
    part = np.zeros((max(1, bottom - top), max(1, right - left)), np.uint8)
    for corners in points:
        cv2.fillPoly(part, [np.round((corners - (left, top)) * 16).astype(np.int32)], (255,), cv2.LINE_AA, shift=4)
    whole = np.zeros((HEIGHT, WIDTH), np.float32)
    whole[top:bottom, left:right] = blur(part / np.float32(255), radius)
    return whole


def bezier(*corners: tuple[float, float], parts: int = 24) -> list[tuple[float, float]]:
    """Points of a Bézier curve with these control points."""
    t = np.linspace(0, 1, parts)[:, None, None]
    points = np.broadcast_to(np.asarray(corners, np.float64), (parts, len(corners), 2))
    while points.shape[1] > 1:
        points = points[:, :-1] * (1 - t) + points[:, 1:] * t
    return [(float(x), float(y)) for x, y in points[:, 0]]


def blur(field: Field | Light, radius: float, *, down: float | None = None) -> NDArray[np.float32]:
    """Gaussian blur by `radius` pixels across and `down` pixels down (default: `radius`)."""
    field = np.asarray(field, np.float32)
    shrink = min(8, int(max(1, min(radius, down or radius) / 4)))
    if shrink > 1:
        size = (field.shape[1] // shrink, field.shape[0] // shrink)
        small = cv2.resize(field, size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), radius / shrink, sigmaY=(down or radius) / shrink)
        return np.asarray(
            cv2.resize(small, (field.shape[1], field.shape[0]), interpolation=cv2.INTER_CUBIC), np.float32
        )
    return np.asarray(cv2.GaussianBlur(field, (0, 0), radius, sigmaY=down or radius), np.float32)


def expose(light: Light, seed: int, *, exposure: float = 1.0, warmth: float = 0.0, grain: float = 1.0) -> Pixels:
    """Convert light to a picture: vignette, glow, tone curve, grain.

    Args:
        light: (HEIGHT, WIDTH, 3) linear light.
        seed: Seed of the grain.
        exposure: Factor of the light.
        warmth: −1 … 1, blue … yellow.
        grain: Strength; 1 is that of a small camera by day.

    Returns:
        (HEIGHT, WIDTH, 3) uint8 sRGB.
    """
    x, y = pixel_grid()
    falloff = 1 - 0.28 * (((x / WIDTH - 0.5) ** 2 + (y / HEIGHT - 0.5) ** 2) / 0.5) ** 1.3
    lit = scale(np.maximum(light, 0), exposure * falloff)
    lit = blur(lit, 0.55) + 0.05 * blur(np.maximum(lit - 0.7, 0), 24)
    grey = lit @ np.asarray(((0.21,), (0.72,), (0.07,)), np.float32)
    lit = (grey + (lit - grey) * np.float32(0.86)) * np.asarray((1 + 0.08 * warmth, 1, 1 - 0.1 * warmth), np.float32)
    # Narkowicz' fit of the ACES film curve (2015).
    film = np.clip(lit * (2.51 * lit + 0.03) / (lit * (2.43 * lit + 0.59) + 0.14), 0, 1)
    srgb = np.asarray(255 * np.maximum(1.055 * cv2.pow(film, 1 / 2.4) - 0.055, np.minimum(12.92 * film, 0.04)))
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32)
    colour = np.random.default_rng(seed + 1).standard_normal((HEIGHT // 2, WIDTH // 2, 3), dtype=np.float32)
    noise = blur(noise[..., 0], 0.5)[..., None] * 3.4 + cv2.resize(colour, (WIDTH, HEIGHT)) * 0.9
    tone = srgb * np.float32(1 / 255)
    shown = srgb + noise * (0.7 * grain * (0.5 + 2 * tone * (1 - tone))) + 0.5
    return np.clip(shown, 0, 255).astype(np.uint8)
