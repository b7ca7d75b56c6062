"""A sailing boat on a lake among mountains."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Mask, Pixels
from bot.playground import painting as p
from bot.playground.painting import Colour, Field, Light, rgb
from bot.playground.scenes import outdoors

_HORIZON = 500
_WATERLINE = 668
"""Row of the boat's waterline."""
_BOX = (slice(200, 690), slice(400, 830))
"""The rows and columns that contain the boat."""
_AIR = "b4c6d8"


def paint() -> tuple[Pixels, Mask]:
    """The picture, (H, W, 3) uint8 sRGB, and its subject, (H, W) uint8."""
    light = np.zeros((p.HEIGHT, p.WIDTH, 3), np.float32)
    light[:_HORIZON] = outdoors.sky(_HORIZON, 80, "3c74b4", "d5e2ea", clouds=0.2, metres=8000)
    _shore(light)
    boat, where = np.zeros_like(light), np.zeros(light.shape[:2], np.float32)
    boat[_BOX], where[_BOX] = _boat(612, _WATERLINE)
    light[_HORIZON:] = _lake(light[:_HORIZON], boat, where)
    light = p.mix(light, boat, where)
    return p.expose(light, 71, exposure=0.95, warmth=0.15), outdoors.to_mask(where)


def _shore(light: Light) -> None:
    rows = (90, _HORIZON)
    x, y = p.pixel_grid(*rows)
    part = light[rows[0] : rows[1]]
    crags = p.read_texture(p.noise_tile(62, slope=1.3), x / 700, y / 520)
    lit = crags - p.read_texture(p.noise_tile(62, slope=1.3), x / 700 + 0.012, y / 520 - 0.012)
    for height, seed, code, haze, contrast in ((410, 122, "566a80", 0.5, 0.35), (300, 66, "3f5c5c", 0.3, 0.4)):
        skyline = outdoors.ridge(rows, _HORIZON, height, seed, slope=2.0, wave=1.7)
        level = np.clip(0.85 + contrast * lit + 0.12 * crags, 0.25, 2)
        mist = np.clip(haze + 0.25 * p.smoothstep(_HORIZON - 150, _HORIZON, y), 0, 1)
        part[:] = p.mix(part, p.mix(p.scale(rgb(code), level), rgb(_AIR), mist), skyline)
    crowns = p.read_texture(p.noise_tile(24, slope=0.5), x / 300, y / 360)
    for height, seed, code, haze in ((112, 65, "3c5548", 0.3), (58, 23, "42583a", 0.18)):
        trees = outdoors.ridge(rows, _HORIZON + 4, height, seed, slope=1.4, wave=1.1)
        leaves = p.scale(rgb(code), np.clip(0.9 + 0.4 * crowns, 0.2, 2))
        part[:] = p.mix(part, p.mix(leaves, rgb(_AIR), np.full_like(x, haze)), trees)


