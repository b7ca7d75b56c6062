"""Brushes for the sample pictures: noise, perspective, light and film, all of them plain functions of arrays.

Colours are linear light, so that shadows, haze and blur add up as they do in a camera; `develop` makes a picture of
them at the end. Everything is made from seeds: the same call gives the same pixels.
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
"""(H, W): one number for each pixel; float32 wherever size matters."""
Light: TypeAlias = NDArray[np.float32]
"""(H, W, 3) float32: linear light, 1 = a white thing in the sun."""
Colour: TypeAlias = tuple[float, float, float]

WIDTH, HEIGHT = 1280, 960


def rgb(code: str) -> Colour:
    """Linear light of an sRGB colour written ``rrggbb``."""
    srgb = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (((value + 0.055) / 1.055) ** 2.4 for value in srgb)
    return red, green, blue


def grid(top: float = 0, bottom: float = HEIGHT, left: float = 0, right: float = WIDTH) -> tuple[Field, Field]:
    """The x and y of each pixel in a part of the picture, counted from the picture's upper left corner."""
    x = np.arange(int(left), int(right), dtype=np.float32)
    y = np.arange(int(top), int(bottom), dtype=np.float32)
    return np.broadcast_to(x, (y.size, x.size)), np.broadcast_to(y[:, None], (y.size, x.size))


def step(low: float, high: float, value: Field) -> Field:
    """Smooth step: 0 below `low`, 1 above `high` (or the other way round where `low` > `high`)."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    smooth: Field = t * t * (3 - 2 * t)
    return smooth


def mix(first: Light | Colour, second: Light | Colour, share: Field) -> Light:
    """From `first` (where `share` is 0) to `second` (where it is 1)."""
    mixed = np.empty((*share.shape, 3), np.float32)
    for channel in range(3):
        # Channel by channel: broadcasting over a last axis of 3 is several times slower.
        one, two = (np.asarray(light, np.float32)[..., channel] for light in (first, second))
        mixed[..., channel] = one + (two - one) * share
    return mixed


def times(light: Light | Colour, level: Field) -> Light:
    """Light made brighter or darker, pixel by pixel."""
    lit = np.empty((*level.shape, 3), np.float32)
    for channel in range(3):
        lit[..., channel] = np.asarray(light, np.float32)[..., channel] * level
    return lit


def ramp(stops: list[tuple[float, Colour]], value: Field) -> Light:
    """Colours along `value`, between the stops that stand in rising order."""
    at = [stop for stop, _ in stops]
    colours = np.empty((*value.shape, 3), np.float32)
    for channel in range(3):
        colours[..., channel] = np.interp(value, at, [colour[channel] for _, colour in stops])
    return colours


@lru_cache(maxsize=16)
def texture(seed: int, side: int = 512, slope: float = 1.0, coarsest: float = 2.0) -> Field:
    """Noise that repeats without a seam: (side, side), mean 0, standard deviation 1.

    Args:
        seed: Another one gives another noise.
        side: Of the tile, in texels.
        slope: Amplitude falls as frequency to this power: 0 is white, 1 cloudy, 1.6 smooth hills.
        coarsest: Waves longer than side / coarsest are left out.
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


