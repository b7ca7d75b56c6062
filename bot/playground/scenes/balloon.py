"""A hot-air balloon over a meadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Mask, Pixels
from bot.playground import painting as p
from bot.playground.painting import Field, Light, rgb
from bot.playground.scenes import outdoors

_HORIZON = 704
_GORES = 24
"""Number of cloth panels."""


def paint() -> tuple[Pixels, Mask]:
    """The picture, (H, W, 3) uint8 sRGB, and its subject, (H, W) uint8."""
    light = np.zeros((p.HEIGHT, p.WIDTH, 3), np.float32)
    light[:_HORIZON] = outdoors.sky(_HORIZON, 11, "4a82bd", "cbdcea", clouds=0.42)
    _hills(light)
    light[_HORIZON:] = _meadow()
    outdoors.blades(light[_HORIZON + 24 :], _HORIZON + 24, _HORIZON, count=6500, length=58, seed=47)
    where = np.zeros((p.HEIGHT, p.WIDTH), np.float32)
    box = (slice(90, 640), slice(470, 920))
    balloon, where[box] = _balloon(cx=694, top=176, radius=160, tall=372)
    light[box] = p.mix(light[box], balloon, where[box])
    return p.expose(light, 31, exposure=0.95, warmth=0.3), outdoors.to_mask(where)


def _hills(light: Light) -> None:
    rows = (_HORIZON - 130, _HORIZON)
    x, y = p.pixel_grid(*rows)
    part = light[rows[0] : rows[1]]
    rough = p.read_texture(p.noise_tile(25, slope=0.8), x / 900, y / 420)
    for height, seed, code, haze in ((112, 21, "58707a", 0.66), (72, 22, "4a6848", 0.42)):
        skyline = outdoors.ridge(rows, _HORIZON, height, seed, slope=2.0, wave=1.9)
        tint = p.mix(p.scale(rgb(code), 1 + 0.25 * rough), rgb("b9cfdf"), np.full_like(x, haze))
        part[:] = p.mix(part, tint, skyline)
    leaves = p.read_texture(p.noise_tile(24, slope=0.5), x / 420, y / 420)
    trees = outdoors.ridge(rows, _HORIZON + 2, 34, 23, slope=1.1, wave=1.2)
    foliage = p.mix(p.scale(rgb("4a6330"), np.clip(1 + 0.42 * leaves, 0.3, 2)), rgb("b9cfdf"), np.full_like(x, 0.12))
    part[:] = p.mix(part, foliage, trees)


def _meadow() -> Light:
    ground = p.level_plane(_HORIZON - 1, 2.2, _HORIZON, p.HEIGHT)
    u, v = ground.across, ground.away
    broad = p.read_texture(p.noise_tile(41, slope=1.3), u / 160, v / 160, halvings=ground.halvings(0.31))
    tufts = p.read_texture(p.noise_tile(42, slope=0.75), u / 7, v / 11, halvings=ground.halvings(0.014))
    fine = p.read_texture(p.noise_tile(43, slope=0.3), u / 2.2, v / 9, halvings=ground.halvings(0.004) * 0.8)
    green = p.gradient([(-2.2, rgb("42602b")), (0, rgb("71903f")), (2.2, rgb("a9ab5c"))], broad + 0.35 * tufts)
    green = p.scale(green, np.clip(0.9 + 0.2 * tufts + 0.24 * fine, 0.25, 2))
    specks = p.read_texture(p.noise_tile(44, slope=0.0), u / 9, v / 15, halvings=ground.halvings(0.018) * 0.4)
    flowers = p.smoothstep(0.0, 1.4, p.read_texture(p.noise_tile(45, slope=1.2), u / 60, v / 60)) * p.smoothstep(
        2.3, 2.9, specks
    )
    green = p.mix(green, (1.0, 0.9, 0.45), flowers * 0.8)
    clouded = p.smoothstep(0.3, 1.2, p.read_texture(p.noise_tile(41, slope=1.3), u / 1500 + 0.4, v / 1500))
    return p.mix(p.scale(green, 1 - 0.3 * clouded), rgb("9db48f"), 0.55 * p.smoothstep(60, 1200, v))


def _balloon(cx: float, top: float, radius: float, tall: float) -> tuple[Light, Field]:
    """Envelope, ropes and basket, and their mask, in the part of the picture that `paint` passes."""
    x, y = p.pixel_grid(90, 640, 470, 920)
    t = np.clip((y - top) / tall, 0, 1)
    half = (_profile(t[:, :1]) * radius).astype(np.float32)
    around = np.arcsin(np.clip((x - cx) / np.maximum(half, 1), -0.999, 0.999))
    envelope = (
        p.smoothstep(1.0, -1.0, np.abs(x - cx) - half)
        * p.smoothstep(-0.8, 0.8, y - top)
        * p.smoothstep(0.8, -0.8, y - top - tall)
    )
    gores = around * np.float32(_GORES / (2 * np.pi)) + np.float32(0.2)
    bulge = gores - np.floor(gores) - 0.5
    lean = np.gradient(half, axis=0)
    bent = around + 0.36 * bulge
    facing = outdoors.SUN[0] * np.sin(bent) - outdoors.SUN[1] * lean + outdoors.SUN[2] * np.cos(bent)
    facing = facing / np.sqrt(1 + lean**2)
    cloth = p.mix(rgb("d3241d"), rgb("ae1119"), p.smoothstep(-0.05, 0.05, np.sin(np.pi * gores)))
    cloth = p.mix(cloth, rgb("f0b03c"), p.smoothstep(0.004, 0.0, np.abs(t - 0.575 + 0.035 * np.cos(around)) - 0.026))
    wrinkles = p.read_texture(p.noise_tile(51, slope=0.9), gores / 5, t)
    # Cloth is translucent: the side away from the sun glows.
    level = 0.36 + 0.8 * np.clip(facing, 0, 1) + 0.1 * np.clip(-facing, 0, 1) + 0.025 * wrinkles
    seams = 1 - 0.3 * p.smoothstep(0.45, 0.5, np.abs(bulge)) * np.cos(around)
    light = p.scale(cloth, level * seams * (1 - 0.45 * p.smoothstep(0.9, 1.0, t)))
    light += (0.14 * np.clip(facing, 0, 1) ** 20)[..., None]
    foot, deck, wide = top + tall, top + tall + 14, 26.0
    ropes = [
        [(cx + side * 38, foot - 4), (cx + side * 38 + 4, foot - 4), (cx + side * wide + 2, deck + 3),
         (cx + side * wide - 2, deck + 3)]
        for side in (-0.9, -0.35, 0.35, 0.9)
    ]  # fmt: skip
    basket = [(cx - wide, deck), (cx + wide, deck)]
    basket += p.bezier((cx + wide * 0.92, deck + 36), (cx, deck + 43), (cx - wide * 0.92, deck + 36))
    weave = (0.75 + 0.25 * np.sin(x * 1.1) * np.sin(y * 1.3)) * (0.8 + 0.45 * np.clip((x - cx) / wide, -1, 1))
    hung, box = (p.fill_polygons(*outlines)[90:640, 470:920] for outlines in (ropes, [basket]))
    light = p.mix(p.mix(light, rgb("3a1d12"), hung * (1 - envelope)), p.scale(rgb("8a5628"), weave), box)
    return light, np.maximum(np.maximum(envelope, hung), box)


def _profile(t: NDArray[np.float32]) -> NDArray[np.float32]:
    """The envelope's half width, 0 … 1, from its top (0) to its mouth (1)."""
    dome = np.sqrt(np.clip(1 - ((0.43 - t) / 0.43) ** 2, 0, 1))
    taper = 0.2 + 0.8 * (1 - np.clip((t - 0.43) / 0.57, 0, 1) ** 1.75)
    return np.asarray(np.where(t < 0.43, dome, taper), np.float32)