def _lake(above: Light, boat: Light, where: Field) -> Light:
    """The lake: reflections of the shore and the boat over deep green water."""
    x, y = p.pixel_grid(_HORIZON, p.HEIGHT)
    water = p.level_plane(_HORIZON - 1, 2.6, _HORIZON, p.HEIGHT)
    u, v = water.across, water.away
    swell = p.read_texture(p.noise_tile(67, slope=1.4), u / 26, v / 17, halvings=water.halvings(0.05))
    ripples = p.read_texture(p.noise_tile(68, slope=1.25), u / 8, v / 5.5, halvings=water.halvings(0.016))
    gusts = p.read_texture(p.noise_tile(69, slope=1.4), u / 190, v / 260)
    tilt = (0.65 * swell + 0.55 * ripples) * (1 + 0.25 * np.clip(gusts, -1.5, 1.5))
    # A facet that tilts towards the camera reflects what is higher up, more so when it is near.
    lift = np.clip(tilt + 1.1, 0, 4) * (5 + 0.09 * (y - _HORIZON))
    aside = swell * (2 + 0.02 * (y - _HORIZON))
    mirrored = np.minimum(2 * _HORIZON - y - lift, _HORIZON - 1)
    seen = cv2.remap(above, x + aside, mirrored, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    rows = 2 * _WATERLINE - y - tilt * (3 + 0.03 * (y - _HORIZON))
    mirrored_boat = cv2.remap(boat, x + 2 * aside, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.remap(where, x + 2 * aside, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    share = (
        p.blur(np.asarray(share, np.float32), 7, down=10)
        * p.smoothstep(_WATERLINE - 6, _WATERLINE + 6, y)
        * p.smoothstep(900, 690, y)
    )
    seen = p.mix(np.asarray(seen, np.float32), np.asarray(mirrored_boat, np.float32), 0.1 * share)
    grazing = np.clip(0.1 + 0.52 * (1 - (y - _HORIZON) / (p.HEIGHT - _HORIZON)) ** 1.5 - 0.16 * tilt, 0.06, 0.95)
    deep = p.scale(rgb("1d4656"), np.clip(0.85 + 0.22 * tilt, 0.3, 2))
    lake = p.mix(deep, seen, grazing)
    glints = p.smoothstep(1.9, 2.7, tilt + 0.3 * gusts) * 0.5
    return p.mix(lake, (1.3, 1.28, 1.2), glints)


def _grid() -> tuple[Field, Field]:
    return p.pixel_grid(_BOX[0].start, _BOX[0].stop, _BOX[1].start, _BOX[1].stop)


def _shape(*outlines: list[tuple[float, float]]) -> Field:
    return p.fill_polygons(*outlines)[_BOX]


def _cloth(outline: list[tuple[float, float]], across: Field, colour: Colour) -> tuple[Light, Field]:
    """A sail; `across` is 0 at its leading edge and 1 at the trailing edge."""
    x, y = _grid()
    seams = 1 - 0.1 * p.smoothstep(0.42, 0.5, np.abs((y + 0.22 * x) / 34 % 1 - 0.5))
    weave = p.read_texture(p.noise_tile(25, slope=0.8), x / 500, y / 700)
    level = 0.66 + 0.42 * np.sin(np.pi * np.clip(0.12 + 0.75 * across, 0, 1)) + 0.02 * weave
    return p.scale(colour, level * seams), _shape(outline)


def _boat(cx: float, waterline: float) -> tuple[Light, Field]:
    """Sails, mast, people and hull, and their mask."""
    x, y = _grid()
    mast, boom, head = cx + 8, waterline - 62, waterline - 420
    main = [*p.bezier((mast, head), (mast - 66, head + 150), (cx - 150, boom - 6)), (mast, boom)]
    jib = [(mast + 6, head + 40), *p.bezier((mast + 8, head + 40), (mast + 74, boom - 120), (cx + 148, waterline - 42))]
    jib += p.bezier((cx + 148, waterline - 42), (cx + 80, boom + 4), (mast + 14, boom - 12))
    sheer = p.bezier((cx - 168, waterline - 34), (cx - 20, waterline - 22), (cx + 176, waterline - 46))
    keel = p.bezier((cx + 176, waterline - 46), (cx + 150, waterline - 4), (cx + 96, waterline + 4))
    stern = p.bezier((cx - 150, waterline + 4), (cx - 164, waterline - 12), (cx - 168, waterline - 34))
    hull = [*sheer, *keel, (cx - 150, waterline + 4), *stern]
    light, where = np.zeros((*x.shape, 3), np.float32), np.zeros(x.shape, np.float32)
    down = np.clip((y - head) / (boom - head), 0.02, 1)
    planks = 1 - 0.16 * p.smoothstep(0.4, 0.5, np.abs((y + 0.00035 * (x - cx) ** 2) / 9 % 1 - 0.5))
    wood = planks * (0.62 + 0.5 * np.clip((waterline - y) / 44, 0, 1)) + 0.1 * p.smoothstep(cx, cx + 180, x)
    spars = [
        [(mast - 2, head - 5), (mast + 2, head - 5), (mast + 3, waterline - 26), (mast - 3, waterline - 26)],
        [(mast, boom), (mast, boom + 6), (cx - 156, boom + 1), (cx - 156, boom - 4)],
    ]
    layers = [
        _cloth(main, (mast - x) / (168 * down), rgb("f3ead6")),
        _cloth(jib, (x - mast) / (150 * down), rgb("f6f0e2")),
        (p.scale(rgb("6b4a2c"), 1 + 0 * x), _shape(*spars)),
        *_sailor(cx - 104, waterline - 27, rgb("c8321f")),
        *_sailor(cx - 58, waterline - 26, rgb("e0a526")),
        (p.scale(rgb("7f3119"), wood), _shape(hull)),
        (p.scale(rgb("cdb98c"), 1 + 0 * x), _shape([*sheer, *[(a, b + 7) for a, b in reversed(sheer)]])),
    ]
    for paint_of, cover in layers:
        light = p.mix(light, paint_of, cover)
        where = np.maximum(where, cover)
    return light, where


def _sailor(x: float, y: float, jacket: Colour) -> list[tuple[Light, Field]]:
    """A person sitting in the boat, visible from the chest up."""
    columns, rows = _grid()
    body = p.bezier((x - 15, y + 4), (x - 13, y - 30), (x, y - 31)) + p.bezier(
        (x, y - 31), (x + 13, y - 30), (x + 15, y + 4)
    )
    shade = 0.75 + 0.3 * np.clip((columns - x) / 15, -1, 1)
    head = np.hypot(columns - x, (rows - y + 36) * 0.86)
    skin = p.mix(rgb("c58a66"), rgb("4a3020"), p.smoothstep(y - 38, y - 41, rows))
    return [(p.scale(jacket, shade), _shape(body)), (p.scale(skin, shade), p.smoothstep(7.6, 6.4, head))]
