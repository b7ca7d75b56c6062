"""Correcting a cut-out by hand on a phone: the subject is clear, the background tinted; each round cuts out again."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw
from playwright.async_api import Locator, expect

from tests.page.chat_page import WORK_MS, OpenChat, jpeg
from tests.page.mini_app import PHONE, MiniApp
from tests.page.painted import Bitmap, Point, overlap, point_at, polyline
from tests.support import encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

MADE = "Tap to correct, or Done."
HINT = "Pink goes. Paint back what is missing."
"""The status text after a round, and before."""

BODY, HEAD, BALL, NOTHING = (0.5, 0.65), (0.5, 0.28), (0.15, 0.8), (0.82, 0.3)
HEAD_BOX = (0.41, 0.16, 0.59, 0.4)
"""Centres of the objects in `figure`, a point of the background, and the head's box: shares of width and height."""


WORDS = {"en": ("White", "Fix by hand"), "zh-hans": ("白色", "手动修正")}
"""In each language: two buttons under a cut-out."""


def shapes(width: int, height: int) -> tuple[list[tuple[str, tuple[float, ...]]], tuple[float, ...]]:
    """The figure's parts and the ball beside it, as boxes in pixels."""
    size = (width, height) * 2
    parts = [("rectangle", (0.38, 0.42, 0.62, 0.9)), ("rectangle", (0.46, 0.36, 0.54, 0.44)), ("ellipse", HEAD_BOX)]
    scaled = [(kind, tuple(share * side for share, side in zip(box, size, strict=True))) for kind, box in parts]
    return scaled, tuple(share * side for share, side in zip((0.1, 0.73, 0.2, 0.87), size, strict=True))


def figure(width: int = 480, height: int = 360) -> Image.Image:
    """A red figure with a head in the middle and a small green ball apart from it, on noisy blue-grey."""
    noise = np.random.default_rng(11).integers(0, 12, size=(height, width, 3), dtype=np.uint8)
    image = Image.fromarray(np.array((90, 110, 140), np.uint8) + noise)
    draw = ImageDraw.Draw(image)
    parts, ball = shapes(width, height)
    for kind, box in parts:
        getattr(draw, kind)(box, fill=(210, 40, 30))
    draw.ellipse(ball, fill=(30, 190, 60))
    return image


def drawn(size: tuple[int, int], *, ball: bool) -> Bitmap:
    """Where the figure is, or the ball beside it, in a mask of this width and height: (H, W) bool."""
    image = Image.new("1", size)
    parts, round_ = shapes(*size)
    for kind, box in [("ellipse", round_)] if ball else parts:
        getattr(ImageDraw.Draw(image), kind)(box, fill=1)
    return np.asarray(image)


JPEG = encoded(figure(), quality=95)


def shows(pixels: np.ndarray[Any, Any], *places: Point) -> list[bool]:
    """Whether a picture shows an object of `figure` at each place: only objects have saturated colours."""
    height, width = pixels.shape[:2]
    middles = [(round(y * height), round(x * width)) for x, y in places]
    colours = [np.median(pixels[y - 2 : y + 3, x - 2 : x + 3], axis=(0, 1)) for y, x in middles]
    return [bool(np.ptp(colour) > 100) for colour in colours]


def at_each(mask: Bitmap, *places: Point) -> list[bool]:
    """The value of a mask at each place."""
    height, width = mask.shape
    return [bool(mask[round(y * height), round(x * width)]) for x, y in places]


def over(box: Any, place: Point, radius: float = 0.13) -> list[Point]:
    """The path of a finger that covers a round object."""
    x, y = place
    corners = [
        point_at(box, x + side * radius * 0.6, y + down * radius)
        for number, down in enumerate(np.linspace(-1, 1, 5))
        for side in ((-1, 1), (1, -1))[number % 2]
    ]
    return polyline(*corners, steps=3)


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone with the chat; the Mini App is not open yet."""
    return await MiniApp.prepare(await open_chat(**PHONE))


async def cut_out(app: MiniApp, data: bytes = JPEG, language: str = "en") -> Locator:
    """Send a photo; returns the bot's answer when it shows the subject on white."""
    before = await app.chat.answers.count()
    await app.chat.choose(jpeg(data))
    await app.chat.send("/remove_background")
    await expect(app.chat.answers).to_have_count(before + 1)
    answer = await app.chat.by_message_id(app.chat.answers.last)
    source = await app.chat.photo_of(answer)
    white = app.chat.button(answer, WORDS[language][0])
    await app.press(white)
    await app.chat.photo_of(answer, other_than=source)
    await expect(white).to_have_count(0)
    return answer


