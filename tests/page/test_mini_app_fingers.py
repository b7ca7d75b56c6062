"""Several fingers, a palm beside a pen, and strokes that begin beside the photo."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.page.chat_page import OpenChat
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.page.painted import Point, point_at, polyline
from tests.page.strokes import Pen, across, expected_mask, painted
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone on which the Mini App is open."""
    app = await MiniApp.prepare(await open_chat(**PHONE))
    await app.open(await send_for_erase(app.chat, JPEG))
    return app


async def test_three_fingers_zoom_and_one_of_them_may_be_lifted(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    x, y = point_at(box, 0.5, 0.5)

    def triangle(radius: float) -> list[Point]:
        return [(x - radius, y), (x + radius, y), (x, y + radius)]

    await app.fingers.touch("touchStart", *triangle(40)[:1])
    await app.fingers.touch("touchStart", *triangle(40)[:2])
    await app.fingers.touch("touchStart", *triangle(40))
    for radius in range(40, 81, 4):
        await app.fingers.touch("touchMove", *triangle(radius))
    await app.wait_until_still()
    assert (await app.box())["width"] == pytest.approx(box["width"] * 2, rel=0.05)
    await app.fingers.touch("touchEnd", triangle(80)[0])
    for radius in range(80, 121, 4):
        await app.fingers.touch("touchMove", *triangle(radius)[1:], first=1)
    await app.fingers.touch("touchEnd")
    await app.wait_until_still()
    zoomed = await app.box()
    assert zoomed["width"] == pytest.approx(box["width"] * 3, rel=0.05), "two fingers go on"
    await expect(app.element("undo")).to_be_disabled()
    await app.fingers.stroke(across(box, 0.5))
    await painted(app, (await expected_mask(app)).line(across(box, 0.5), brush))


async def test_the_hand_that_holds_the_pen_paints_and_zooms_nothing(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    pen = Pen(await app.page.context.new_cdp_session(app.page))
    line = across(box, 0.4)
    x, y = point_at(box, 0.5, 0.9)
    await app.fingers.touch("touchStart", (x, y))  # the palm comes first
    await pen.send("mousePressed", line[0])
    for number, point in enumerate(line[1:]):
        await pen.send("mouseMoved", point)
        await app.fingers.touch("touchMove", (x + number, y))
    await app.fingers.touch("touchStart", (x + 20, y), (x + 60, y))  # and another part of it later
    await pen.send("mouseMoved", point_at(box, 0.85, 0.6))
    await pen.send("mouseReleased", point_at(box, 0.85, 0.6))
    await app.fingers.touch("touchMove", (x + 30, y), (x + 50, y - 60))
    await app.fingers.touch("touchEnd")
    await app.wait_until_still()
    assert await app.box() == box, "no zoom"
    await painted(app, expected.line([*line, point_at(box, 0.85, 0.6)], brush))


async def test_a_palm_that_rests_when_the_pen_comes_back_does_not_stop_it(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    pen = Pen(await app.page.context.new_cdp_session(app.page))
    palm = point_at(box, 0.5, 0.95)
    for down in (0.25, 0.6):
        line = across(box, down)
        await pen.send("mousePressed", line[0])
        for point in line[1:]:
            await pen.send("mouseMoved", point)
        await pen.send("mouseReleased", line[-1])
        expected.line(line, brush)
        if down == 0.25:
            await app.fingers.touch("touchStart", palm)
    await app.fingers.touch("touchEnd")
    await painted(app, expected)


async def test_a_stroke_may_begin_beside_the_photo(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    tools = await app.inside.locator("#tools").bounding_box()
    assert tools is not None
    await app.page.mouse.move(tools["x"] + 3, tools["y"] + 20)
    await app.page.mouse.down()
    await app.page.mouse.move(*point_at(box, 0.5, 0.5), steps=5)
    await app.page.mouse.move(*point_at(box, 0.9, 0.9), steps=5)
    await app.page.mouse.up()
    await expect(app.element("undo")).to_be_disabled()
    await app.element("tool-lasso").tap()
    x, y = point_at(box, 0.3, 0)
    await app.fingers.stroke(polyline((x, y - 60), (x + 60, y - 60), (x + 60, y - 20), (x, y - 20)))
    await expect(app.element("undo")).to_be_disabled()
    await app.element("tool-brush").tap()
    await app.fingers.stroke(polyline((x, y - 80), (x + 80, y - 80)))
    await expect(app.element("undo")).to_be_disabled()
    down = polyline((x, y - 80), point_at(box, 0.7, 0.6), steps=20)
    await app.fingers.stroke(down)
    await painted(app, expected.line(down, brush))
