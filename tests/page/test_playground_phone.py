"""The chat page on a phone with a dark theme and a touch screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Locator, expect

from tests.page.chat_page import ChatPage, OpenChat, jpeg
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene())
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "dark",
}


@pytest_asyncio.fixture(loop_scope="module")
async def phone(open_chat: OpenChat) -> ChatPage:
    return await open_chat(**PHONE)


@pytest_asyncio.fixture(loop_scope="module")
async def fingers(phone: ChatPage) -> AsyncIterator[Fingers]:
    session = await phone.page.context.new_cdp_session(phone.page)
    yield Fingers(session)
    await session.detach()


class Fingers:
    """Sends touch events as a touch screen does."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def _touch(self, kind: str, points: Sequence[tuple[float, float]] = ()) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    async def down(self, *points: tuple[float, float]) -> None:
        await self._touch("touchStart", points)

    async def move(self, *points: tuple[float, float]) -> None:
        await self._touch("touchMove", points)

    async def up(self) -> None:
        await self._touch("touchEnd")


async def middle(element: Locator) -> tuple[float, float]:
    await element.scroll_into_view_if_needed()
    box = await element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def test_nothing_scrolls_horizontally(phone: ChatPage) -> None:
    assert not await phone.horizontal_overflow(), "empty"
    await phone.element("start").tap()
    await expect(phone.answers).to_have_count(1)
    assert not await phone.horizontal_overflow(), "greeted"
    await phone.element("menu").tap()
    await expect(phone.element("clear")).to_be_visible()
    assert not await phone.horizontal_overflow(), "menu"
    await phone.page.touchscreen.tap(180, 400)
    await phone.element("commands-button").tap()
    await expect(phone.element("command").first).to_be_visible()
    assert not await phone.horizontal_overflow(), "commands"
    await phone.element("commands-button").tap()
    await phone.write("w" * 300 + " https://example.org/" + "a" * 200)
    await expect(phone.answers).to_have_count(2)
    assert not await phone.horizontal_overflow(), "long words"
    await phone.choose(jpeg(JPEG, "a rather long name " * 8 + ".jpg"))
    assert not await phone.horizontal_overflow(), "dialog"
    await phone.chip("/remove_background").tap()
    await phone.element("dialog-send").tap()
    await phone.photo_of(phone.answers.nth(2))
    assert not await phone.horizontal_overflow(), "picture with buttons"
    await phone.choose(jpeg(encoded(scene(2000, 120)), "wide.jpg"))
    await phone.send(as_file=True)
    await expect(phone.answers).to_have_count(4)
    assert not await phone.horizontal_overflow(), "file"


async def test_the_page_follows_the_phones_dark_theme(phone: ChatPage) -> None:
    async def brightness(of: str, what: str) -> float:
        script = "(e, what) => getComputedStyle(e)[what].match(/[\\d.]+/g).slice(0, 3).map(Number)"
        return sum(await phone.page.locator(of).first.evaluate(script, what)) / 3

    await phone.write("hello")
    await expect(phone.answers).to_have_count(1)
    for part in ("body", ".bar", ".message.bot .bubble"):
        assert await brightness(part, "backgroundColor") < 80
    assert await brightness(".message.bot .text", "color") > 180
    await phone.page.emulate_media(color_scheme="light")
    assert await brightness("body", "backgroundColor") > 180
    assert await brightness(".message.bot .text", "color") < 80


async def small_targets(phone: ChatPage) -> list[str]:
    """Controls that are smaller than 40×40 px for a finger."""
    missed: list[str] = await phone.page.evaluate(
        """() => [...document.querySelectorAll("button, textarea, label.switch")]
            .filter((e) => e.checkVisibility() && !e.closest(".text"))
            .filter((e) => {
                const box = e.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                const hits = (dx, dy) => e.contains(document.elementFromPoint(x + dx, y + dy));
                return hits(0, 0) && ![[-20, 0], [20, 0], [0, -20], [0, 20]].every(([dx, dy]) => hits(dx, dy));
            })
            .map((e) => e.id || e.className)"""
    )
    return missed


async def test_touch_targets_are_large_enough(phone: ChatPage) -> None:
    await expect(phone.element("sample")).to_have_count(4)
    assert not await small_targets(phone), "empty"
    await phone.choose(jpeg(JPEG), jpeg(JPEG, "another.jpg"))
    assert not await small_targets(phone), "photos"
    await phone.element("as-file").tap()
    assert not await small_targets(phone), "files"
    await phone.page.get_by_label("Remove another.jpg").tap()
    await expect(phone.element("preview-file")).to_have_count(1)
    await phone.element("as-file").tap()
    await phone.element("dialog-send").tap()
    await expect(phone.answers.first.get_by_test_id("inline-button")).to_have_count(3)
    assert not await small_targets(phone), "buttons"


async def test_nothing_glides_for_a_person_who_asked_for_less_motion(phone: ChatPage) -> None:
    await phone.choose(jpeg(JPEG), jpeg(JPEG, "another.jpg"))
    gliding = await phone.page.evaluate(
        """() => {
            document.getElementById("as-file").click();
            return document.getAnimations().filter((one) => one instanceof CSSTransition).length;
        }"""
    )
    assert gliding == 0


async def test_a_swipe_replies_with_a_command(phone: ChatPage, fingers: Fingers) -> None:
    await phone.choose(jpeg(JPEG))
    await phone.send()
    await expect(phone.answers).to_have_count(1)
    x, y = await middle(phone.own.first.locator(".photo"))
    await fingers.down((x, y))
    for step in range(1, 10):
        await fingers.move((x - step * 9, y))
    await fingers.up()
    await expect(phone.element("reply-bar")).to_be_visible()
    await expect(phone.element("viewer")).to_be_hidden()
    await phone.write("/remove_subject")  # by the keyboard: so soon after a swipe the browser takes no tap
    await expect(phone.own.nth(1).get_by_test_id("reply-quote")).to_be_visible()
    await phone.photo_of(phone.answers.nth(1))


async def test_a_long_press_opens_the_menu_and_a_tap_the_picture(phone: ChatPage, fingers: Fingers) -> None:
    await phone.choose(jpeg(JPEG))
    await phone.send()
    await expect(phone.answers).to_have_count(1)
    photo = phone.own.first.locator(".photo")
    await fingers.down(await middle(photo))
    await expect(phone.element("menu-reply")).to_be_visible()
    await fingers.up()
    await expect(phone.element("viewer")).to_be_hidden()
    await phone.element("menu-reply").tap()
    await expect(phone.element("reply-bar")).to_be_visible()
    await photo.tap()
    image = phone.element("viewer").locator("img")
    await expect(image).to_be_visible()
    before = (await image.bounding_box() or {})["width"]
    await fingers.down((150, 370), (210, 370))
    for step in range(1, 11):
        await fingers.move((150 - step * 6, 370), (210 + step * 6, 370))
    await fingers.up()
    await expect(phone.element("viewer")).to_be_visible()
    assert (await image.bounding_box() or {})["width"] > before * 1.5, "two fingers enlarge it"
    await phone.page.go_back()
    await expect(phone.element("viewer")).to_be_hidden()
    await expect(phone.messages).to_have_count(2)
