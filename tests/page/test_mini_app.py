"""Erasing by hand on a phone, from the chat's button to the cleaned photo in the chat."""

from __future__ import annotations

import time

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from tests.page.chat_page import OpenChat
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.page.painted import DENSE, ExpectedMask, Point, overlap, point_at, polyline, sine, wave
from tests.support import encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALIKE = 0.98
"""Minimum intersection over union of the painted and the uploaded mask."""

PROGRESS = {"Starting…", "Getting the photo…", "Filling the gap…", "Almost done…"}
"""Status texts that come from the server's events."""


def two_objects(width: int, height: int) -> Image.Image:
    """A red block on the left and a green one on the right of noisy blue-grey."""
    noise = np.random.default_rng(11).integers(0, 12, size=(height, width, 3), dtype=np.uint8)
    pixels = np.array((90, 110, 140), np.uint8) + noise
    rows = slice(height * 4 // 10, height * 6 // 10)
    pixels[rows, width * 20 // 100 : width * 35 // 100] = (210, 40, 30)
    pixels[rows, width * 65 // 100 : width * 80 // 100] = (30, 190, 60)
    return Image.fromarray(pixels)


JPEG = encoded(two_objects(480, 360))


def red(pixels: np.ndarray) -> bool:
    """Whether the red block is there."""
    return bool(((pixels[..., 0] > 150) & (pixels[..., 1] < 90)).mean() > 0.005)


def green(pixels: np.ndarray) -> bool:
    """Whether the green block is there."""
    return bool(((pixels[..., 1] > 140) & (pixels[..., 0] < 90)).mean() > 0.005)


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone with the chat; the Mini App is not open yet."""
    return await MiniApp.prepare(await open_chat(**PHONE))


def over(box: dict, left: float, right: float) -> list[Point]:
    """A zigzag over a part of the photo's middle."""
    columns = np.linspace(left, right, 5)
    corners = [
        point_at(box, column, (0.36, 0.64)[(number + side) % 2])
        for number, column in enumerate(columns)
        for side in (0, 1)
    ]
    return polyline(*corners, steps=3)


async def test_paint_undo_redo_erase_again_undo_a_round_and_done(app: MiniApp) -> None:
    answer = await send_for_erase(app.chat, JPEG)
    await app.open(answer)
    await expect(app.main_button).to_have_text("Erase")
    await expect(app.main_button).to_be_disabled()
    await expect(app.element("undo")).to_be_disabled()
    box = await app.box()
    await app.fingers.stroke(wave(box))
    await expect(app.main_button).to_be_enabled()
    await app.element("undo").tap()
    await expect(app.main_button).to_be_disabled()
    await app.element("redo").tap()
    await expect(app.main_button).to_be_enabled()
    await app.element("undo").tap()

    await app.fingers.stroke(over(box, 0.18, 0.37))
    await app.record_statuses()
    first = await app.send()
    await app.finished()
    statuses = await app.statuses()
    assert statuses[0] == "Sending…"
    assert statuses[-1] == "Erased. Paint on, or Done."
    assert set(statuses[1:-1]) & PROGRESS, statuses
    assert len(app.streams) == 1
    shown = await app.stage_picture()
    assert green(shown)
    assert not red(shown)
    source = await app.chat.photo_of(answer)
    delivered = await app.chat.pixels(source)
    assert green(delivered)
    assert not red(delivered)

    compare = await app.element("compare").bounding_box()
    assert compare is not None
    finger, now = (compare["x"] + 22, compare["y"] + 22), time.time()
    await app.fingers.touch("touchStart", finger, when=now)
    await expect(app.inside.locator("#stage.comparing")).to_be_visible()
    await app.wait_until_still()
    assert red(await app.screenshot())
    await app.fingers.touch("touchEnd", when=now + 1)
    await expect(app.inside.locator("#stage.comparing")).to_have_count(0)
    await app.wait_until_still()
    assert not red(await app.screenshot())
    for begun, shown in ((now + 2, 1), (now + 3, 0)):  # a tap, and another one
        await app.fingers.touch("touchStart", finger, when=begun)
        await app.fingers.touch("touchEnd", when=begun + 0.05)
        await expect(app.inside.locator("#stage.comparing")).to_have_count(shown)
        await expect(app.element("compare")).to_have_attribute("aria-pressed", str(bool(shown)).lower())

    await app.fingers.stroke(over(box, 0.63, 0.82))
    second = await app.erase()
    assert first.path != second.path or first.data != second.data
    shown = await app.stage_picture()
    assert not green(shown)
    assert not red(shown)
    await app.fingers.stroke(polyline(point_at(box, 0.45, 0.2), point_at(box, 0.55, 0.2)))
    await app.erase()
    shown = await app.stage_picture()
    assert not green(shown), "each round edits the last one's result"
    assert not red(shown)
    await expect(app.chat.answers).to_have_count(1)

    latest = await app.chat.photo_of(answer)
    assert not green(await app.chat.pixels(latest))
    await expect(app.second_button).to_have_text("Undo round")
    for _ in range(2):
        await app.second_button.tap()
        await expect(app.element("status")).to_have_text("Round undone")
        await app.ready()
    shown = await app.stage_picture()
    assert green(shown)
    assert not red(shown)
    await expect(app.main_button).to_be_enabled()
    await app.element("undo").tap()
    await expect(app.main_button).to_be_disabled()

    await app.element("done").tap()
    await expect(app.chat.element("miniapp")).to_be_hidden()
    await expect(app.chat.answers).to_have_count(1)
    await app.chat.photo_of(answer, other_than=latest)
    last = await app.chat.pixels(await app.chat.photo_of(answer))
    assert green(last), "the chat shows what was on the screen"
    assert not red(last)


async def test_the_uploaded_mask_is_the_painted_one_also_after_leaving_the_photo(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    box, brush = await app.box(), await app.brush()
    await app.fingers.stroke(wave(box))
    upload = await app.erase()
    assert upload.kind == "image/png"
    assert upload.image.mode == "1"
    assert upload.image.size == (480, 360)
    assert (
        overlap(ExpectedMask(box, upload.image.size).line(wave(box, reports=DENSE), brush).painted, upload.painted)
        >= ALIKE
    )

    places = ((0.1, 0.3), (0.1, 0.1), (0.15, -0.1), (0.5, -0.25), (0.8, -0.1), (0.8, 0.4))
    points = polyline(*(point_at(box, *place) for place in places), steps=5)
    await app.fingers.stroke(points)
    await app.element("undo").tap()
    await expect(app.main_button).to_be_disabled()  # still one stroke after leaving the photo
    await app.element("redo").tap()
    upload = await app.erase()
    assert overlap(ExpectedMask(box, upload.image.size).line(points, brush).painted, upload.painted) >= ALIKE


async def test_the_uploaded_mask_is_the_painted_one_after_zoom_and_pan(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    fitted = await app.box()
    middle = point_at(fitted, 0.5, 0.5)
    await app.fingers.pinch(middle, (40, 120), shift=(30, -20))
    await app.wait_until_still()
    box = await app.box()
    assert box["width"] / fitted["width"] == pytest.approx(3, rel=0.03)
    assert point_at(box, 0.5, 0.5) == pytest.approx((middle[0] + 30, middle[1] - 20), abs=3), (
        "the point between the fingers"
    )
    await expect(app.element("undo")).to_be_disabled()
    x, y = await app.stage_middle()
    ends = ((x - 150, y), (x + 150, y))
    await app.fingers.stroke(sine(*ends, 90))
    upload = await app.erase()
    expected = ExpectedMask(box, upload.image.size).line(sine(*ends, 90, DENSE), await app.brush())
    assert overlap(expected.painted, upload.painted) >= ALIKE
    await app.fingers.double_tap((x, y))
    await expect(app.element("fit")).to_be_hidden()
    await app.wait_until_still()
    assert (await app.box())["width"] == pytest.approx(fitted["width"], abs=1)
    await expect(app.element("clear")).to_be_disabled()


async def test_a_large_file_keeps_its_size(app: MiniApp) -> None:
    answer = await send_for_erase(app.chat, encoded(two_objects(3000, 2000)), as_file=True)
    await app.open(answer)
    box = await app.box()
    points = over(box, 0.18, 0.37)
    await app.fingers.stroke(points)
    upload = await app.erase()
    assert upload.image.size == (3000, 2000)
    assert len(upload.data) <= 100_000
    assert (
        overlap(ExpectedMask(box, upload.image.size).line(points, await app.brush()).painted, upload.painted) >= ALIKE
    )
    assert not red(await app.stage_picture())
    await app.element("done").tap()
    await expect(app.chat.element("miniapp")).to_be_hidden()
    async with app.page.expect_download() as download:
        await answer.get_by_test_id("download").click()
    with Image.open(await (await download.value).path()) as clean:
        assert clean.size == (3000, 2000)
        pixels = np.asarray(clean.convert("RGB"))
    assert green(pixels)
    assert not red(pixels)


async def test_a_draft_survives_closing(app: MiniApp) -> None:
    answer = await send_for_erase(app.chat, JPEG)
    await app.open(answer)
    box = await app.box()
    await app.fingers.stroke(wave(box))
    await expect(app.main_button).to_be_enabled()
    await app.chat.element("miniapp-close").tap()
    await app.page.get_by_role("button", name="Close anyway").tap()
    await expect(app.chat.element("miniapp")).to_be_hidden()
    await app.open(answer)
    await expect(app.main_button).to_be_enabled()
    upload = await app.erase()
    expected = ExpectedMask(box, upload.image.size).line(wave(box, reports=DENSE), await app.brush())
    assert overlap(expected.painted, upload.painted) >= ALIKE


async def test_a_second_finger_cancels_a_short_stroke_and_ends_a_long_one(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    box = await app.box()
    x, y = point_at(box, 0.5, 0.5)
    await app.fingers.touch("touchStart", (x, y))
    await app.fingers.touch("touchMove", (x + 6, y))
    await app.fingers.touch("touchStart", (x + 6, y), (x + 60, y))
    await app.fingers.touch("touchMove", (x - 20, y), (x + 90, y))
    await app.fingers.touch("touchEnd")
    await app.wait_until_still()
    await expect(app.element("undo")).to_be_disabled()
    assert (await app.box())["width"] > box["width"] * 1.3
    await app.element("fit").tap()
    await expect(app.element("fit")).to_be_hidden()
    await app.wait_until_still()
    begun = await app.frame.evaluate("performance.now()")
    await app.fingers.stroke(wave(box), lift=False)
    await expect(app.inside.locator("#loupe")).to_be_visible()
    await app.frame.wait_for_function("(begun) => performance.now() - begun > 450", arg=begun)
    await app.fingers.touch("touchStart", point_at(box, 0.7, 0.5), point_at(box, 0.2, 0.9))
    await app.fingers.touch("touchEnd")
    await expect(app.inside.locator("#loupe")).to_be_hidden()
    await expect(app.element("undo")).to_be_enabled()
