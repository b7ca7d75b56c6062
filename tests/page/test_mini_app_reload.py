"""Opening the Mini App again is light: the browser keeps the previews, the server says that they are the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import BrowserContext, Page, expect

from tests.page.chat_page import WORK_MS, OpenChat
from tests.page.mini_app import PHONE, MiniApp, send_for_erase
from tests.support import encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

BYTES_A_SECOND = 400_000 / 8
"""A slow mobile line."""

ROUND_TRIP = 0.1
"""Seconds."""


def grainy(width: int, height: int) -> bytes:
    """A photo whose preview is as heavy as a real one's."""
    grain = np.random.default_rng(5).normal(128, 40, (height // 4, width // 4, 3)).clip(0, 255).astype(np.uint8)
    return encoded(Image.fromarray(grain).resize((width, height), Image.Resampling.BICUBIC))


@dataclass
class Opening:
    """What one opening of the page took.

    Attributes:
        received: Bytes from the network, headers and compressed bodies, by path.
        sides: The previews' long sides that were asked for.
        seconds: Until the photo was visible.
    """

    received: dict[str, int] = field(default_factory=dict)
    sides: list[str] = field(default_factory=list)
    seconds: float = 0


async def open_slowly(context: BrowserContext, address: str) -> tuple[Page, Opening]:
    """Open the Mini App as Telegram does, in a web view of its own, on a slow line."""
    page, opening, paths = await context.new_page(), Opening(), {}
    network = await context.new_cdp_session(page)

    def sent(event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        paths[event["requestId"]] = url.partition("?")[0].rpartition("/")[2] or url
        if "side=" in url:
            opening.sides.append(url.rpartition("side=")[2])

    def finished(event: dict[str, Any]) -> None:
        path = paths[event["requestId"]]
        opening.received[path] = opening.received.get(path, 0) + event["encodedDataLength"]

    network.on("Network.requestWillBeSent", sent)
    network.on("Network.loadingFinished", finished)
    await network.send("Network.enable")
    slow = {"offline": False, "latency": 1000 * ROUND_TRIP, "downloadThroughput": BYTES_A_SECOND}
    await network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": BYTES_A_SECOND})
    await page.goto(address, wait_until="commit")
    opening.seconds = 0.001 * await page.evaluate(
        """async () => {
            while (!document.querySelector("#picture.ready")) await new Promise(requestAnimationFrame);
            return performance.now();
        }"""
    )
    return page, opening


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone on which the Mini App is open."""
    app = await MiniApp.prepare(await open_chat(**PHONE))
    await app.open(await send_for_erase(app.chat, grainy(2400, 1800), as_file=True))
    return app


async def test_the_second_opening_takes_a_second_on_a_slow_line(app: MiniApp) -> None:
    context, address = app.page.context, app.frame.url
    first_page, _ = await open_slowly(context, address)
    await first_page.close()
    _, second = await open_slowly(context, address)
    print(f"second opening: {second.seconds:.2f} s, {sum(second.received.values())} bytes: {second.received}")
    assert second.received["photo"] < 1000, "it is in the browser's cache"
    assert sum(second.received.values()) < 0.5 * BYTES_A_SECOND


async def test_the_preview_is_as_large_as_the_screen_and_larger_when_one_zooms(app: MiniApp) -> None:
    page, opening = await open_slowly(app.page.context, app.frame.url)
    assert opening.sides == ["768"], "374 px wide at 2 pixels a CSS pixel"
    width = "document.getElementById('image').naturalWidth"
    assert await page.evaluate(width) == 768
    await expect(page.locator("body:not(.working)")).to_be_visible(timeout=WORK_MS)
    for _ in range(3):
        await page.keyboard.press("+")
    async with page.expect_request("**/photo?side=1536"):
        pass
    await page.wait_for_function(f"() => {width} === 1536")
    assert opening.sides == ["768", "1536"]
    await page.keyboard.press("0")
    await expect(page.get_by_test_id("fit")).to_be_hidden()
    assert opening.sides == ["768", "1536"], "a smaller one is never needed"


async def test_a_deleted_photo_is_not_shown_from_the_browsers_cache(app: MiniApp) -> None:
    address = app.frame.url
    await app.chat.element("miniapp-close").tap()
    await app.chat.write("/delete_my_data")
    await app.press(app.chat.button(app.chat.answers.last, "Delete everything"))
    await expect(app.chat.answers.last).to_contain_text("Deleted here")
    page = await app.page.context.new_page()
    app.chat.expected_errors = ("404 (Not Found)",)
    await page.goto(address)
    await expect(page.locator("#notice")).to_contain_text("This photo is no longer here")
    assert await page.evaluate("document.getElementById('image').src") == ""
