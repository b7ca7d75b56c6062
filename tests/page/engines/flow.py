"""What a person does on the canvas, from opening it to Done; the same in every engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from tests.page.engines.app import EngineApp, bitmap
from tests.page.painted import Bitmap, ExpectedMask, Point, overlap, point_at, polyline
from tests.support import encoded

ALIKE = 0.99
"""Minimum intersection over union of the painted and the uploaded mask."""

ALIKE_BY_KEYS = 0.98
"""The same, of a smaller mask, of which the outline is a larger part."""

SIZE, LARGE = (480, 360), (4000, 3000)
"""Of the photos."""

KEY_STEP = 12
"""CSS px that an arrow key moves the cursor."""

MAX_UPLOAD = 100_000
"""Bytes of a mask for a photo of 12 megapixels."""


def two_blocks(width: int, height: int) -> Image.Image:
    """A red block on the left and a green one on the right of noisy blue-grey."""
    noise = np.random.default_rng(11).integers(0, 12, size=(height, width, 3), dtype=np.uint8)
    pixels = np.array((90, 110, 140), np.uint8) + noise
    rows = slice(height * 4 // 10, height * 6 // 10)
    pixels[rows, width * 20 // 100 : width * 35 // 100] = (210, 40, 30)
    pixels[rows, width * 65 // 100 : width * 80 // 100] = (30, 190, 60)
    return Image.fromarray(pixels)


def red(pixels: np.ndarray) -> bool:
    """Whether the red block is there."""
    return bool(((pixels[..., 0] > 150) & (pixels[..., 1] < 90)).mean() > 0.005)


def green(pixels: np.ndarray) -> bool:
    """Whether the green block is there."""
    return bool(green_pixels(pixels).mean() > 0.005)


def green_pixels(pixels: np.ndarray) -> Bitmap:
    """(H, W) bool, True = of the green block."""
    return np.asarray((pixels[..., 1] > 140) & (pixels[..., 0] < 90))


def loop(middle: Point, across: float, down: float) -> list[Point]:
    """An ellipse, as the points of a lasso."""
    turns = (2 * math.pi * step / 24 for step in range(24))
    return [(middle[0] + across * math.cos(turn), middle[1] + down * math.sin(turn)) for turn in turns]


def over_red(box: Any) -> list[Point]:
    """A zigzag over the red block and a little more."""
    places = [(across, down) for down in (0.41, 0.46, 0.51, 0.56, 0.61) for across in (0.19, 0.36)]
    return polyline(*(point_at(box, *place) for place in places), steps=5)


async def paint_erase_undo_a_round_and_done(app: EngineApp) -> None:
    """Paint, lasso, undo, zoom, erase; tap to select, erase again, undo that round, Done."""
    await app.open(encoded(two_blocks(*SIZE)))
    assert not await app.enabled("undo")
    fitted = await app.box()
    expected = ExpectedMask(fitted, SIZE)
    expected.line(await app.stroke(over_red(fitted)), await app.brush())
    assert await app.enabled("undo")
    await app.press("tool-lasso")
    expected.area(await app.stroke(loop(point_at(fitted, 0.5, 0.8), fitted["width"] * 0.12, fitted["height"] * 0.1)))
    await app.press("tool-brush")
    await app.stroke(polyline(point_at(fitted, 0.1, 0.1), point_at(fitted, 0.9, 0.1)))
    await app.press("undo")

    middle = point_at(fitted, 0.3, 0.5)
    await app.pinch(middle, (30, 60))
    await app.ready()
    zoomed = await app.box()
    assert zoomed["width"] / fitted["width"] > 1.8, "zoomed"
    close = ExpectedMask(zoomed, SIZE)
    line = polyline(point_at(zoomed, 0.2, 0.4), point_at(zoomed, 0.35, 0.4), point_at(zoomed, 0.35, 0.6))
    close.line(await app.stroke([*line, point_at(zoomed, 0.2, 0.6)]), await app.brush())
    mask = await app.send()
    assert mask.mode == "1"
    assert overlap(expected.painted | close.painted, bitmap(mask)) >= ALIKE
    await app.finished()
    shown = await app.picture()
    assert green(shown)
    assert not red(shown)

    await app.fit(fitted["width"])
    await app.press("tool-select")
    await app.tap(point_at(fitted, 0.72, 0.5))
    await app.status("Tap to add or take away")
    await app.press("undo")
    assert not await app.enabled("clear")
    await app.press("redo")
    selected = bitmap(await app.send())
    block = green_pixels(np.asarray(two_blocks(*SIZE)))
    assert overlap(block, selected) > 0.7, "the tapped object and little else"
    await app.finished()
    shown = await app.picture()
    assert not green(shown)
    assert not red(shown), "each round edits the last one's result"

    await app.undo_round()
    await app.status("Round undone")
    await app.ready()
    shown = await app.picture()
    assert green(shown)
    assert not red(shown)
    await app.no_problems()
    await app.close()


async def a_large_photo_after_a_reload(app: EngineApp) -> None:
    """Paint on 12 megapixels and load the page again: what was painted is there, and is sent in the photo's size."""
    await app.open(encoded(two_blocks(*LARGE)), as_file=True)
    box = await app.box()
    drawn = await app.stroke(over_red(box))
    await app.press("tool-lasso")
    around = await app.stroke(loop(point_at(box, 0.6, 0.5), box["width"] * 0.1, box["height"] * 0.2))
    await app.reload()
    assert await app.enabled("undo"), "the draft is restored"
    mask = await app.send()
    assert mask.size == LARGE
    assert mask.info["bytes"] <= MAX_UPLOAD
    expected = ExpectedMask(box, LARGE).line(drawn, await app.brush()).area(around)
    assert overlap(expected.painted, bitmap(mask)) >= ALIKE
    await app.no_problems()
    # Nothing waits for the result: it is the same in each engine, and slow beside three browsers.


async def paint_and_lasso_by_keyboard(app: EngineApp) -> None:
    """Paint a line while Space is held, outline an area between two presses of it; Enter erases."""
    await app.open(encoded(two_blocks(*SIZE)))
    box, brush = await app.box(), await app.brush()
    x, y = await app.focus_stage()
    await app.keys(*["left"] * 5, *["up"] * 2)
    await app.keys(*["right"] * 10, while_held="space")
    line = [(x - 5 * KEY_STEP, y - 2 * KEY_STEP), (x + 5 * KEY_STEP, y - 2 * KEY_STEP)]
    corner = x + 5 * KEY_STEP, y + KEY_STEP
    await app.keys("l", *["down"] * 3, "space", *["down"] * 4, *["left"] * 6, *["up"] * 4, "space")
    far = corner[0] - 6 * KEY_STEP, corner[1] + 4 * KEY_STEP
    area = [corner, (corner[0], far[1]), far, (far[0], corner[1])]
    mask = bitmap(await app.send(by_key=True))
    expected = ExpectedMask(box, SIZE).line(line, brush).area(area)
    assert overlap(expected.painted, mask) >= ALIKE_BY_KEYS
    await app.finished()
    await app.no_problems()