def sample(tile: Field, u: Field, v: Field, *, coarse: float | Field = 0.0) -> Field:
    """A texture read at (u, v), in tiles (1 is once across); it repeats.

    Args:
        tile: From `texture`.
        u: Across, (H, W).
        v: Down, (H, W).
        coarse: How many times the texture is halved before it is read, a number, or (H, 1) for each row: what is far
            away is read coarsely, or it would flicker.
    """
    level = np.broadcast_to(np.asarray(coarse, np.float32), (u.shape[0], 1))[:, 0]
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
    # Half a texel towards the corner, and one for the border that makes the tile go on at its edges.
    across, down = ((axis - np.floor(axis)) * np.float32(side) + np.float32(0.5) for axis in (u, v))
    padded = cv2.copyMakeBorder(tile, 1, 2, 1, 2, cv2.BORDER_WRAP)
    read = cv2.remap(padded, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


@dataclass(frozen=True, slots=True)
class Plane:
    """A level plane seen in perspective: the ground below the horizon, or the clouds above it.

    Attributes:
        across: Metres to the right of the camera, (H, W).
        away: Metres from the camera, (H, W).
    """

    across: Field
    away: Field

    def coarse(self, texel: float) -> Field:
        """How often a texture with texels of so many metres must be halved in each row, (H, 1); see `sample`."""
        deep = np.abs(np.gradient(self.away[:, :1], axis=0))
        wide = self.away[:, :1] / FOCAL
        return np.asarray(np.log2(np.maximum(np.sqrt(deep * wide) / texel, 1)), np.float32)


FOCAL = 1300.0
"""Focal length in pixels: a normal lens, 52° across."""


def plane(horizon: float, height: float, top: float, bottom: float) -> Plane:
    """A level plane in the rows from `top` to `bottom`.

    Args:
        horizon: Row of the horizon.
        height: Metres that the plane lies below the camera; negative: above it.
        top: First row.
        bottom: Row after the last.
    """
    x, y = grid(top, bottom)
    away = height * FOCAL / np.where(height > 0, np.maximum(y - horizon, 0.5), np.minimum(y - horizon, -0.5))
    away = np.asarray(away, np.float32)
    return Plane((x - WIDTH / 2) * away / np.float32(FOCAL), away)


def shape(*outlines: list[tuple[float, float]], blur: float = 0.6) -> Field:
    """Polygons filled with 1, their edges soft by `blur` pixels."""
    points = [np.asarray(outline, np.float64) for outline in outlines]
    margin = 3 * blur + 2
    left, top = np.maximum(np.floor(np.min([corners.min(0) for corners in points], 0) - margin), 0).astype(int)
    right, bottom = np.minimum(np.max([corners.max(0) for corners in points], 0) + margin, (WIDTH, HEIGHT)).astype(int)
    part = np.zeros((max(1, bottom - top), max(1, right - left)), np.uint8)
    for corners in points:
        cv2.fillPoly(part, [np.round((corners - (left, top)) * 16).astype(np.int32)], (255,), cv2.LINE_AA, shift=4)
    whole = np.zeros((HEIGHT, WIDTH), np.float32)
    whole[top:bottom, left:right] = soften(part / np.float32(255), blur)
    return whole


def curve(*corners: tuple[float, float], parts: int = 24) -> list[tuple[float, float]]:
    """A Bézier curve over its corners (2 … n of them)."""
    t = np.linspace(0, 1, parts)[:, None, None]
    points = np.broadcast_to(np.asarray(corners, np.float64), (parts, len(corners), 2))
    while points.shape[1] > 1:
        points = points[:, :-1] * (1 - t) + points[:, 1:] * t
    return [(float(x), float(y)) for x, y in points[:, 0]]


def soften(field: Field | Light, radius: float, *, down: float | None = None) -> NDArray[np.float32]:
    """Gaussian blur by `radius` pixels across, and `down` pixels down (the same where not told)."""
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


def develop(light: Light, seed: int, *, exposure: float = 1.0, warmth: float = 0.0, grain: float = 1.0) -> Pixels:
    """From light to a picture: lens falloff, glow, film's shoulder, grain.

    Args:
        light: (HEIGHT, WIDTH, 3) linear light.
        seed: Of the grain.
        exposure: Times the light.
        warmth: −1 … 1: bluer … yellower.
        grain: 1 is that of a small camera by day.

    Returns:
        (HEIGHT, WIDTH, 3) uint8 sRGB.
    """
    x, y = grid()
    falloff = 1 - 0.28 * (((x / WIDTH - 0.5) ** 2 + (y / HEIGHT - 0.5) ** 2) / 0.5) ** 1.3
    lit = times(np.maximum(light, 0), exposure * falloff)
    lit = soften(lit, 0.55) + 0.05 * soften(np.maximum(lit - 0.7, 0), 24)
    grey = lit @ np.asarray(((0.21,), (0.72,), (0.07,)), np.float32)
    lit = (grey + (lit - grey) * np.float32(0.86)) * np.asarray((1 + 0.08 * warmth, 1, 1 - 0.1 * warmth), np.float32)
    # Narkowicz' fit of the ACES film curve (2015).
    film = np.clip(lit * (2.51 * lit + 0.03) / (lit * (2.43 * lit + 0.59) + 0.14), 0, 1)
    srgb = np.asarray(255 * np.maximum(1.055 * cv2.pow(film, 1 / 2.4) - 0.055, np.minimum(12.92 * film, 0.04)))
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32)
    colour = np.random.default_rng(seed + 1).standard_normal((HEIGHT // 2, WIDTH // 2, 3), dtype=np.float32)
    noise = soften(noise[..., 0], 0.5)[..., None] * 3.4 + cv2.resize(colour, (WIDTH, HEIGHT)) * 0.9
    tone = srgb * np.float32(1 / 255)
    shown = srgb + noise * (0.7 * grain * (0.5 + 2 * tone * (1 - tone))) + 0.5
    return np.clip(shown, 0, 255).astype(np.uint8)
