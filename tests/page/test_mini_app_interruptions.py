"""Strokes that are interrupted: no stroke is lost, none is invented, and the next one works."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.page.chat_page import OpenChat
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.page.painted import DENSE, overlap, point_at, polyline, wave
from tests.page.strokes import ALIKE, HIDE, LOSE_ENDS, RESTORE_ENDS, SHOW, across, expected_mask, painted, sent
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())

FOLLOW_POINTER = """addEventListener("pointerdown", (event) => (window.pointer = event.pointerId), { capture: true })"""

INTERRUPTIONS = {
    "another window takes the focus": ['() => dispatchEvent(new Event("blur"))'],
    "a call hides the page": [HIDE, SHOW],
    "the capture is lost": ['() => document.getElementById("stage").releasePointerCapture(pointer)'],
}


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone on which the Mini App is open."""
    app = await MiniApp.prepare(await open_chat(**PHONE))
    await app.open(await send_for_erase(app.chat, JPEG))
    return app


@pytest_asyncio.fixture(loop_scope="module")
async def desktop(open_chat: OpenChat) -> MiniApp:
    """A desktop on which the Mini App is open."""
    app = await MiniApp.prepare(await open_chat(), touch=False)
    await app.open(await send_for_erase(app.chat, JPEG))
    return app


