"""The Mini App by keyboard, in large text and in forced colours; both pages checked by axe-core."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Frame, Page, expect

from tests.page.chat_page import WORK_MS, ChatPage, OpenChat, jpeg, still
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.page.painted import ExpectedMask, Point, overlap, point_at
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
STEP = 12
"""CSS px that an arrow key moves the cursor."""

ZOOMED: dict[str, Any] = PHONE | {"viewport": {"width": 195, "height": 422}, "device_scale_factor": 4}
"""A phone at 200 %."""

DELIBERATE = "meta-viewport"
"""The photo zooms by two fingers; the page around it must not (docs/mini-app.md#accessibility)."""


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """The open Mini App in a desktop window, used by keyboard."""
    app = await MiniApp.prepare(await open_chat(), touch=False)
    await app.open(await send_for_erase(app.chat, JPEG))
    return app


async def found_by_axe(where: Page | Frame) -> dict[str, list[str]]:
    """The rules that a page breaks, at any impact, with the elements that break them; without the deliberate one.

    It waits for animations to end: half faded in, a text has less contrast.
    """
    await still(where)
    results = await Axe().run(where)
    return {
        violation["id"]: [f"{node['target']}: {node['failureSummary']}" for node in violation["nodes"]]
        for violation in results.response["violations"]
        if violation["id"] != DELIBERATE
    }


async def press(app: MiniApp, *keys: str) -> None:
    for key in keys:
        await app.page.keyboard.press(key)


async def move(app: MiniApp, right: int = 0, down: int = 0) -> None:
    """Move the cursor by this many steps."""
    await press(app, *["ArrowRight" if right > 0 else "ArrowLeft"] * abs(right))
    await press(app, *["ArrowDown" if down > 0 else "ArrowUp"] * abs(down))


async def focused(app: MiniApp) -> str | None:
    """Test id of the focused element in the Mini App."""
    name: str | None = await app.frame.evaluate("document.activeElement?.dataset?.testid ?? null")
    return name


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_mini_app(open_chat: OpenChat, scheme: str) -> None:
    app = await MiniApp.prepare(await open_chat(**PHONE, color_scheme=scheme))
    await app.open(await send_for_erase(app.chat, JPEG))
    assert await found_by_axe(app.page.main_frame) == {}, "the chat with the panel over it"
    assert await found_by_axe(app.frame) == {}
    for tool in ("select", "lasso", "eraser", "brush"):
        await app.element(f"tool-{tool}").tap()
        assert await found_by_axe(app.frame) == {}, tool
    box = await app.box()
    await app.fingers.stroke([point_at(box, 0.4, 0.4), point_at(box, 0.6, 0.6)])
    await app.fingers.pinch(await app.stage_middle(), (40, 120))
    await app.wait_until_still()
    assert await found_by_axe(app.frame) == {}, "zoomed"
    await app.erase()
    assert await found_by_axe(app.frame) == {}, "the result"


async def test_axe_finds_nothing_in_the_mini_apps_notice(open_chat: OpenChat, playground: str) -> None:
    chat = await open_chat(**PHONE)
    await chat.page.goto(f"{playground}/app?edit=none")
    await expect(chat.page.locator("#notice p")).to_contain_text("Open this from Telegram")
    assert await found_by_axe(chat.page) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_the_playground(open_chat: OpenChat, scheme: str) -> None:
    chat: ChatPage = await open_chat(**PHONE, color_scheme=scheme)
    assert await found_by_axe(chat.page) == {}, "empty"
    await chat.element("menu").click()
    assert await found_by_axe(chat.page) == {}, "menu"
    await chat.page.keyboard.press("Escape")
    await chat.choose(jpeg(JPEG))
    assert await found_by_axe(chat.page) == {}, "before sending"
    await chat.send("/remove_background")
    await chat.photo_of(chat.answers.first)
    assert await found_by_axe(chat.page) == {}, "result"
    await chat.answers.first.locator(".photo").first.click()
    assert await found_by_axe(chat.page) == {}, "viewer"


async def test_arrow_keys_reach_every_tool_also_those_that_do_nothing_now(app: MiniApp) -> None:
    await expect(app.element("clear")).to_be_disabled()
    await app.element("tool-brush").focus()
    await press(app, "ArrowLeft")
    assert await focused(app) == "clear"
    await press(app, "Enter", "ArrowLeft")
    assert await focused(app) == "invert"
    await press(app, "ArrowRight", "ArrowRight")
    assert await focused(app) == "tool-brush"
    await press(app, "End")
    assert await focused(app) == "clear"
    await press(app, "Shift+Tab")
    assert await focused(app) == "size"
    await press(app, "Tab")
    assert await focused(app) == "clear", "the toolbar is entered where it was left"
    await press(app, "Home")
    assert await focused(app) == "tool-brush"


async def test_a_button_that_can_no_longer_be_pressed_keeps_the_focus(app: MiniApp) -> None:
    await move(app, right=1)
    await press(app, "Space")
    await expect(app.main_button).to_be_enabled()
    await app.element("undo").focus()
    await press(app, "Enter")
    await expect(app.element("undo")).to_be_disabled()
    assert await focused(app) == "undo"
    await press(app, "Enter")  # it does nothing now
    await press(app, "Tab")
    assert await focused(app) == "redo"
    await press(app, "Enter")
    await expect(app.element("undo")).to_be_enabled()
    assert await focused(app) == "redo"


async def test_a_button_that_disappears_hands_the_focus_to_the_photo(app: MiniApp) -> None:
    await press(app, "+", "+")
    await app.element("fit").focus()
    await press(app, "Enter")
    await expect(app.element("fit")).to_be_hidden()
    assert await focused(app) == "stage"


async def test_the_photo_is_painted_and_erased_by_keyboard_alone(app: MiniApp) -> None:
    box, (x, y), brush = await app.box(), await app.stage_middle(), await app.brush()
    await app.element("tool-brush").focus()
    await press(app, "Shift+Tab", "Shift+Tab")
    assert await focused(app) == "stage"

    await move(app, right=-8, down=-4)
    await expect(app.element("status")).to_have_text("Arrow keys move, Space paints, Enter erases")
    await press(app, "Space")
    dot = (x - 8 * STEP, y - 4 * STEP)
    await move(app, down=8)
    await app.page.keyboard.down("Space")
    await move(app, right=10)
    await app.page.keyboard.up("Space")
    line = [(x - 8 * STEP, y + 4 * STEP), (x + 2 * STEP, y + 4 * STEP)]
    await press(app, "Shift+ArrowUp")  # a sixth of a step, and nothing is painted
    await press(app, "r", "Space")
    await move(app, right=4, down=-8)
    await press(app, "Space")
    corner: Point = (x + 2 * STEP, y + 4 * STEP - STEP / 6)
    frame = [corner, (corner[0] + 48, corner[1]), (corner[0] + 48, corner[1] - 96), (corner[0], corner[1] - 96)]

    upload = await send_by_enter(app)
    expected = ExpectedMask(box, upload.image.size)
    expected.line([dot, dot], brush).line(line, brush).area(frame)
    assert overlap(expected.painted, upload.painted) >= 0.98
    await app.finished()
    assert await focused(app) == "stage"


async def send_by_enter(app: MiniApp) -> Any:
    before = len(app.uploads)
    await press(app, "Enter")
    await app.finished()
    assert len(app.uploads) == before + 1
    return app.uploads[-1]


async def test_lasso_and_tap_by_keyboard(app: MiniApp) -> None:
    box, (x, y) = await app.box(), await app.stage_middle()
    await press(app, "s")
    await move(app, right=1)
    await press(app, "Space")
    await expect(app.element("status")).to_have_text("Tap to add or take away", timeout=WORK_MS)
    await press(app, "z")
    await expect(app.main_button).to_be_disabled()
    await press(app, "l")
    await app.page.keyboard.down("Space")  # also held, as one draws with the brush
    await move(app, right=6)
    await move(app, down=6)
    await move(app, right=-6)
    await app.page.keyboard.up("Space")
    start = (x + STEP, y)
    loop = [start, (start[0] + 72, start[1]), (start[0] + 72, start[1] + 72), (start[0], start[1] + 72)]
    upload = await send_by_enter(app)
    assert overlap(ExpectedMask(box, upload.image.size).area(loop).painted, upload.painted) >= 0.98


async def test_a_zoomed_photo_moves_when_the_cursor_reaches_the_border(app: MiniApp) -> None:
    await move(app, right=1)
    await press(app, "+", "+", "+", "+")
    before = await app.box()
    stage = await app.element("stage").bounding_box()
    assert stage is not None
    steps = int(stage["width"] / 2 / STEP) + 5
    await move(app, right=steps)
    await app.wait_until_still()
    assert (await app.box())["x"] < before["x"] - 2 * STEP
    ring = await app.inside.locator("#brush-ring").bounding_box()
    assert ring is not None
    assert ring["x"] + ring["width"] / 2 < stage["x"] + stage["width"], "it stays in sight"
    await press(app, "Escape")


async def test_a_stroke_by_key_ends_when_the_key_is_lost_and_escape_drops_it(app: MiniApp) -> None:
    await move(app, right=1)
    await app.page.keyboard.down("Space")
    await move(app, right=3)
    await app.frame.evaluate("() => dispatchEvent(new Event('blur'))")
    await expect(app.main_button).to_be_enabled()
    await app.page.keyboard.up("Space")
    before = await app.ink()
    await move(app, right=3)
    assert overlap(await app.ink(), before) > 0.99, "nothing is painted any more"
    await app.page.keyboard.down("Space")
    await move(app, down=5)
    await press(app, "Escape")
    await app.page.keyboard.up("Space")
    await app.wait_until_still()
    assert overlap(await app.ink(), before) > 0.99, "what was begun is dropped"
    await press(app, "z")
    await expect(app.main_button).to_be_disabled()


async def test_a_mouse_that_moves_during_a_stroke_by_key_changes_nothing(app: MiniApp) -> None:
    box, (x, y), brush = await app.box(), await app.stage_middle(), await app.brush()
    await move(app, right=-4)
    await app.page.keyboard.down("Space")
    await move(app, right=4)
    await app.page.mouse.move(x + 50, y + 50)
    await move(app, right=4)
    await app.page.keyboard.up("Space")
    await app.page.mouse.move(x + 60, y + 60)
    upload = await send_by_enter(app)
    line = [(x - 4 * STEP, y), (x + 4 * STEP, y)]
    assert overlap(ExpectedMask(box, upload.image.size).line(line, brush).painted, upload.painted) >= 0.98


async def test_space_held_before_the_first_arrow_does_not_stay_held(app: MiniApp) -> None:
    box, brush = await app.box(), await app.brush()
    await app.page.keyboard.down("Space")
    await move(app, right=2)
    await app.page.keyboard.up("Space")
    start, end = point_at(box, 0.3, 0.3), point_at(box, 0.6, 0.3)
    await app.page.mouse.move(*start)
    await app.page.mouse.down()
    await app.page.mouse.move(*end, steps=5)
    await app.page.mouse.up()
    upload = await send_by_enter(app)
    assert overlap(ExpectedMask(box, upload.image.size).line([start, end], brush).painted, upload.painted) >= 0.98


async def test_an_outline_that_cannot_begin_leaves_the_keys_free(app: MiniApp) -> None:
    await app.page.emulate_media(reduced_motion="no-preference")
    await press(app, "l")
    await move(app, right=1)
    await press(app, "+")
    await app.frame.evaluate(  # at once: while the photo glides back to its place it takes no stroke
        """() => {
            dispatchEvent(new KeyboardEvent('keydown', { key: '0' }));
            const space = { key: ' ', code: 'Space' };
            for (const type of ['keydown', 'keyup']) dispatchEvent(new KeyboardEvent(type, space));
        }"""
    )
    await expect(app.element("fit")).to_be_hidden()
    await app.wait_until_still()
    await press(app, "Space")
    await move(app, right=4)
    await move(app, down=4)
    await press(app, "Space")
    await expect(app.main_button).to_be_enabled()
    await press(app, "z")
    await press(app, "Space")
    await move(app, right=4)
    await press(app, "z")  # drops the outline that is open
    await expect(app.main_button).to_be_disabled()
    await press(app, "b", "Space")
    await expect(app.main_button).to_be_enabled()


async def test_the_slider_keeps_its_own_keys(app: MiniApp) -> None:
    await move(app, right=1)
    await press(app, "Space")
    await expect(app.main_button).to_be_enabled()
    await app.element("size").focus()
    before = await app.brush()
    await press(app, "ArrowRight", "ArrowRight", "Enter", "Space")
    assert await app.brush() > before
    await expect(app.inside.locator("body.working")).to_have_count(0)
    await press(app, "Escape")
    assert not app.uploads


async def test_every_control_is_in_sight_at_200_percent(open_chat: OpenChat) -> None:
    app = await MiniApp.prepare(await open_chat(**ZOOMED))
    await app.open(await send_for_erase(app.chat, JPEG))
    assert await hidden_or_covered(app) == []
    stage = await app.element("stage").bounding_box()
    assert stage is not None
    assert stage["height"] >= 90
    box = await app.box()
    await app.fingers.stroke([point_at(box, 0.4, 0.4), point_at(box, 0.6, 0.6)])
    await app.erase()
    assert await hidden_or_covered(app) == []


async def hidden_or_covered(app: MiniApp) -> list[str]:
    """Test ids of the controls that are shown, but cannot be pressed in their middle."""
    covered: list[str] = await app.frame.evaluate(
        """() => [...document.querySelectorAll('button, input')].filter((control) => {
            const { left, top, width, height } = control.getBoundingClientRect();
            const hit = document.elementFromPoint(left + width / 2, top + height / 2);
            return width && hit !== control && !control.contains(hit);
        }).map((control) => control.dataset.testid)"""
    )
    return covered


async def test_the_chosen_tool_is_seen_in_forced_colours(open_chat: OpenChat) -> None:
    app = await MiniApp.prepare(await open_chat(**PHONE, forced_colors="active"))
    await app.open(await send_for_erase(app.chat, JPEG))
    fills: dict[str, str] = await app.frame.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('#tools button')].map(
            (button) => [button.dataset.testid, getComputedStyle(button).backgroundColor]))"""
    )
    assert [name for name, fill in fills.items() if fill != fills["clear"]] == ["tool-brush"]
    off, on = [
        await app.element(name).evaluate("(button) => getComputedStyle(button).color") for name in ("clear", "invert")
    ]
    assert off != on
    box = await app.box()
    await app.fingers.stroke([point_at(box, 0.4, 0.4), point_at(box, 0.6, 0.6)])
    shown = await app.screenshot()
    height, width, _ = shown.shape
    red, green, _ = (int(value) for value in shown[int(height * 0.45), int(width * 0.45)])
    assert red > green + 60, "the ink keeps its colour"


async def test_the_mask_is_not_redrawn_in_every_frame_while_an_edit_runs(app: MiniApp) -> None:
    """Without a graphics card, and on a phone's battery, a mask that fades sixty times a second is dear."""
    await app.page.emulate_media(reduced_motion="no-preference")
    shades = await app.frame.evaluate(
        """() => {
            document.body.classList.add("working");
            const mask = document.getElementById("mask");
            const [breathing] = mask.getAnimations().filter((one) => one instanceof CSSAnimation);
            breathing.pause();
            const shades = new Set();
            for (let time = 0; time < 1400; time += 10) {
                breathing.currentTime = time;
                shades.add(getComputedStyle(mask).opacity);
            }
            document.body.classList.remove("working");
            return shades.size;
        }"""
    )
    assert 4 <= shades <= 10
