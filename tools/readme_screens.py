"""Take the README's pictures of the screen: `.venv/bin/python tools/readme_screens.py` writes docs/*.png.

The whole program runs as with no token, and a phone's browser uses the playground as a person would: it paints in the
Mini App (mid-stroke, then the result), and has a cleaned sample in the chat. The machine needs an emoji font.
"""

# ruff: noqa: E402 - the repository is not installed, so its folder is put on the path before its imports

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot import process
from bot.settings import Settings

MAX_BYTES = 250_000
WORK_MS = 60_000
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "light",
}
Point = tuple[float, float]


@contextlib.asynccontextmanager
async def playground() -> AsyncIterator[str]:
    """The program with no token, until the block ends; gives its address."""
    with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
        taken.close()
        settings = Settings(
            telegram_bot_token=None,
            port=port,
            data_dir=Path(folder),
            engine="local",
            models="off",
        )
        stop = asyncio.Event()
        running = asyncio.create_task(process.run(settings, stop=stop, say=lambda _: None))
        url = f"http://127.0.0.1:{port}"
        try:
            while not await is_ready(url):
                await asyncio.wait({running}, timeout=0.1)
                if running.done():
                    running.result()
            yield url
        finally:
            stop.set()
            await running


async def is_ready(url: str) -> bool:
    """Whether the bot has introduced itself."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/playground/api/chat") as answer:
            return answer.status == 200 and bool((await answer.json())["about"])
    except aiohttp.ClientError:
        return False


@contextlib.asynccontextmanager
async def phone(browser: Browser, url: str) -> AsyncIterator[Page]:
    """The chat page, emptied, on a phone of its own."""
    async with aiohttp.ClientSession() as session, session.post(f"{url}/playground/api/clear", json={}) as cleared:
        cleared.raise_for_status()
    context = await browser.new_context(locale="en-GB", **PHONE)
    page = await context.new_page()
    page.set_default_timeout(WORK_MS)
    await page.goto(f"{url}/playground")
    await expect(page.locator("#status")).to_have_text("bot")
    yield page
    await context.close()


async def send_sample(page: Page, name: str, command: str) -> None:
    """Send one of the samples with a command."""
    await page.locator(f"[data-testid=sample]:has(img[src$='{name}'])").click()
    await page.get_by_test_id("chip").filter(has_text=command).click()
    await page.get_by_test_id("dialog-send").click()
    await expect(page.get_by_test_id("preview")).to_be_hidden()


async def mini_app(browser: Browser, url: str) -> None:
    """The Mini App while a finger paints, and once it is erased."""
    async with phone(browser, url) as page:
        await send_sample(page, "boat", "/erase")
        await page.get_by_test_id("inline-button").filter(has_text="Paint").click()
        app = page.frame_locator("[data-testid=miniapp-frame]")
        await expect(app.locator("#picture.ready")).to_be_visible()
        await settled(page)
        box = await app.get_by_test_id("photo").bounding_box()
        assert box is not None
        session = await page.context.new_cdp_session(page)

        async def touch(kind: str, points: Sequence[Point]) -> None:
            fingers = [{"x": x, "y": y} for x, y in points]
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

        line = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in over_the_boat()]
        await touch("touchStart", line[:1])
        shown = False
        for number, point in enumerate(line):
            await touch("touchMove", [point])
            if number >= len(line) * 0.7 and not shown:
                shown = True
                await expect(app.locator("#loupe")).to_be_visible()
                await settled(page)
                await save(page, "mini-app-phone.png")
        await touch("touchEnd", [])
        await page.get_by_test_id("miniapp-main-button").click()
        await expect(app.get_by_test_id("done")).to_be_visible(timeout=WORK_MS)
        await expect(app.locator("body:not(.working)")).to_be_visible()
        await settled(page)
        await save(page, "mini-app-result.png")


def over_the_boat() -> list[Point]:
    """A finger's way to and fro over the boat from its mast down, as shares of the photo."""
    return [(0.49 + (0.03 + 0.09 * n / 60) * math.sin(n * 0.8), 0.26 + 0.43 * n / 60) for n in range(61)]


async def chat(browser: Browser, url: str) -> None:
    """The chat with a cleaned sample."""
    async with phone(browser, url) as page:
        await send_sample(page, "balloon", "/remove_subject")
        answer = page.locator("[data-testid=message][data-from=bot] .photo img")
        await expect(answer).to_be_visible(timeout=WORK_MS)
        await answer.evaluate("(image) => image.decode()")
        await settled(page)
        await save(page, "playground.png")


async def settled(page: Page) -> None:
    """Wait until nothing moves any more."""
    for frame in page.frames:
        await frame.evaluate(
            """async () => {
                const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations < 99);
                await Promise.allSettled(ending.map((animation) => animation.finished));
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            }"""
        )


async def save(page: Page, name: str) -> None:
    """Write what the screen shows in 256 colours, as large as fits."""
    shot = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    for percent in range(100, 45, -5):
        small = shot.resize((shot.width * percent // 100, shot.height * percent // 100), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        small.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            (ROOT / "docs" / name).write_bytes(out.getvalue())
            print(f"docs/{name}: {small.width} × {small.height}, {out.tell() // 1000} kB", flush=True)
            return
    raise SystemExit(f"{name}: more than {MAX_BYTES} bytes in any size worth showing")


async def main() -> None:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # the sandbox cannot be set up by root
    async with playground() as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        await mini_app(browser, url)
        await chat(browser, url)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
