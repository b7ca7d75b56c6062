"""A mug of coffee on a wooden table, lights out of focus behind it."""

from __future__ import annotations

import numpy as np

from bot.imaging.photo import Mask, Pixels
from bot.playground import painting as p
from bot.playground.painting import Field, Light, rgb
from bot.playground.scenes import outdoors

_EDGE = 330
"""Row of the table's far edge."""
_BOX = (slice(400, 800), slice(480, 900))
"""The rows and columns that contain the mug."""
_CX, _RIM, _FOOT = 650.0, 452.0, 732.0
_HALF, _TILT = 122.0, 0.24
"""Half the mug's width in pixels, and the ratio of its rim's half axes, short to long."""


def paint() -> tuple[Pixels, Mask]:
    """The picture, (H, W, 3) uint8 sRGB, and its subject, (H, W) uint8."""
    room = _room()
    light = room.copy()
    light[_EDGE:] = _table(room)
    _, y = p.pixel_grid(_EDGE - 14, _EDGE + 40)
    # The table's far edge is out of focus too.
    seam = light[_EDGE - 14 : _EDGE + 40]
    seam[:] = p.mix(seam, p.blur(seam, 2, down=5), p.smoothstep(_EDGE + 36, _EDGE + 4, y))
    where = np.zeros((p.HEIGHT, p.WIDTH), np.float32)
    mug, where[_BOX] = _mug()
    light[_BOX] = p.mix(light[_BOX], mug, where[_BOX])
    return p.expose(light, 91, exposure=0.92, warmth=0.45), outdoors.to_mask(where)


def _room() -> Light:
    x, y = p.pixel_grid()
    dusk = p.gradient([(0, rgb("2c2a35")), (0.5, rgb("4f3f3a")), (1, rgb("7a5a40"))], y / _EDGE * 0.9 + 0.1)
    patches = p.read_texture(p.noise_tile(81, slope=1.9), x / 1500, y / 1500)
    light = p.scale(dusk, np.clip(0.62 + 0.22 * patches, 0.15, 2))
    rng = np.random.default_rng(82)
    lamps = np.zeros((p.HEIGHT, p.WIDTH, 3), np.float32)
    colours = [rgb(code) for code in ("ffb45e", "ffd79a", "ff8d4a", "ffe9c4", "9fc4d8", "d9e0a8")]
    for _ in range(46):
        column, row = rng.random() * p.WIDTH, rng.random() ** 0.8 * (_EDGE - 30)
        bright, size = rng.gamma(2.0, 0.45), int(rng.integers(18, 44))
        _lamp(lamps, column, row, size, np.asarray(colours[int(rng.integers(len(colours)))]) * 0.34 * bright)
    return light + lamps


def _lamp(lamps: Light, column: float, row: float, size: int, colour: Light | np.ndarray) -> None:
    """A point of light, wide open: a disc, somewhat brighter at its rim."""
    left, top = max(0, int(column) - size - 2), max(0, int(row) - size - 2)
    right, bottom = min(p.WIDTH, int(column) + size + 3), min(p.HEIGHT, int(row) + size + 3)
    x, y = p.pixel_grid(top, bottom, left, right)
    far = np.hypot(x - column, y - row)
    disc = p.smoothstep(size + 1.2, size - 1.2, far) * (0.75 + 0.35 * p.smoothstep(size * 0.6, size, far))
    lamps[top:bottom, left:right] += disc[..., None] * np.asarray(colour, np.float32)


