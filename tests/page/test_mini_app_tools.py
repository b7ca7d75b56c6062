"""The Mini App's tools, its keyboard shortcuts, and access by others."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Route, expect

from bot.playground import Telegram
from bot.playground.mini_app import init_data
from tests.page.chat_page import WORK_MS, OpenChat, jpeg
from tests.page.mini_app import PHONE, MiniApp, known_telegram, send_for_erase
from tests.page.painted import ExpectedMask, Point, overlap, point_at, polyline, wave
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
ALIKE = 0.98


@pytest.fixture(scope="module", autouse=True)
def telegram() -> Iterator[Telegram]:
    """The Telegram that the program uses; its token can sign initData for other people."""
    with known_telegram() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone with the chat; the Mini App is not open yet."""
    return await MiniApp.prepare(await open_chat(**PHONE))


@pytest_asyncio.fixture(loop_scope="module")
async def web(playground: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(playground) as session:
        yield session


def block(shape: tuple[int, ...]) -> np.ndarray:
    """Where the scene's red block is in a mask of this shape."""
    height, width = shape
    mask = np.zeros(shape, bool)
    mask[height // 3 : height * 2 // 3, width // 3 : width * 2 // 3] = True
    return mask


async def test_rectangle_eraser_lasso_swap_and_clear_produce_the_mask_on_the_screen(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    box = await app.box()
    await app.element("tool-rect").tap()
    await app.fingers.stroke([point_at(box, 0.2, 0.2), point_at(box, 0.4, 0.4), point_at(box, 0.6, 0.8)])
    await app.element("tool-eraser").tap()
    rubbed = polyline(point_at(box, 0.1, 0.5), point_at(box, 0.7, 0.5), steps=12)
    await app.fingers.stroke(rubbed)
    await app.element("tool-lasso").tap()
    loop = [point_at(box, 0.8 + 0.12 * math.cos(n / 3.2), 0.5 + 0.3 * math.sin(n / 3.2)) for n in range(20)]
    await app.fingers.stroke(loop)
    await app.element("invert").tap()
    await app.element("invert").tap()
    await app.element("clear").tap()
    await expect(app.main_button).to_be_disabled()
    await app.element("undo").tap()
    upload = await app.send()
    corners = [point_at(box, 0.2, 0.2), point_at(box, 0.6, 0.2), point_at(box, 0.6, 0.8), point_at(box, 0.2, 0.8)]
    expected = ExpectedMask(box, upload.image.size).area(corners).line(rubbed, await app.brush(), ink=False).area(loop)
    assert overlap(expected.painted, upload.painted) >= ALIKE
    await app.finished()


async def test_a_tap_of_the_brush_paints_a_dot_and_one_of_the_eraser_removes_one(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    box = await app.box()
    dot, gap = point_at(box, 0.3, 0.4), point_at(box, 0.6, 0.6)
    await app.fingers.tap(dot)
    await app.wait_until_still()
    assert (await app.ink()).any()
    await app.element("tool-rect").tap()
    await app.fingers.stroke([point_at(box, 0.5, 0.5), point_at(box, 0.6, 0.6), point_at(box, 0.7, 0.7)])
    await app.element("tool-eraser").tap()
    await app.fingers.tap(gap)
    upload = await app.erase()
    corners = [point_at(box, 0.5, 0.5), point_at(box, 0.7, 0.5), point_at(box, 0.7, 0.7), point_at(box, 0.5, 0.7)]
    expected = ExpectedMask(box, upload.image.size).area(corners).line([dot, dot], await app.brush())
    expected.line([gap, gap], await app.brush(), ink=False)
    assert overlap(expected.painted, upload.painted) >= ALIKE


async def test_a_tap_selects_an_object_and_a_tap_on_it_deselects_it(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    box = await app.box()
    await app.element("tool-select").tap()
    await app.fingers.tap(point_at(box, 0.5, 0.5))
    await expect(app.element("status")).to_have_text("Tap to add or take away", timeout=WORK_MS)
    await expect(app.main_button).to_be_enabled()
    await app.element("undo").tap()
    await expect(app.main_button).to_be_disabled()
    await app.element("redo").tap()
    upload = await app.erase()
    expected = block(upload.painted.shape)
    assert (expected & upload.painted).sum() / expected.sum() > 0.97, "all of it"
    assert overlap(expected, upload.painted) > 0.7, "and little else"
    shown = await app.stage_picture()
    assert not ((shown[..., 0] > 150) & (shown[..., 1] < 90)).any()


async def test_fix_by_hand_opens_with_the_found_subject_painted(app: MiniApp) -> None:
    await app.chat.choose(jpeg(JPEG))
    await app.chat.send("/remove_subject")
    automatic = await app.chat.by_message_id(app.chat.answers.first)
    await app.chat.photo_of(automatic)
    await app.open(automatic, "Fix")
    await expect(app.main_button).to_be_enabled()
    box = await app.box()
    await app.element("tool-rect").tap()
    await app.fingers.stroke([point_at(box, 0.05, 0.05), point_at(box, 0.1, 0.1), point_at(box, 0.15, 0.2)])
    upload = await app.erase()
    height, width = upload.painted.shape
    expected = block(upload.painted.shape)
    assert (expected & upload.painted).sum() / expected.sum() > 0.97, "what was found"
    assert upload.painted[height // 8, width // 10], "what was added"
    assert not upload.painted[-height // 10 :].any(), "nothing else"


async def test_keyboard_shortcuts(open_chat: OpenChat) -> None:
    app = await MiniApp.prepare(await open_chat(), touch=False)
    await app.open(await send_for_erase(app.chat, JPEG))
    keys, mouse = app.page.keyboard, app.page.mouse
    box = await app.box()

    async def drag(*points: Point) -> None:
        await mouse.move(*points[0])
        await mouse.down()
        for point in points[1:]:
            await mouse.move(*point)
        await mouse.up()

    before = await app.brush()
    await keys.press("]")
    await keys.press("]")
    assert await app.brush() > before
    await keys.press("[")
    await keys.press("[")
    assert await app.brush() == pytest.approx(before)

    stage = await app.inside.locator("#stage").bounding_box()
    assert stage is not None
    above = stage["y"] - 30  # outside the stage, where mouse events arrive only while the pointer is captured
    outside = (point_at(box, 0.4, 0)[0], above), (point_at(box, 0.6, 0)[0], above)
    line = polyline(point_at(box, 0.2, 0.7), *outside, point_at(box, 0.7, 0.6))
    await drag(*line)
    await expect(app.main_button).to_be_enabled()
    await keys.press("z")
    await expect(app.main_button).to_be_disabled()
    await keys.press("Shift+Z")
    await expect(app.main_button).to_be_enabled()
    for key, tool in (("l", "lasso"), ("e", "eraser"), ("b", "brush")):
        await keys.press(key)
        await expect(app.element(f"tool-{tool}")).to_have_attribute("aria-pressed", "true")

    await mouse.move(*point_at(box, 0.3, 0.3))
    await mouse.wheel(0, -500)
    await expect(app.element("fit")).to_be_visible()
    await app.wait_until_still()
    zoomed = await app.box()
    assert zoomed["width"] > box["width"] * 1.5
    assert point_at(zoomed, 0.3, 0.3) == pytest.approx(point_at(box, 0.3, 0.3), abs=2), (
        "what is under the mouse stays there"
    )
    await keys.down("Space")
    await drag(point_at(box, 0.5, 0.5), point_at(box, 0.4, 0.4), point_at(box, 0.3, 0.4))
    await keys.up("Space")
    await app.wait_until_still()
    dragged = await app.box()
    assert dragged["x"] - zoomed["x"] == pytest.approx(-0.2 * box["width"], abs=3)
    await keys.press("Escape")
    await expect(app.element("fit")).to_be_hidden()
    await app.wait_until_still()
    assert (await app.box())["width"] == pytest.approx(box["width"], abs=1)

    await mouse.move(*point_at(box, 0.5, 0.9))
    await mouse.down()
    await mouse.move(*point_at(box, 0.9, 0.9))
    await keys.press("Escape")
    await mouse.up()
    await keys.press("Enter")
    await app.finished()
    upload = app.uploads[-1]
    assert overlap(ExpectedMask(box, upload.image.size).line(line, before).painted, upload.painted) >= ALIKE


async def test_a_mask_whose_response_was_lost_is_sent_again_and_erased_once(app: MiniApp) -> None:
    answer = await send_for_erase(app.chat, JPEG)
    await app.open(answer)
    lost = []

    async def lose_one(route: Route) -> None:
        if lost:
            return await route.continue_()
        lost.append(await route.fetch())
        return await route.abort("connectionreset")

    app.chat.expected_errors = ("net::ERR_CONNECTION_RESET",)
    await app.page.route("**/api/edits/*/mask", lose_one)
    await app.fingers.stroke(wave(await app.box()))
    await app.erase()
    assert lost[0].status == 202
    assert [upload.data for upload in app.uploads] == [app.uploads[0].data] * 2
    await app.chat.photo_of(answer)
    await expect(app.chat.answers).to_have_count(1)


async def test_the_edit_of_another_person_is_not_found(
    app: MiniApp, web: aiohttp.ClientSession, telegram: Telegram
) -> None:
    await app.open(await send_for_erase(app.chat, JPEG))
    edit = parse_qs(urlsplit(app.frame.url).query)["edit"][0]
    owner = await app.frame.evaluate("Telegram.WebApp.initData")
    stranger = init_data(telegram.token, {"id": 4242, "first_name": "Eve", "language_code": "en"})
    png = encoded(Image.new("1", (320, 240), 1), "PNG")
    routes = [
        ("GET", "", None),
        ("GET", "/photo", None),
        ("GET", "/mask", None),
        ("GET", "/result", None),
        ("GET", "/result?preview=1", None),
        ("GET", "/events", None),
        ("POST", "/mask", png),
        ("POST", "/select", b'{"points": [{"x": 1, "y": 1, "keep": true}]}'),
        ("POST", "/cancel", None),
    ]

    async def session(signed: str) -> dict[str, str]:
        async with web.post("/api/session", headers={"Authorization": f"tma {signed}"}) as answer:
            assert answer.status == 200
            return {"Authorization": f"Bearer {(await answer.json())['token']}"}

    headers = await session(stranger)
    answers = set()
    for method, path, body in routes:
        kind = {"Content-Type": "image/png" if body == png else "application/json"} if body else {}
        async with web.request(method, f"/api/edits/{edit}{path}", data=body, headers=headers | kind) as answer:
            assert answer.status == 404, path
            answers.add(await answer.text())
    async with web.get("/api/edits/nothing", headers=headers) as answer:
        assert answer.status == 404
        assert answers == {await answer.text()}, "the same answer as for an edit that does not exist"
    async with web.get(f"/api/edits/{edit}", headers=await session(owner)) as answer:
        assert answer.status == 200
        assert (await answer.json())["state"] == "waiting_for_mask"


async def test_opened_outside_telegram_it_says_how_to_open_it(app: MiniApp) -> None:
    await app.page.goto(f"{app.chat.url}/app?edit=anything")
    notice = app.page.locator("#notice")
    await expect(notice).to_contain_text("Open this from Telegram: send the bot a photo with /erase")
    await expect(app.page.locator("#app")).to_be_hidden()
