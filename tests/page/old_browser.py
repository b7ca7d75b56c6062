"""A driver for browsers that Playwright's own locators no longer support: it only evaluates scripts in the page."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from playwright.async_api import ConsoleMessage, FloatRect, Frame, Page

from tests.page.chat_page import WORK_MS
from tests.page.mini_app import REPORT_BODIES, Fingers, Upload

UNTIL = """async () => {
    const end = performance.now() + %d;
    for (;;) {
        if (%s) return;
        if (performance.now() > end) throw new Error(%r);
        await new Promise(requestAnimationFrame);
    }
}"""

STILL = "document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getTiming().iterations > 99)"

CHOOSE_FILE = """async ([bytes, name]) => {
    const file = new File([new Uint8Array(bytes)], name, { type: "image/jpeg" });
    const chosen = new DataTransfer();
    chosen.items.add(file);
    const input = document.getElementById("file-input");
    input.files = chosen.files;
    input.dispatchEvent(new Event("change"));
}"""


class OldBrowser:
    """The chat page and the Mini App in an old browser.

    Args:
        page: An empty page.
        url: The playground's address.

    Attributes:
        problems: Errors of the console, including policy violations and uncaught exceptions.
        uploads: The uploaded masks, in order.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.uploads: list[Upload] = []
        self._fingers: Fingers | None = None
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    async def open(self) -> None:
        """Open the chat page."""
        await self.page.expose_function("reportUpload", self._on_upload)
        await self.page.context.add_init_script(REPORT_BODIES)
        await self.page.goto(f"{self.url}/playground")
        await self.until("document.getElementById('status').textContent === 'bot'")

    @property
    def app(self) -> Frame:
        """The Mini App's frame."""
        return next(frame for frame in self.page.frames if "/app" in frame.url)

    async def until(self, condition: str, where: Page | Frame | None = None) -> None:
        """Wait until a condition of the page (or of `where`) holds."""
        await (where or self.page).evaluate(UNTIL % (WORK_MS, condition, f"never: {condition}"))

    async def press(self, name: str, where: Page | Frame | None = None, text: str = "") -> None:
        """Press the shown and enabled button with this test id, whose text contains these words."""
        found = (
            f"[...document.querySelectorAll('[data-testid={name}]')].filter((e) => e.textContent.includes('{text}'))"
            ".filter((e) => e.getClientRects().length && !e.matches(':disabled, [aria-disabled=true]')).pop()"
        )
        await self.until(found, where)
        await (where or self.page).evaluate(f"() => {found}.click()")

    async def send_for_erase(self, data: bytes, *, as_file: bool = False) -> None:
        """Send a photo with /erase and open the Mini App under the answer."""
        await self.page.evaluate(CHOOSE_FILE, [list(data), "photo.jpg"])
        if as_file:
            await self.page.evaluate("() => document.getElementById('as-file').click()")
        await self.press("chip", text="/erase")
        await self.press("dialog-send")
        await self.press("inline-button", text="Paint")
        await self.until("document.querySelector('iframe')?.contentDocument?.querySelector('#picture.ready')")
        await self.until("!document.body.matches('.working')", self.app)
        for where in (self.app, self.page):
            await self.until(STILL, where)

    async def box(self, selector: str = "#picture") -> FloatRect:
        """The box of an element of the Mini App on the screen, CSS px."""
        box = await self.page.evaluate(
            """(selector) => {
                const frame = document.querySelector("iframe");
                const [outer, inner] = [frame, frame.contentDocument.querySelector(selector)]
                    .map((element) => element.getBoundingClientRect());
                return { x: outer.x + inner.x, y: outer.y + inner.y, width: inner.width, height: inner.height };
            }""",
            selector,
        )
        return cast("FloatRect", box)

    async def fingers(self) -> Fingers:
        """Touches on the page."""
        if self._fingers is None:
            self._fingers = Fingers(await self.page.context.new_cdp_session(self.page))
        return self._fingers

    async def style(self, selector: str, name: str) -> str:
        """A computed style of an element of the Mini App."""
        value: str = await self.app.evaluate(
            "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]", [selector, name]
        )
        return value

    async def erase(self) -> Upload:
        """Press the main button and wait until the result is shown."""
        await self.press("miniapp-main-button")
        await self.until("document.getElementById('status').textContent.startsWith('Erased')", self.app)
        async with asyncio.timeout(WORK_MS / 1000):
            while not self.uploads:
                await self.app.evaluate("new Promise(requestAnimationFrame)")
        return self.uploads[-1]

    def _on_upload(self, upload: dict[str, Any]) -> None:
        self.uploads.append(Upload(upload["url"], upload["type"], bytes(upload["bytes"])))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)