def _table(room: Light) -> Light:
    """Planks that lie across, in focus where the mug stands."""
    board = p.level_plane(-60, 0.6, _EDGE, p.HEIGHT)
    x, y = p.pixel_grid(_EDGE, p.HEIGHT)
    u, v = board.across + 3.0, board.away
    plank = np.floor(v / 0.165)
    own = np.sin(plank * 12.9898 + 3) * 43758.5453
    own = (own - np.floor(own)).astype(np.float32)
    wander = p.read_texture(p.noise_tile(83, slope=1.6), u / 4 + own, v / 1.2 + own)
    rings = p.read_texture(p.noise_tile(84, slope=0.9), u / 6 + 0.7 * own, v / 0.5 + own + 0.012 * wander)
    fibres = p.read_texture(p.noise_tile(85, slope=0.35), u / 4.5, v / 0.35 + own, halvings=0.4)
    waves = 0.5 * np.sin(5 * wander + 46 * v + 6 * own)
    tone = 0.55 * rings + 0.35 * waves + 1.1 * (own - 0.5)
    wood = p.gradient([(-2, rgb("5c3a22")), (-0.3, rgb("8c6038")), (0.8, rgb("a87848")), (2.2, rgb("c0935c"))], tone)
    wood = p.scale(wood, np.clip(0.95 + 0.13 * fibres, 0.4, 1.6))
    wood = p.scale(wood, 1 - 0.72 * p.smoothstep(0.483, 0.496, np.abs(v / 0.165 - plank - 0.5)))
    soft = p.blur(wood, 3.2)
    wood = p.mix(wood, soft, np.clip(p.smoothstep(520, _EDGE, y) + 0.8 * p.smoothstep(860, 960, y), 0, 1))
    glow = p.blur(np.ascontiguousarray(room[_EDGE - 1 :: -1][: p.HEIGHT - _EDGE]), 26, down=60)
    sheen = np.zeros_like(wood)
    sheen[: glow.shape[0]] = glow
    fade = 0.42 * p.smoothstep(_EDGE + 330, _EDGE, y)
    lit = 0.72 + 0.34 * np.exp(-(((x - 900) / 700) ** 2) - ((y - 640) / 320) ** 2)
    return p.scale(wood, lit * (1 - _shadow(x, y))) + p.scale(sheen, fade)


def _shadow(x: Field, y: Field) -> Field:
    """The mug's contact shadow, and a long soft one to the left, away from the window."""
    foot_y = _FOOT - 10
    contact = np.exp(-np.maximum(np.hypot((x - _CX) / (_HALF * 0.95), (y - foot_y) / (_HALF * 0.24)) - 1, 0) * 9)
    along = np.clip((_CX - x) / 360, 0, 1)
    middle = foot_y - 10 + 20 * along
    cast = p.smoothstep(1.0, 0.0, np.abs(y - middle) / (44 + 46 * along)) * p.smoothstep(1.0, 0.15, along) * (x < _CX)
    return np.asarray(np.clip(0.45 * contact + 0.26 * cast, 0, 0.8), np.float32)


def _mug() -> tuple[Light, Field]:
    x, y = p.pixel_grid(_BOX[0].start, _BOX[0].stop, _BOX[1].start, _BOX[1].stop)
    down = np.clip((y - _RIM) / (_FOOT - _RIM), 0, 1)
    # Straight walls that draw in towards the foot.
    half = _HALF * (1 - 0.1 * np.clip((down - 0.55) / 0.45, 0, 1) ** 2.2)
    s = np.clip((x - _CX) / half, -1, 1)
    sag = half * _TILT * np.sqrt(1 - s * s)
    body = (
        p.smoothstep(1, -1, np.abs(x - _CX) - half)
        * p.smoothstep(-1, 1, y - _RIM)
        * p.smoothstep(1, -1, y - _FOOT + 22 - 0.92 * sag)
    )
    body = np.maximum(body, _ellipse(x, y, _HALF))
    handle, roundness = _handle(x, y)
    glaze = p.read_texture(p.noise_tile(86, slope=1.0), s * 0.3, y / 800)
    colour = p.mix(rgb("1f7f86"), rgb("17666f"), p.smoothstep(0.2, 1.0, down + 0.05 * glaze))
    speckle = p.smoothstep(2.2, 2.8, p.read_texture(p.noise_tile(87, slope=0.25), x / 330, y / 330))
    colour = p.mix(colour, rgb("0d3a40"), 0.6 * speckle)
    light = p.scale(colour, _glazed(s) + 0.03 * glaze) + _shine(s, down, y)
    grip = (
        p.scale(rgb("1c757d"), 0.45 + 0.75 * np.clip(roundness, 0, 1))
        + (0.12 * p.smoothstep(0.9, 1.0, roundness))[..., None]
    )
    light = p.mix(grip, light, body)
    light = p.scale(light, 1 - 0.45 * p.smoothstep(0.86, 1.0, down))
    light = _inside(light, x, y)
    return light, np.maximum(body, handle)


