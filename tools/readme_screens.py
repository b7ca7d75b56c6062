"""Take the README's screenshots: `.venv/bin/python tools/readme_screens.py` writes docs/*.png.

Runs the whole program without a token, and a browser that emulates a phone uses the playground: it paints in the Mini
App (the picture is taken during the stroke), and cleans a sample in the chat. Needs an emoji font.
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

from bot import model_files, process
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
    """Run the program without a token inside the block; yields its URL."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        settings = Settings(
            telegram_bot_token=None,
            port=port,
            data_dir=Path(folder),
            engine="local",
            models="off",
        )
        model_files.copy_from_setup(settings)
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
    """Whether the bot has set its description, the last step of its start."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/playground/api/chat") as answer:
            return answer.status == 200 and bool((await answer.json())["about"])
    except aiohttp.ClientError:
        return False


@contextlib.asynccontextmanager
async def phone(browser: Browser, url: str) -> AsyncIterator[Page]:
    """Open the chat page, with an empty chat, in a new emulated phone."""
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


async def take_mini_app(browser: Browser, url: str) -> None:
    """Take the Mini App during a stroke."""
    async with phone(browser, url) as page:
        await send_sample(page, "boat", "/erase")
        await page.get_by_test_id("inline-button").filter(has_text="Paint").click()
        app = page.frame_locator("[data-testid=miniapp-frame]")
        await expect(app.locator("#picture.ready")).to_be_visible()
        await wait_until_still(page)
        box = await app.get_by_test_id("photo").bounding_box()
        assert box is not None
        session = await page.context.new_cdp_session(page)

        async def touch(kind: str, points: Sequence[Point]) -> None:
            fingers = [{"x": x, "y": y} for x, y in points]
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

        line = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in boat_stroke()]
        await touch("touchStart", line[:1])
        shown = False
        for number, point in enumerate(line):
            await touch("touchMove", [point])
            if number >= len(line) * 0.7 and not shown:
                shown = True
                await expect(app.locator("#loupe")).to_be_visible()
                await wait_until_still(page)
                await save(page, "mini-app-phone.png")
        await touch("touchEnd", [])


def boat_stroke() -> list[Point]:
    """Return a zigzag stroke over the boat from its mast down, in fractions of the photo's size."""
    return [(0.49 + (0.03 + 0.09 * n / 60) * math.sin(n * 0.8), 0.26 + 0.43 * n / 60) for n in range(61)]


async def take_chat(browser: Browser, url: str) -> None:
    """Take the chat with a cleaned sample."""
    async with phone(browser, url) as page:
        await send_sample(page, "balloon", "/remove_subject")
        answer = page.locator("[data-testid=message][data-from=bot] .photo img")
        await expect(answer).to_be_visible(timeout=WORK_MS)
        await answer.evaluate("(image) => image.decode()")
        await wait_until_still(page)
        await save(page, "playground.png")


async def wait_until_still(page: Page) -> None:
    """Wait until all animations have ended and the last frame is painted."""
    for frame in page.frames:
        await frame.evaluate(
            """async () => {
                const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations < 99);
                await Promise.allSettled(ending.map((animation) => animation.finished));
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            }"""
        )


async def save(page: Page, name: str) -> None:
    """Save a screenshot with 256 colours, in the largest size within `MAX_BYTES`."""
    shot = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    for percent in range(100, 45, -5):
        small = shot.resize((shot.width * percent // 100, shot.height * percent // 100), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        small.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            (ROOT / "docs" / name).write_bytes(out.getvalue())
            print(f"docs/{name}: {small.width} × {small.height}, {out.tell() // 1000} kB", flush=True)
            return
    raise SystemExit(f"{name}: more than {MAX_BYTES} bytes at every acceptable size")


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run this machine's Chromium inside the block."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # root cannot set up the sandbox
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        await browser.close()


async def main() -> None:
    async with playground() as url, chromium() as browser:
        await take_mini_app(browser, url)
        await take_chat(browser, url)


if __name__ == "__main__":
    asyncio.run(main())
