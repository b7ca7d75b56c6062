"""Fingers, pens, buttons and keys whose end is lost: no stroke is invented, and none gets stuck."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.page.chat_page import OpenChat
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.page.painted import Point, point_at, polyline
from tests.page.strokes import HIDE, LOSE_ENDS, RESTORE_ENDS, SHOW, across, expected_mask, painted
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())

BLUR = '() => dispatchEvent(new Event("blur"))'

DISPATCH = """([type, id, kind, x, y, buttons]) => document.getElementById("stage").dispatchEvent(
    new PointerEvent(type, {
        pointerId: id, pointerType: kind, isPrimary: true, bubbles: true, cancelable: true,
        clientX: x, clientY: y, buttons, button: type === "pointerdown" ? 0 : -1,
    }),
)"""
"""Sends an event that the debugging protocol cannot: of a pen's eraser, or with other buttons than those pressed."""


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone on which the Mini App is open."""
    app = await MiniApp.prepare(await open_chat(**PHONE))
    await app.open(await send_for_erase(app.chat, JPEG))
    return app


async def dispatch(app: MiniApp, kind: str, number: int, device: str, point: Point, buttons: int) -> None:
    """Dispatch a pointer event at a place on the screen."""
    frame = await app.chat.element("miniapp-frame").bounding_box()
    assert frame is not None
    place = [point[0] - frame["x"], point[1] - frame["y"]]
    await app.frame.evaluate(DISPATCH, [kind, number, device, *place, buttons])


@pytest.mark.parametrize("tool", ["select", "brush"])
@pytest.mark.parametrize("script", [BLUR, HIDE], ids=["blur", "hidden"])
async def test_a_touch_that_a_call_interrupts_at_once_is_no_tap_and_no_dab(
    app: MiniApp, tool: str, script: str
) -> None:
    box = await app.box()
    requests: list[str] = []
    app.page.on("request", lambda request: requests.append(request.url))
    await app.element(f"tool-{tool}").tap()
    await app.fingers.touch("touchStart", point_at(box, 0.5, 0.5))
    await app.frame.evaluate(script)
    await app.frame.evaluate(SHOW)
    await app.fingers.touch("touchEnd")
    await app.wait_until_still()
    await expect(app.element("undo")).to_be_disabled()
    assert not (await app.ink()).any()
    assert not [url for url in requests if url.endswith("/select")]
    await app.element("tool-brush").tap()
    expected, brush = await expected_mask(app), await app.brush()
    await app.fingers.stroke(across(box, 0.7))
    await painted(app, expected.line(across(box, 0.7), brush))


async def test_a_lasso_that_a_call_interrupts_is_closed_and_stays(app: MiniApp) -> None:
    box = await app.box()
    corners = [point_at(box, 0.2, 0.2), point_at(box, 0.7, 0.2), point_at(box, 0.7, 0.7), point_at(box, 0.3, 0.7)]
    await app.element("tool-lasso").tap()
    await app.fingers.stroke(polyline(*corners), lift=False)
    await app.frame.evaluate(HIDE)
    await expect(app.element("undo")).to_be_enabled()
    await app.frame.evaluate(SHOW)
    await app.fingers.touch("touchMove", point_at(box, 0.1, 0.9))
    await app.fingers.touch("touchEnd")
    await painted(app, (await expected_mask(app)).area(corners))


async def test_the_keyboard_comes_and_goes_during_a_stroke(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    await app.fingers.stroke(across(box, 0.4), lift=False)
    await app.page.set_viewport_size({"width": 390, "height": 500})
    await app.fingers.touch("touchMove", (200, 220))
    await app.fingers.touch("touchEnd")
    await app.wait_until_still()
    assert (await app.box())["y"] < box["y"], "the stage is smaller"
    await app.page.set_viewport_size({"width": 390, "height": 844})
    await app.frame.wait_for_function(
        "(y) => Math.abs(document.getElementById('picture').getBoundingClientRect().y - y) < 1",
        arg=box["y"] - (await app.chat.element("miniapp-frame").bounding_box() or box)["y"],
    )
    await app.fingers.stroke(across(box, 0.7))
    await painted(app, expected.line(across(box, 0.4), brush).line(across(box, 0.7), brush))


async def test_a_call_during_a_pinch_leaves_the_photo_where_it_is_and_the_next_finger_paints(app: MiniApp) -> None:
    x, y = await app.stage_middle()
    await app.fingers.touch("touchStart", (x - 40, y), (x + 40, y))
    for radius in range(44, 84, 4):
        await app.fingers.touch("touchMove", (x - radius, y), (x + radius, y))
    await app.frame.evaluate(HIDE)
    await app.frame.evaluate(LOSE_ENDS)
    await app.fingers.touch("touchEnd")
    await app.frame.evaluate(RESTORE_ENDS)
    await app.frame.evaluate(SHOW)
    await app.wait_until_still()
    zoomed, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    line = polyline((x - 150, y + 40), (x + 150, y + 40), steps=20)
    await app.fingers.stroke(line)
    assert await app.box() == zoomed
    await painted(app, expected.line(line, brush))


async def test_two_fingers_make_no_lasso_and_no_tap(app: MiniApp) -> None:
    x, y = point_at(await app.box(), 0.5, 0.5)
    for tool in ("lasso", "rect", "select"):
        await app.element(f"tool-{tool}").tap()
        await app.fingers.touch("touchStart", (x - 20, y))
        await app.fingers.touch("touchMove", (x - 22, y))
        await app.fingers.touch("touchStart", (x - 22, y), (x + 20, y))
        await app.fingers.touch("touchMove", (x - 40, y - 30), (x + 40, y + 30))
        await app.fingers.touch("touchEnd")
        await app.wait_until_still()
        await expect(app.element("undo")).to_be_disabled()
        assert await app.inside.locator("#outline polygon").get_attribute("points") in ("", None)


async def test_a_pen_lifted_out_of_sight_and_its_eraser_end(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    expected = await expected_mask(app)
    first, rubbed = across(box, 0.4), polyline(point_at(box, 0.4, 0.2), point_at(box, 0.4, 0.7), steps=20)
    await dispatch(app, "pointerdown", 71, "pen", first[0], 1)
    for point in first[1:]:
        await dispatch(app, "pointermove", 71, "pen", point, 1)
    for down in (0.5, 0.6, 0.7):  # it hovers
        await dispatch(app, "pointermove", 71, "pen", point_at(box, 0.85, down), 0)
    await expect(app.element("undo")).to_be_enabled()
    await dispatch(app, "pointerdown", 71, "pen", rubbed[0], 32)
    for point in rubbed[1:]:
        await dispatch(app, "pointermove", 71, "pen", point, 32)
    await dispatch(app, "pointerup", 71, "pen", rubbed[-1], 0)
    await painted(app, expected.line(first, brush).line(rubbed, brush, ink=False))


async def test_buttons_and_keys_that_are_held_when_a_call_comes_are_let_go(app: MiniApp, open_chat: OpenChat) -> None:
    box = await app.box()
    await app.fingers.stroke(across(box, 0.5))
    compare = await app.element("compare").bounding_box()
    slider = await app.element("size").bounding_box()
    assert compare is not None
    assert slider is not None
    await app.fingers.touch("touchStart", (compare["x"] + 22, compare["y"] + 22))
    await expect(app.inside.locator("#stage.comparing")).to_be_visible()
    await app.frame.evaluate(HIDE)
    await expect(app.inside.locator("#stage.comparing")).to_have_count(0)
    await app.frame.evaluate(SHOW)
    await app.fingers.touch("touchEnd")
    await app.fingers.touch("touchStart", (slider["x"] + slider["width"] * 0.3, slider["y"] + 22))
    await expect(app.inside.locator("#brush-ring")).to_be_visible()
    await app.frame.evaluate(BLUR)
    await expect(app.inside.locator("#brush-ring")).to_be_hidden()
    await app.fingers.touch("touchEnd")
    await expect(app.inside.locator("#brush-ring")).to_be_hidden()


async def test_a_space_bar_held_when_the_window_changes_moves_nothing_afterwards(open_chat: OpenChat) -> None:
    app = await MiniApp.prepare(await open_chat(), touch=False)
    await app.open(await send_for_erase(app.chat, JPEG))
    box, brush = await app.box(), await app.brush()
    expected, line = await expected_mask(app), across(box, 0.4)
    await app.page.mouse.move(*line[0])
    await app.page.keyboard.down("Space")
    await app.frame.evaluate(BLUR)
    await app.page.mouse.down()
    for point in line[1:]:
        await app.page.mouse.move(*point)
    await app.page.mouse.up()
    await app.page.keyboard.up("Space")
    assert await app.box() == box
    await painted(app, expected.line(line, brush))