def _ellipse(x: Field, y: Field, half: float, *, lower: float = 0.0) -> Field:
    far = np.hypot((x - _CX) / half, (y - _RIM - lower) / (half * _TILT))
    return p.smoothstep(1 + 1 / (half * _TILT), 1 - 1 / (half * _TILT), far)


def _glazed(s: Field) -> Field:
    """Light on a cylinder from a window on the right, and some from the room on the left."""
    around = np.arcsin(s * 0.999)
    window, room = np.clip(np.cos(around - 0.85), 0, 1), np.clip(np.cos(around + 1.35), 0, 1)
    return np.asarray(0.2 + 0.95 * window**1.3 + 0.16 * room, np.float32)


def _shine(s: Field, down: Field, y: Field) -> Light:
    """The window mirrored in the glaze: a tall bright strip with a bar across."""
    strip = (
        p.smoothstep(0.5, 0.56, s)
        * p.smoothstep(0.74, 0.67, s)
        * p.smoothstep(0.1, 0.14, down)
        * p.smoothstep(0.74, 0.6, down)
    )
    bar = 1 - 0.8 * p.smoothstep(4, 2, np.abs(y - _RIM - 100 - 24 * s))
    faint = (
        p.smoothstep(-0.86, -0.8, s)
        * p.smoothstep(-0.68, -0.74, s)
        * p.smoothstep(0.1, 0.3, down)
        * p.smoothstep(0.9, 0.6, down)
    )
    return np.asarray((0.62 * strip * bar + 0.07 * faint)[..., None] * (1.0, 0.97, 0.9), np.float32)


def _handle(x: Field, y: Field) -> tuple[Field, Field]:
    """The handle's mask, and how much each point faces the camera."""
    middle = _RIM + 0.43 * (_FOOT - _RIM)
    far = np.hypot((x - _CX - _HALF + 4) / 78, (y - middle) / 88)
    off = (far - 0.84) / 0.16
    roundness = np.sqrt(np.clip(1 - (off + 0.25) ** 2, 0, 1))
    return p.smoothstep(1.08, 0.94, np.abs(off)) * (x > _CX + _HALF - 16), np.asarray(roundness, np.float32)


def _inside(light: Light, x: Field, y: Field) -> Light:
    """Rim, inner wall, and coffee."""
    s = (x - _CX) / _HALF
    light = p.mix(light, p.scale(rgb("bfe0dc"), 0.62 + 0.4 * np.clip(s, -1, 1)), _ellipse(x, y, _HALF))
    wall = p.mix(rgb("d9d2c2"), rgb("6f665a"), np.clip(0.5 + 0.55 * s - (y - _RIM) / 60, 0, 1))
    bowl = _ellipse(x, y, _HALF - 8)
    light = p.mix(light, wall, bowl)
    surface = _ellipse(x, y, _HALF - 15, lower=10) * bowl
    foam = p.read_texture(p.noise_tile(88, slope=1.1), x / 420, y / 100)
    edge = np.hypot((x - _CX) / (_HALF - 15), (y - _RIM - 10) / ((_HALF - 15) * _TILT))
    crema = p.mix(
        rgb("2a130a"), rgb("9a6232"), np.clip(p.smoothstep(0.72, 0.98, edge + 0.05 * foam) + 0.12 * foam, 0, 1)
    )
    mirrored = p.smoothstep(0.5, 0.2, np.hypot(s - 0.38, (y - _RIM - 10) / 40))
    return p.mix(light, crema + (0.2 * mirrored)[..., None], surface)
