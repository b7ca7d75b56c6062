"""The Mini App's page: how soon the photo is shown, frame times while painting, memory; in a real browser."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
from playwright.async_api import Browser, CDPSession, FloatRect, Page, async_playwright

from bot.playground import Telegram, mini_app, saved_chat
from bot.playground.person import Upload
from tests.page.chromium import browser_path
from tests.page.engines.app import EngineApp
from tests.page.engines.installed import ENGINES, NotInstalledError
from tests.page.painted import Point, point_at
from tests.page.program import running_playground
from tests.support import Talk

LARGE = (4000, 3000)
THROTTLE = 4
STROKES = 5
REPORTS = 150
"""Of one stroke, 60 a second."""
OPENINGS = 5
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "has_touch": True,
    "is_mobile": True,
}
WATCH_PHOTO = """
    new MutationObserver(() => {
        if (!document.querySelector("#picture.ready") || window.shownAfter) return;
        requestAnimationFrame(() => requestAnimationFrame((now) => (window.shownAfter = now)));
    }).observe(document, { subtree: true, attributes: true, childList: true });
"""
WATCH_FRAMES = """
    window.painted = [];
    let last = 0;
    requestAnimationFrame(function step(now) {
        if (last) painted.push(now - last);
        last = now;
        requestAnimationFrame(step);
    });
"""


def picture(width: int, height: int) -> bytes:
    """A photo-like JPEG: clouds of all sizes, so that decoding it costs what decoding a photo does."""
    rng = np.random.default_rng(5)
    pixels = np.zeros((height, width, 3), np.float32)
    for side in (8, 32, 128, 512):
        clouds = rng.normal(0, 160 / math.sqrt(side), size=(side, side, 3)).astype(np.float32)
        pixels += cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    found, data = cv2.imencode(".jpg", np.clip(pixels + 128, 0, 255).astype(np.uint8))
    assert found
    return bytes(data)


def renderer_memory(pid: int) -> dict[str, float] | None:
    """A process's memory in MB: its own, and with its share of the rest; None where the system does not tell."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if not rollup.exists():
        return None
    text = rollup.read_text()
    kilobytes = {line.split(":")[0]: float(line.split()[1]) for line in text.splitlines()[1:]}
    return {"private": (kilobytes["Private_Dirty"] + kilobytes["Private_Clean"]) / 1024, "pss": kilobytes["Pss"] / 1024}


async def renderer(browser: Browser, page: Page) -> int:
    """The process id of the page's renderer: the one that is busy while the page is."""
    session = await browser.new_browser_cdp_session()

    async def used() -> dict[int, float]:
        processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
        return {one["id"]: one["cpuTime"] for one in processes if one["type"] == "renderer"}

    before = await used()
    await page.evaluate("() => { const end = performance.now() + 400; while (performance.now() < end); }")
    after = await used()
    await session.detach()
    return max(after, key=lambda pid: after[pid] - before.get(pid, after[pid]))


class Phone:
    """A browser with a phone's screen, and people who want an object erased.

    Args:
        telegram: The playground's, in this process.
        browser: Where the page is opened.
    """

    def __init__(self, telegram: Telegram, browser: Browser) -> None:
        self._telegram = telegram
        self._browser = browser
        self._numbers = itertools.count(9001)

    @asynccontextmanager
    async def opened(self, photo: bytes) -> AsyncIterator[tuple[Page, float]]:
        """The page with a fresh edit; gives it, and the ms from navigation until the photo is shown."""
        talk = Talk(self._telegram, next(self._numbers))
        sent = await talk.person.send(Upload(photo, as_file=True), caption="/erase")
        answer = await talk.answer_to(sent[0], settled=False)
        address = answer["reply_markup"]["inline_keyboard"][0][0]["web_app"]["url"]
        context = await self._browser.new_context(**PHONE)
        page = await context.new_page()
        await page.add_init_script(WATCH_PHOTO)
        await page.goto(mini_app.launch_url(address, self._telegram.token, talk.person.user))
        shown = await page.wait_for_function("() => window.shownAfter", timeout=30_000)
        yield page, await shown.json_value()
        await context.close()


def wavy(box: FloatRect, turn: int) -> list[Point]:
    """A long wavy line over the photo."""
    return [point_at(box, 0.1 + 0.8 * n / REPORTS, 0.5 + 0.3 * math.sin(n / 9 + turn)) for n in range(REPORTS)]