async def fix(app: MiniApp, answer: Locator, language: str = "en") -> Locator:
    """Press "Fix by hand" under a cut-out, which opens the page; returns the message, which shows the corrections."""
    before = await app.chat.answers.count()
    await app.open(answer, WORDS[language][1])
    await expect(app.chat.answers).to_have_count(before)
    return answer


async def close(app: MiniApp) -> None:
    """Press Done."""
    await app.element("done").tap()
    await expect(app.chat.element("miniapp")).to_be_hidden()


async def test_a_missing_head_is_painted_back(app: MiniApp) -> None:
    first = await fix(app, await cut_out(app))
    await expect(app.main_button).to_have_text("Cut out")
    await expect(app.main_button).to_be_disabled()
    await expect(app.element("undo")).to_be_disabled()
    await expect(app.element("status")).to_have_text(HINT)
    ink = await app.ink()
    assert at_each(ink, BODY, HEAD, BALL, NOTHING) == [False, False, True, True]
    assert overlap(~ink, drawn(ink.shape[::-1], ball=False)) > 0.95, (
        "the whole background, without a rim of the subject"
    )
    await app.element("tool-eraser").tap()
    await app.fingers.stroke(over(await app.box(), HEAD))
    assert at_each(await app.ink(), HEAD) == [True], "what is rubbed out goes"
    await app.element("undo").tap()
    await app.wait_until_still()
    assert at_each(await app.ink(), HEAD) == [False]
    await expect(app.element("undo")).to_be_disabled()
    await app.element("redo").tap()
    headless = await app.send()
    assert at_each(headless.painted, BODY, HEAD, BALL) == [True, False, False], "white stays"
    await app.finished(MADE)
    delivered = await app.chat.pixels(await app.chat.photo_of(first))
    assert shows(delivered, BODY, HEAD, BALL, NOTHING) == [True, False, False, False]
    assert delivered[20, 20].min() > 250, "before white again"
    await expect(app.chat.button(first, "Transparent")).to_be_visible()
    await close(app)

    whole = await fix(app, first)
    assert at_each(await app.ink(), BODY, HEAD) == [False, True], "it begins with the corrected mask"
    await app.fingers.stroke(over(await app.box(), HEAD, 0.08))
    assert at_each(await app.ink(), HEAD) == [False]
    upload = await app.send()
    assert at_each(upload.painted, BODY, HEAD, BALL) == [True, True, False]
    await app.finished(MADE)
    source = await app.chat.photo_of(whole)
    delivered = await app.chat.pixels(source)
    assert shows(delivered, BODY, HEAD, BALL, NOTHING) == [True, True, False, False]
    await close(app)
    await app.press(app.chat.button(whole, "Clean"))
    clean = await app.chat.pixels(await app.chat.photo_of(whole, other_than=source))
    assert shows(clean, BODY, HEAD, BALL) == [True, True, False], "another finish keeps the correction"
    assert clean[20, 20].max() < 200


async def test_a_cropped_cut_out_is_corrected_and_shown_undistorted(app: MiniApp) -> None:
    await app.chat.choose(jpeg(JPEG))
    await app.chat.send("/remove_background")
    await expect(app.chat.answers).to_have_count(1)
    answer = await app.chat.by_message_id(app.chat.answers.last)
    await app.chat.photo_of(answer)
    await app.press(app.chat.button(answer, "Cropped"))
    await expect(answer).to_contain_text("cropped")
    asks = await fix(app, answer)
    await app.element("tool-eraser").tap()
    await app.fingers.stroke(over(await app.box(), HEAD))
    upload = await app.send()
    assert upload.painted.shape == (360, 480), "a mask of the whole photo, not of the cropped picture"
    await app.finished(MADE)
    shown = np.asarray(Image.open(io.BytesIO(await app.inside.locator("#stage").screenshot())).convert("RGB"), int)
    red = (shown[..., 0] > 150) & (shown[..., 1] < 90)
    wide, high = np.ptp(np.flatnonzero(red.any(axis=0))), np.ptp(np.flatnonzero(red.any(axis=1)))
    assert abs(wide / high - 0.24 * 480 / (0.48 * 360)) < 0.12, "the body's proportions"
    await close(app)
    await expect(asks).to_contain_text("cropped")


