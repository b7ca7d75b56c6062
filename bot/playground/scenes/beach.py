"""A parasol on a beach, with a person walking by."""

from __future__ import annotations

import numpy as np

from bot.imaging.photo import Mask, Pixels
from bot.playground import painting as p
from bot.playground.painting import Colour, Field, Light, rgb
from bot.playground.scenes import outdoors

_HORIZON = 250
_SHORE = 424
_CX, _RIM, _FOOT = 560.0, 640.0, 812.0
"""The parasol's middle, the row of its rim, and the row of its pole's foot."""
_RADIUS, _DOME, _SEEN_FROM = 214.0, 128.0, 0.3
"""Half the canopy's width and its height in pixels, and the camera's elevation in radians."""
_HERE = (slice(480, 880), slice(270, 800))
_BESIDE = (slice(420, 630), slice(860, 1060))
"""The rows and columns that contain the parasol and the walker."""
_PANELS = 10
_LEAN = -0.13
"""The parasol's tilt, radians; negative: to the left."""


def paint() -> tuple[Pixels, Mask]:
    """The picture, (H, W, 3) uint8 sRGB, and its subject, (H, W) uint8."""
    light = np.zeros((p.HEIGHT, p.WIDTH, 3), np.float32)
    light[:_HORIZON] = outdoors.sky(_HORIZON, 101, "5b93c6", "d3e2ea", clouds=0.22, metres=12000)
    light[_HORIZON:] = _shore(_sea(), _sand())
    walker = light[_BESIDE]
    for colours, cover in _walker(986, 600, 0.94):
        walker[:] = p.mix(walker, colours, cover)
    where = np.zeros((p.HEIGHT, p.WIDTH), np.float32)
    light[_HERE], where[_HERE] = _parasol(light[_HERE])
    return p.expose(light, 111, exposure=0.9, warmth=0.25), outdoors.to_mask(where)


def _parasol(sand: Light) -> tuple[Light, Field]:
    """The parasol and its shadow on the sand; where the parasol is."""
    x, y = p.pixel_grid(_HERE[0].start, _HERE[0].stop, _HERE[1].start, _HERE[1].stop)
    light = p.scale(sand, 1 - 0.5 * p.blur(_oval(x, y, _CX - 96, _FOOT - 6, 176, 26), 5))
    pole = p.fill_polygons([(_CX - 7, _RIM - 40), (_CX + 5, _RIM - 40), (_CX + 27, _FOOT), (_CX + 15, _FOOT + 2)])[
        _HERE
    ]
    wood = p.scale(rgb("6b3f22"), 0.7 + 0.05 * np.clip(x - _CX - 4 - 0.13 * (y - _RIM + 40), -6, 6))
    light = p.mix(light, wood, pole)
    canopy, cover = _canopy(x, y)
    return p.mix(light, canopy, cover), np.maximum(cover, pole)


def _oval(x: Field, y: Field, column: float, row: float, wide: float, tall: float) -> Field:
    return p.smoothstep(1.04, 0.96, np.hypot((x - column) / wide, (y - row) / tall))


def _sea() -> Light:
    _, y = p.pixel_grid(_HORIZON, _SHORE + 60)
    water = p.level_plane(_HORIZON - 1, 6, _HORIZON, _SHORE + 60)
    u, v = water.across, water.away
    waves = p.read_texture(p.noise_tile(102, slope=1.0), u / 130, v / 46, halvings=water.halvings(0.15))
    chop = p.read_texture(p.noise_tile(103, slope=0.6), u / 30, v / 12, halvings=water.halvings(0.04))
    depth = np.clip((y - _HORIZON) / (_SHORE - _HORIZON), 0, 1.3)
    colours = [
        (0.0, rgb("5f89a3")),
        (0.35, rgb("6b96a8")),
        (0.75, rgb("8bb0b0")),
        (1.0, rgb("adc4b8")),
        (1.3, rgb("c9d2bd")),
    ]
    sea = p.gradient(colours, depth + 0.05 * waves)
    sea = p.scale(sea, np.clip(0.92 + 0.13 * waves + 0.13 * chop, 0.4, 1.6))
    return p.mix(
        sea, (0.95, 0.97, 0.97), 0.75 * p.smoothstep(1.7, 2.5, waves + 0.45 * chop) * p.smoothstep(0.1, 0.5, depth)
    )


def _sand() -> Light:
    ground = p.level_plane(_HORIZON - 60, 2.6, _HORIZON, p.HEIGHT)
    u, v = ground.across, ground.away
    broad = p.read_texture(p.noise_tile(104, slope=1.5), u / 13, v / 13, halvings=ground.halvings(0.025))
    dents, dents_lit = (
        p.read_texture(p.noise_tile(105, slope=1.15), u / 2.6 + off, v / 2.6 - off, halvings=ground.halvings(0.005))
        for off in (0.0, 0.006)
    )
    grains = p.read_texture(p.noise_tile(106, slope=0.0), u / 1.3, v / 1.3, halvings=ground.halvings(0.0025) * 0.9)
    sand = p.gradient([(-2, rgb("c2a077")), (0, rgb("d8bb90")), (2, rgb("e6cfa8"))], broad + 0.2 * dents)
    return p.scale(sand, np.clip(0.88 + 0.2 * (dents - dents_lit) + 0.09 * grains, 0.45, 1.4))