async def test_a_touch_whose_end_never_comes_does_not_make_the_next_one_a_pinch(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    await app.frame.evaluate(LOSE_ENDS)
    await app.fingers.stroke(across(box, 0.3))
    await app.frame.evaluate(RESTORE_ENDS)
    await app.fingers.stroke(across(box, 0.7))
    await app.fingers.stroke(across(box, 0.5))
    assert await app.box() == box, "no zoom"
    for down in (0.3, 0.7, 0.5):
        expected.line(across(box, down), brush)
    await painted(app, expected)


async def test_a_pinch_whose_ends_never_come_leaves_the_canvas_usable(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    await app.frame.evaluate(LOSE_ENDS)
    await app.fingers.pinch(point_at(box, 0.5, 0.5), (40, 60))
    await app.frame.evaluate(RESTORE_ENDS)
    await app.fingers.stroke(across(box, 0.5))
    await app.wait_until_still()
    zoomed = await app.box()
    assert zoomed["width"] == pytest.approx(box["width"] * 1.5, rel=0.03)
    await painted(app, (await expected_mask(app)).line(across(box, 0.5), brush))


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
async def test_an_interrupted_stroke_stays_and_the_next_touch_paints(app: MiniApp, interruption: str) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    await app.frame.evaluate(FOLLOW_POINTER)
    await app.fingers.stroke(across(box, 0.3), lift=False)
    for script in INTERRUPTIONS[interruption]:
        await app.frame.evaluate(script)
    await app.fingers.touch("touchMove", point_at(box, 0.85, 0.9))
    await expect(app.inside.locator("#loupe")).to_be_hidden()
    await expect(app.element("undo")).to_be_enabled()
    await app.frame.evaluate(LOSE_ENDS)
    await app.fingers.touch("touchEnd")
    await app.frame.evaluate(RESTORE_ENDS)
    await app.fingers.stroke(across(box, 0.7))
    assert await app.box() == box, "no zoom"
    await painted(app, expected.line(across(box, 0.3), brush).line(across(box, 0.7), brush))


async def test_a_stroke_is_in_the_draft_as_soon_as_the_page_is_hidden(app: MiniApp) -> None:
    await app.fingers.stroke(across(await app.box(), 0.5), lift=False)
    stored = await app.frame.evaluate(
        f"() => {{ ({HIDE})(); return Object.keys(localStorage).filter((key) => key.startsWith('draft:'))"
        ".map((key) => JSON.parse(localStorage.getItem(key)).ops.map((op) => op.kind)); }"
    )
    assert stored == [["brush"]]
    await app.frame.evaluate(SHOW)
    await app.fingers.touch("touchEnd")


async def test_a_mouse_button_released_out_of_sight_ends_the_stroke(desktop: MiniApp) -> None:
    app, mouse = desktop, desktop.page.mouse
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    first, second = across(box, 0.3), across(box, 0.6)
    await app.frame.evaluate(LOSE_ENDS)
    await mouse.move(*first[0])
    await mouse.down()
    for point in first[1:]:
        await mouse.move(*point)
    await mouse.up()
    await app.frame.evaluate(RESTORE_ENDS)
    await mouse.move(*point_at(box, 0.5, 0.95))
    await expect(app.element("undo")).to_be_enabled()
    await mouse.move(*second[0])
    await mouse.down()
    for point in second[1:]:
        await mouse.move(*point)
    await mouse.up()
    await painted(app, expected.line(first, brush).line(second, brush))


async def test_the_system_takes_a_touch_away_a_stroke_stays_and_a_dab_goes(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    x, y = point_at(box, 0.5, 0.8)
    await app.fingers.touch("touchStart", (x, y))
    await app.fingers.touch("touchMove", (x + 6, y))
    await app.fingers.touch("touchCancel")
    await app.wait_until_still()
    await expect(app.element("undo")).to_be_disabled()
    assert not (await app.ink()).any(), "the dab is gone"
    await app.fingers.stroke(across(box, 0.3), lift=False)
    await app.fingers.touch("touchCancel")
    await app.fingers.stroke(across(box, 0.6))
    await painted(app, expected.line(across(box, 0.3), brush).line(across(box, 0.6), brush))


@pytest.mark.parametrize("tool", ["brush", "lasso"])
async def test_a_stroke_during_which_the_phone_is_turned_stays_where_it_was(app: MiniApp, tool: str) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    corners = [point_at(box, 0.2, 0.2), point_at(box, 0.7, 0.2), point_at(box, 0.7, 0.6), point_at(box, 0.2, 0.6)]
    await app.element(f"tool-{tool}").tap()
    await app.fingers.stroke(polyline(*corners), lift=False)
    await app.page.set_viewport_size({"width": 844, "height": 390})
    await app.frame.evaluate(  # a touch before that belongs to the stroke
        "async () => { while (innerWidth < innerHeight) await new Promise(requestAnimationFrame); }"
    )
    await app.fingers.touch("touchMove", (500, 200))
    await app.fingers.touch("touchMove", (420, 150))
    await app.fingers.touch("touchEnd")
    await app.wait_until_still()
    turned = await app.box()
    assert turned["width"] < box["width"]
    await app.element("tool-brush").tap()
    await app.fingers.stroke(across(turned, 0.85))
    before = expected.line(polyline(*corners), brush) if tool == "brush" else expected.area(corners)
    after = (await expected_mask(app)).line(across(turned, 0.85), brush)
    upload = await sent(app)
    assert overlap(before.painted | after.painted, upload.painted) >= ALIKE


async def test_what_is_under_the_finger_is_sent_too(desktop: MiniApp) -> None:
    app, mouse = desktop, desktop.page.mouse
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    line = across(box, 0.4)
    await mouse.move(*line[0])
    await mouse.down()
    for point in line[1:]:
        await mouse.move(*point)
    await app.page.keyboard.press("Enter")
    await mouse.up()
    await expect(app.element("status")).to_have_text("Erased. Paint on, or Done.")
    assert overlap(expected.line(line, brush).painted, app.uploads[-1].painted) >= ALIKE


async def test_a_double_tap_that_painted_nothing_takes_nothing_back(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    await app.fingers.pinch(point_at(box, 0.5, 0.5), (40, 80))
    await app.wait_until_still()
    await app.fingers.stroke(wave(box))
    await app.element("clear").tap()
    await app.element("tool-eraser").tap()
    await app.fingers.double_tap(point_at(box, 0.5, 0.5))
    await expect(app.element("fit")).to_be_hidden()
    await expect(app.element("clear")).to_be_disabled()
    await app.wait_until_still()
    await app.element("tool-brush").tap()
    fitted = await app.box()
    await app.fingers.stroke(wave(fitted))
    await painted(app, (await expected_mask(app)).line(wave(fitted, reports=DENSE), brush))
