"""A driver for the chat page; it also records console errors and external requests."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.async_api import ConsoleMessage, Error, FilePayload, Frame, Locator, Page, Request, expect

WORK_MS = 60_000
"""How long an edit may take on a busy machine."""


class ChatPage:
    """One browser's view of the chat.

    Args:
        page: An empty page in a new browser context.
        url: The playground's address.

    Attributes:
        problems: Errors and warnings of the console, including policy violations and uncaught exceptions.
        external_requests: Requests to other addresses than the playground's.
        expected_errors: Parts of console errors that the test expects.
        expect_page_errors: Whether the test breaks the page, so that errors are expected.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.external_requests: list[str] = []
        self.expected_errors: tuple[str, ...] = ()
        self.expect_page_errors = False
        page.set_default_timeout(30_000)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        page.context.on("request", self._on_request)

    async def open(self) -> None:
        """Open the page, and wait until it is connected."""
        await self.page.goto(f"{self.url}/playground")
        await self.connected()

    async def connected(self) -> None:
        """Wait until the page follows the chat."""
        await expect(self.page.locator("#status")).to_have_text("bot")

    def element(self, name: str) -> Locator:
        """The element with this test id."""
        return self.page.get_by_test_id(name)

    @property
    def messages(self) -> Locator:
        """All messages."""
        return self.element("message")

    @property
    def answers(self) -> Locator:
        """The bot's messages."""
        return self.page.locator("[data-testid=message][data-from=bot]")

    @property
    def own(self) -> Locator:
        """The person's messages."""
        return self.page.locator("[data-testid=message][data-from=me]")

    async def write(self, text: str) -> None:
        """Type and send a text."""
        await self.element("composer-text").fill(text)
        await self.page.keyboard.press("Enter")

    async def choose(self, *files: FilePayload) -> None:
        """Choose files; the dialog before sending opens."""
        await self.element("file-input").set_input_files(files)
        await expect(self.element("preview")).to_be_visible()

    async def send(self, command: str = "", *, as_file: bool = False) -> None:
        """Send the files of the dialog, with the command of this chip."""
        if as_file:
            await self.element("as-file").check()
        if command:
            await self.chip(command).click()
        await self.element("dialog-send").click()
        await expect(self.element("preview")).to_be_hidden()

    def chip(self, command: str) -> Locator:
        """The chip in the dialog that fills in this command."""
        return self.element("chip").filter(has_text=command)

    async def by_message_id(self, message: Locator) -> Locator:
        """A locator of the same message that stays valid when others follow."""
        number = await message.get_attribute("data-message-id")
        return self.page.locator(f"[data-message-id='{number}']")

    def button(self, message: Locator, label: str) -> Locator:
        """The button below a message whose label contains these words."""
        return message.get_by_test_id("inline-button").filter(has_text=label)

    async def record_answers(self) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
        """Record each state of the bot's messages from now on; returns a function that gives them."""
        await self.page.evaluate(
            """() => {
                window.states = [];
                new MutationObserver(() => {
                    for (const message of document.querySelectorAll("[data-testid=message][data-from=bot]")) {
                        const buttons = [...message.querySelectorAll("[data-testid=inline-button]")];
                        window.states.push({
                            id: message.dataset.messageId,
                            buttons: buttons.map((button) => button.textContent),
                            picture: message.querySelector(".photo") !== null,
                        });
                    }
                }).observe(document.getElementById("messages"), { childList: true, subtree: true });
            }"""
        )
        return lambda: self.page.evaluate("window.states")

    async def photo_of(self, message: Locator, *, other_than: str | None = None) -> str:
        """The address of a message's picture when it is shown; with `other_than`: when it is another one."""
        image = message.locator(".photo img")
        await expect(image).to_be_visible(timeout=WORK_MS)
        if other_than is not None:
            await expect(image).not_to_have_attribute("src", other_than, timeout=WORK_MS)
        await shown(image)
        source = await image.get_attribute("src")
        assert source
        return source

    async def pixels(self, source: str) -> np.ndarray[Any, Any]:
        """The pixels of a picture of the page: (H, W, 3) uint8."""
        answer = await self.page.request.get(self.url + source)
        assert answer.ok
        return np.asarray(Image.open(io.BytesIO(await answer.body())).convert("RGB"))

    async def texts(self) -> Sequence[str]:
        """The texts of all messages, without their times."""
        return await self.page.locator("[data-testid=message] .text").all_inner_texts()

    async def horizontal_overflow(self) -> list[str]:
        """The elements that scroll horizontally or extend beyond the window.

        The samples may scroll, and the reply buttons are shown for a mouse only; both are left out.
        """
        found: list[str] = await self.page.evaluate(
            """() => [...document.querySelectorAll("html, body, body *")]
                .filter((e) => e.checkVisibility({ opacityProperty: true }) && !e.closest(".strip, .reply-button"))
                .filter((e) => {
                    const box = e.getBoundingClientRect();
                    if (box.right > innerWidth + 1 || box.left < -1) return true;
                    return e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX);
                })
                .map((e) => `${e.tagName.toLowerCase()}#${e.id}.${e.className}`)"""
        )
        return found

    def _on_page_error(self, error: Error) -> None:
        if not self.expect_page_errors:
            self.problems.append(str(error))

    def _on_console(self, message: ConsoleMessage) -> None:
        if self.expect_page_errors:
            return
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected_errors):
            self.problems.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != self.url:
            self.external_requests.append(request.url)


async def shown(image: Locator) -> None:
    """Wait until a picture is loaded and decoded; raises if it cannot be."""
    await image.evaluate("(image) => image.decode()")


async def still(frame: Page | Frame) -> None:
    """Wait until animations have ended and the last change is drawn."""
    await frame.evaluate(
        """async () => {
            const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations < 99);
            await Promise.allSettled(ending.map((animation) => animation.finished));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )


def jpeg(data: bytes, name: str = "photo.jpg") -> FilePayload:
    """A JPEG file for `ChatPage.choose`."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


OpenChat = Callable[..., Awaitable[ChatPage]]
"""Opens the chat page in a browser context with these options."""