async def test_a_tap_adds_an_object_and_a_lasso_the_area_inside(app: MiniApp) -> None:
    await fix(app, await cut_out(app))
    box = await app.box()
    await app.element("tool-select").tap()
    await expect(app.element("status")).to_have_text("Tap what should stay")
    await app.fingers.tap(point_at(box, *BALL))
    await expect(app.element("status")).to_have_text("Tap to add or take away", timeout=WORK_MS)
    await app.wait_until_still()
    ink = await app.ink()
    assert at_each(ink, BODY, HEAD, BALL, NOTHING) == [False, False, False, True]
    left = slice(0, ink.shape[1] // 4)
    assert overlap(~ink[:, left], drawn(ink.shape[::-1], ball=True)[:, left]) > 0.85, "the object, without a rim"
    await app.element("tool-lasso").tap()
    corners = [(0.72, 0.2), (0.92, 0.2), (0.92, 0.4), (0.72, 0.4)]
    await app.fingers.stroke(polyline(*(point_at(box, *corner) for corner in corners)))
    await app.wait_until_still()
    assert at_each(await app.ink(), NOTHING) == [False]
    await app.element("undo").tap()
    upload = await app.send()
    assert at_each(upload.painted, BODY, HEAD, BALL, NOTHING) == [True, True, True, False]
    await app.finished(MADE)
    delivered = await app.chat.pixels(await app.chat.photo_of(app.chat.answers.last))
    assert shows(delivered, BODY, HEAD, BALL, NOTHING) == [True, True, True, False]


async def test_each_round_cuts_out_the_original_photo_and_survives_a_reload(app: MiniApp) -> None:
    await fix(app, await cut_out(app))
    box = await app.box()
    await app.element("tool-eraser").tap()
    await app.fingers.stroke(over(box, HEAD))
    await app.send()
    await app.finished(MADE)
    assert shows(await app.stage_picture("before"), BODY, HEAD) == [True, False], "the cut-out is shown"
    await expect(app.inside.locator("#tag")).to_have_text("Cut out")
    await expect(app.main_button).to_be_disabled()
    await app.fingers.tap(point_at(box, *BODY))
    await expect(app.element("status")).to_have_text(HINT)
    assert shows(await app.stage_picture(), BODY, HEAD) == [True, True], "below it lies the photo"
    assert at_each(await app.ink(), BODY, HEAD, BALL) == [False, True, True], "and that tap has painted nothing"
    await app.element("tool-brush").tap()
    await app.fingers.stroke(over(box, BALL, 0.03))
    second = await app.send()
    assert at_each(second.painted, BODY, HEAD, BALL) == [True, False, True]
    await app.finished(MADE)
    delivered = await app.chat.pixels(await app.chat.photo_of(app.chat.answers.last))
    assert shows(delivered, BODY, HEAD, BALL) == [True, False, True]

    await app.frame.evaluate("location.reload()")
    await app.ready()
    await expect(app.element("status")).to_have_text(HINT)
    assert at_each(await app.ink(), BODY, HEAD, BALL) == [False, True, False]
    for ink in ([False, True, True], [False, False, True]):  # the first round's mask, then what was found
        await app.second_button.tap()
        await expect(app.element("status")).to_have_text("Round undone")
        await app.ready()
        assert at_each(await app.ink(), BODY, HEAD, BALL) == ink
    await expect(app.element("undo")).to_be_disabled()
    await app.element("redo").tap()
    await app.ready()
    assert at_each(await app.ink(), BODY, HEAD, BALL) == [False, True, True]


async def test_chinese_texts_and_the_error_of_a_senseless_mask(app: MiniApp, playground: str) -> None:
    person = {"language_code": "zh-hans"}
    async with aiohttp.request("POST", f"{playground}/playground/api/person", json=person) as answer:
        answer.raise_for_status()
    await fix(app, await cut_out(app, language="zh-hans"), "zh-hans")
    await expect(app.main_button).to_have_text("抠图")
    await expect(app.element("status")).to_have_text("粉色部分会去掉。涂回缺少的地方。")
    for tool, label in (("brush", "画笔：保留"), ("eraser", "橡皮：去掉")):
        await expect(app.element(f"tool-{tool}")).to_have_attribute("aria-label", label)
    await expect(app.element("photo")).to_have_attribute("aria-label", "照片。粉色部分会去掉，其余会保留。")
    await app.element("tool-rect").tap()
    box = await app.box()
    await app.fingers.stroke([point_at(box, -0.01, -0.1), point_at(box, 0.5, 0.5), point_at(box, 1.01, 1.1)])
    await app.main_button.tap()
    await expect(app.element("status")).to_have_text("整张都保留了，总要去掉一些。")
    await app.element("undo").tap()
    await app.element("tool-eraser").tap()
    await app.fingers.stroke(over(box, HEAD))
    await app.send()
    await app.finished("点一下可继续修正，或点“完成”。")