async def paint(page: Page, session: CDPSession, turn: int) -> None:
    """One long wavy stroke by touch, 60 reports a second."""
    box = await page.get_by_test_id("photo").bounding_box()
    assert box is not None

    async def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    line = wavy(box, turn)
    begun = time.perf_counter()
    await touch("touchStart", line[0])
    for number, point in enumerate(line):
        await touch("touchMove", point)
        await asyncio.sleep(max(0.0, begun + (number + 1) / 60 - time.perf_counter()))
    await touch("touchEnd")


async def frames(page: Page) -> tuple[list[float], list[float], float]:
    """Idle and painting: ms between frames; and ms of the main thread for a frame of painting, all at a slow CPU."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    await session.send("Performance.enable")

    async def busy() -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration") * 1000

    await page.evaluate(WATCH_FRAMES)
    await page.wait_for_function("() => painted.length > 60")
    idle: list[float] = await page.evaluate("painted.splice(0)")
    before = await busy()
    for turn in range(STROKES):
        await paint(page, session, turn)
    painting: list[float] = await page.evaluate("painted.splice(0)")
    spent = (await busy() - before) / len(painting)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return idle, painting, spent


async def measure() -> list[str]:
    """The table's lines."""
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    telegram = Telegram()
    rows: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        stack.enter_context(mock.patch.object(saved_chat, "Telegram", return_value=telegram))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        await stack.enter_async_context(running_playground(Path(folder)))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=flags)
        stack.push_async_callback(browser.close)
        phone = Phone(telegram, browser)
        for width, height in ((1280, 960), LARGE):
            photo = picture(width, height)
            times = []
            for _ in range(OPENINGS):
                async with phone.opened(photo) as (_, shown):
                    times.append(shown)
            rows.append(
                (
                    f"{width} × {height}: photo visible on loopback, median of {OPENINGS} (slowest)",
                    f"{statistics.median(times):.0f} ms ({max(times):.0f} ms)",
                )
            )
        async with phone.opened(photo) as (page, _):
            megapixels = f"{LARGE[0] * LARGE[1] / 1e6:.0f} MP"
            rows.append((f"{megapixels}: memory, opened", await memory(browser, page)))
            idle, painting, spent = await frames(page)
            slow = f"at {THROTTLE}× CPU throttle"
            rows.append((f"{megapixels}: between frames {slow}, nothing painted: median, p95", both(idle)))
            rows.append((f"{megapixels}: between frames {slow}, painting: median, p95", both(painting)))
            rows.append((f"{megapixels}: main thread for a painted frame {slow}, mean", f"{spent:.1f} ms"))
            rows.append((f"{megapixels}: memory, after {STROKES} long strokes", await memory(browser, page)))
    painting_in = f"{megapixels}: between frames, painting, full speed: median, p95, in"
    rows += [(f"{painting_in} {name}", await in_engine(name)) for name in ENGINES]
    return ["| what | measured |", "|---|---|", *(f"| {what} | {how} |" for what, how in rows)]


async def in_engine(name: str) -> str:
    """The time between frames while painting in another engine; its driver cannot slow it down."""
    try:
        engine = ENGINES[name]()
    except NotInstalledError as missing:
        return f"not measured: {missing}"
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as logs:
        async with running_playground(Path(data)) as url, engine.window(Path(logs)) as driver:
            app = EngineApp(driver, engine, url)
            await app.open_chat()
            await app.open(picture(*LARGE), as_file=True)
            box = await app.box()
            await driver.evaluate(WATCH_FRAMES)
            await driver.until("painted.length > 60")
            await driver.evaluate("painted.length = 0")
            for turn in range(STROKES):
                await app.stroke(wavy(box, turn), pause=1000 // 60)
            return both(await driver.evaluate("return painted"))


def both(values: list[float]) -> str:
    """Median and 95th percentile, ms."""
    return f"{statistics.median(values):.1f} ms, {np.percentile(values, 95):.1f} ms"


async def memory(browser: Browser, page: Page) -> str:
    """The renderer's memory, in words."""
    used = renderer_memory(await renderer(browser, page))
    if used is None:
        return "not known on this system"
    heap = await page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    return f"{used['private']:.0f} MB its own, {used['pss']:.0f} MB with its share of the browser's ({heap:.0f} MB JS)"


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
