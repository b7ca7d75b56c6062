"""The chat page as a person uses it, and a watch on what it does behind their back."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.async_api import ConsoleMessage, FilePayload, Locator, Page, Request, expect

WORK_MS = 60_000
"""How long an edit may take on a busy machine."""


class ChatPage:
    """One browser's view of the chat.

    Args:
        page: An empty page of a context of its own.
        url: The playground's address.

    Attributes:
        trouble: Errors and warnings of the console, policy violations and uncaught exceptions among them.
        abroad: Requests to any other address than the playground's.
        refusals: Parts of console errors that the test means to provoke.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.trouble: list[str] = []
        self.abroad: list[str] = []
        self.refusals: tuple[str, ...] = ()
        page.set_default_timeout(30_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.context.on("request", self._asked)

    async def open(self) -> None:
        """Open the page, and wait until it is connected."""
        await self.page.goto(f"{self.url}/playground")
        await self.connected()

    async def connected(self) -> None:
        """Wait until the page follows the chat."""
        await expect(self.page.locator("#status")).to_have_text("bot")

    def part(self, name: str) -> Locator:
        """What carries this test id."""
        return self.page.get_by_test_id(name)

    @property
    def messages(self) -> Locator:
        """All messages."""
        return self.part("message")

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
        await self.part("composer-text").fill(text)
        await self.page.keyboard.press("Enter")

    async def choose(self, *files: FilePayload) -> None:
        """Choose files; the dialog before sending opens."""
        await self.part("file-input").set_input_files(files)
        await expect(self.part("preview")).to_be_visible()

    async def send(self, command: str = "", *, as_file: bool = False) -> None:
        """Send what is in the dialog, with the command of this chip."""
        if as_file:
            await self.part("as-file").check()
        if command:
            await self.chip(command).click()
        await self.part("dialog-send").click()
        await expect(self.part("preview")).to_be_hidden()

    def chip(self, command: str) -> Locator:
        """The chip in the dialog that fills in this command."""
        return self.part("chip").filter(has_text=command)

    async def pinned(self, message: Locator) -> Locator:
        """The same message from now on, whatever comes after it."""
        number = await message.get_attribute("data-message-id")
        return self.page.locator(f"[data-message-id='{number}']")

    def button(self, message: Locator, label: str) -> Locator:
        """The button below a message whose label contains these words."""
        return message.get_by_test_id("inline-button").filter(has_text=label)

    async def remember_answers(self) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
        """From now on remember each state in which the bot's messages are shown, however short; gives them so far."""
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
        """The address of a message's picture, once it is there and shown; `other_than`: once it is another one."""
        image = message.locator(".photo img")
        await expect(image).to_be_visible(timeout=WORK_MS)
        if other_than is not None:
            await expect(image).not_to_have_attribute("src", other_than, timeout=WORK_MS)
        await shown(image)
        source = await image.get_attribute("src")
        assert source
        return source

    async def pixels(self, source: str) -> np.ndarray[Any, Any]:
        """A picture of the page: (H, W, 3) uint8."""
        answer = await self.page.request.get(self.url + source)
        assert answer.ok
        return np.asarray(Image.open(io.BytesIO(await answer.body())).convert("RGB"))

    async def texts(self) -> Sequence[str]:
        """What all messages say, without their times."""
        return await self.page.locator("[data-testid=message] .text").all_inner_texts()

    async def sideways(self) -> list[str]:
        """What can be scrolled sideways, or stands out of the window at its sides.

        The strip of samples is meant to scroll, and the reply buttons show with a mouse only.
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

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.refusals):
            self.trouble.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != self.url:
            self.abroad.append(request.url)


async def shown(image: Locator) -> None:
    """Wait until a picture has been loaded and decoded; one that cannot be fails."""
    await image.evaluate("(image) => image.decode()")


def jpeg(data: bytes, name: str = "photo.jpg") -> FilePayload:
    """A JPEG to choose."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


OpenChat = Callable[..., Awaitable[ChatPage]]
"""Opens the chat page in a browser context with these options."""