def _shore(sea: Light, sand: Light) -> Light:
    """The shoreline: an edge of foam, and wet sand."""
    x, y = p.pixel_grid(_HORIZON, p.HEIGHT)
    edge = _SHORE + 9 * p.read_texture(p.noise_tile(107, slope=1.6), x / 1900, np.full_like(x, 0.2)) + 0.012 * (x - 640)
    wet = p.smoothstep(80, 10, y - edge)
    sand = p.mix(sand, p.mix(p.scale(sand, np.full_like(x, 0.55)), rgb("a9bcc0"), 0.25 * wet), wet)
    beach = sand.copy()
    part = slice(0, sea.shape[0])
    x, y, edge = x[part], y[part], edge[part]
    beach[part] = p.mix(sea, sand[part], p.smoothstep(-1.5, 1.5, y - edge))
    lace = p.read_texture(p.noise_tile(108, slope=0.9), x / 620, y / 210)
    for middle, wide, strength in ((0, 7, 0.95), (-26, 10, 0.8), (-62, 8, 0.6)):
        far = np.abs(y - edge - middle - 5 * lace * (middle < 0)) / wide
        foam = p.smoothstep(1.25, 0.2, far + 0.33 * lace + (0.5 if middle else 0.0))
        beach[part] = p.mix(beach[part], (0.98, 0.99, 0.98), foam * strength)
    return beach


def _canopy(x: Field, y: Field) -> tuple[Light, Field]:
    """A paraboloid of striped cloth, seen from slightly above; each pixel is intersected with it."""
    turn_x = (x - _CX) * np.cos(_LEAN) + (y - _RIM) * np.sin(_LEAN)
    turn_y = -(x - _CX) * np.sin(_LEAN) + (y - _RIM) * np.cos(_LEAN)
    flat, high = _RADIUS * np.sin(_SEEN_FROM), _DOME * np.cos(_SEEN_FROM)
    a = turn_x / _RADIUS
    # y = b·flat − high·(1 − a² − b²), the greater root of which is the side that is seen.
    square = flat**2 + 4 * high * (high * (1 - a * a) + turn_y)
    b = (np.sqrt(np.maximum(square, 0)) - flat) / (2 * high)
    out, around = np.hypot(a, b), np.arctan2(b, a)
    panel = around * _PANELS / (2 * np.pi) + 0.25
    within = panel - np.floor(panel) - 0.5
    # The hem is drawn in between two ribs.
    hem = 1 - 0.055 * np.cos(np.pi * within) ** 2
    cover = p.smoothstep(0.008, -0.008, out - hem) * p.smoothstep(-150.0, 250.0, square)
    stripes = p.mix(rgb("e04a22"), rgb("ab1c48"), p.smoothstep(-0.05, 0.05, np.sin(np.pi * panel)))
    bent = around + 0.5 * within
    normal_x, normal_y = 2 * _DOME / _RADIUS * out * np.cos(bent), 2 * _DOME / _RADIUS * out * np.sin(bent)
    length = np.sqrt(1 + normal_x**2 + normal_y**2)
    facing = (0.5 * normal_x + 0.25 * normal_y + 0.83) / length
    weave = p.read_texture(p.noise_tile(25, slope=0.8), x / 420, y / 420)
    level = 0.3 + 0.72 * np.clip(facing, 0, 1) + 0.02 * weave
    ribs = 1 - 0.2 * p.smoothstep(0.46, 0.5, np.abs(within))
    border = 1 - 0.12 * p.smoothstep(0.05, 0.04, np.abs(hem - out))
    return p.scale(stripes, level * ribs * border), np.asarray(cover, np.float32)


def _walker(x: float, y: float, size: float) -> list[tuple[Light | Colour, Field]]:
    """A person walking along the water, feet at (x, y); layers from the shadow to the hat."""

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + across * size, y - up * size) for across, up in points]

    def shape(*points: tuple[float, float]) -> Field:
        return p.fill_polygons(at(*points))[_BESIDE]

    def oval(across: float, up: float, wide: float, tall: float) -> Field:
        outline = np.linspace(0, 2 * np.pi, 40)
        return shape(*((across + wide * np.cos(t), up + tall * np.sin(t)) for t in outline))

    columns, _ = p.pixel_grid(_BESIDE[0].start, _BESIDE[0].stop, _BESIDE[1].start, _BESIDE[1].stop)
    side = np.clip((columns - x) / (18 * size), -1, 1)
    skin, shirt, trousers = (p.scale(rgb(code), 0.72 + 0.35 * side) for code in ("a8704c", "e8e4da", "34506e"))
    back_leg = shape((2, 74), (12, 74), (-2, 38), (-18, 6), (-26, 2), (-27, 8), (-12, 40), (-8, 74))
    front_leg = shape((-8, 74), (10, 74), (18, 38), (21, 5), (30, 1), (16, 0), (9, 38))
    shorts = shape((-10, 88), (11, 88), (19, 48), (7, 46), (0, 64), (-9, 44), (-20, 50))
    body = shape((-12, 134), (0, 139), (12, 134), (15, 104), (12, 84), (-12, 84), (-14, 106))
    back_arm = shape((-10, 132), (-22, 106), (-26, 84), (-20, 83), (-15, 104), (-4, 126))
    front_arm = shape((8, 132), (20, 106), (32, 88), (27, 84), (13, 102), (2, 124))
    hat = shape((-17, 158), (17, 158), (16, 161), (9, 163), (7, 171), (-7, 171), (-9, 163), (-16, 161))
    shadow = p.blur(shape((22, 2), (-22, 8), (-108, 8), (-112, 2), (-30, -6), (20, -4)), 2.0)
    return [
        (rgb("6d5a45"), 0.5 * shadow),
        (skin, back_arm),
        (p.scale(rgb("8a5a3c"), 0.8 + 0.3 * side), back_leg),
        (skin, front_leg),
        (trousers, shorts),
        (shirt, body),
        (skin, front_arm),
        (skin, oval(1, 149, 8.5, 11)),
        (p.scale(rgb("c9a86a"), 0.75 + 0.3 * side), hat),
    ]
