"""The playground and the Mini App in Chromium 102, an old web view; skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, async_playwright

from tests.page.mini_app import LARGEST, PHONE, SMALLEST
from tests.page.old_browser import OldBrowser
from tests.page.painted import DENSE, ExpectedMask, overlap, point_at, polyline, wave
from tests.support import encoded, scene


def load_tool() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "tools" / "old_chromium.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(tool.program() is None, reason="Chromium 102 is not installed: tools/old_chromium.py"),
]

ALIKE = 0.98
"""Minimum intersection over union of the painted and the uploaded mask."""

TRANSPARENT = "rgba(0, 0, 0, 0)"

OpenOld = Callable[..., Awaitable[OldBrowser]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def old_browser() -> AsyncIterator[Browser]:
    """Chromium 102, which the tests of the module share."""
    flags = ["--no-sandbox", "--disable-gpu", "--no-zygote", "--disable-background-networking"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=tool.program(), args=flags, env=tool.environment())
        assert browser.version.startswith("102.")
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def open_old(playground: str, old_browser: Browser) -> AsyncIterator[OpenOld]:
    """Opens the chat on a phone; fails if a page had errors."""
    opened: list[OldBrowser] = []
    async with aiohttp.ClientSession(playground) as session, session.post("/playground/api/clear", json={}) as answer:
        answer.raise_for_status()

    async def open_one(script: str = "", scheme: str = "light") -> OldBrowser:
        context = await old_browser.new_context(**PHONE, locale="en-GB", color_scheme=scheme)  # type: ignore[arg-type]
        await context.add_init_script(script)
        phone = OldBrowser(await context.new_page(), playground)
        opened.append(phone)
        await phone.open()
        return phone

    yield open_one
    for phone in opened:
        await phone.page.context.close()
        assert not phone.problems, phone.problems


async def brush(phone: OldBrowser) -> float:
    """The brush's diameter, CSS px."""
    value = await phone.app.evaluate("() => document.querySelector('[data-testid=size]').value")
    return float(SMALLEST * (LARGEST / SMALLEST) ** (float(value) / 100))


async def test_paint_lasso_and_erase(open_old: OpenOld) -> None:
    phone = await open_old()
    await phone.send_for_erase(encoded(scene()))
    box, fingers = await phone.box(), await phone.fingers()
    stage = await phone.box("#stage")
    assert stage["height"] > 300, "there is a canvas"
    assert box["width"] > 300
    corners = [point_at(box, x, y) for x, y in ((0.6, 0.1), (0.9, 0.1), (0.9, 0.3), (0.6, 0.3))]
    await fingers.stroke(wave(box))
    await phone.press("tool-lasso", phone.app)
    await fingers.stroke(polyline(*corners))
    upload = await phone.erase()
    expected = ExpectedMask(box, upload.image.size).line(wave(box, reports=DENSE), await brush(phone)).area(corners)
    assert overlap(expected.painted, upload.painted) >= ALIKE
    await phone.press("done", phone.app)
    await phone.until("!document.getElementById('miniapp').open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_has_its_colour(open_old: OpenOld, scheme: str) -> None:
    phone = await open_old(scheme=scheme)
    await phone.send_for_erase(encoded(scene()))
    assert await phone.style("#outline polygon", "fill") == "rgb(255, 46, 99)", "the lasso is not black"
    assert await phone.style("#outline polygon", "fillOpacity") == "0.3"
    for selector in ("header", "footer", "body", "#tools hr", "#picture"):
        assert await phone.style(selector, "backgroundColor") != TRANSPARENT, selector
    slider = await phone.box("[data-testid=size]")
    middle = slider["y"] + slider["height"] / 2
    strip = {"x": slider["x"] + 20, "y": middle - 10, "width": 60, "height": 20}
    picture = Image.open(io.BytesIO(await phone.page.screenshot(clip=strip))).convert("L")  # type: ignore[arg-type]
    shades = np.asarray(picture).astype(int)
    assert abs(shades[len(shades) // 2] - shades[0]).min() > 20, "the slider has a track"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_bars_have_colours_without_telegrams_theme(open_old: OpenOld, scheme: str) -> None:
    phone = await open_old(scheme=scheme)
    await phone.page.goto(f"{phone.url}/app?edit=anything")
    await phone.until("document.getElementById('notice').textContent.includes('Open this from Telegram')")
    bars, ground, text = await phone.page.evaluate(
        """() => {
            document.getElementById("app").hidden = false;
            const style = (selector) => getComputedStyle(document.querySelector(selector));
            return [style("header").backgroundColor, style("body").backgroundColor, style("body").color];
        }"""
    )
    light = scheme == "light"
    assert bars == ("rgb(255, 255, 255)" if light else "rgb(33, 35, 39)")
    assert ground == ("rgb(240, 241, 245)" if light else "rgb(23, 24, 27)")
    assert text == ("rgb(16, 17, 20)" if light else "rgb(244, 244, 245)")


async def test_without_compression_in_the_browser_the_mask_of_a_large_photo_has_its_full_size(
    open_old: OpenOld,
) -> None:
    phone = await open_old("delete window.CompressionStream; delete window.OffscreenCanvas;")
    large = scene().resize((4000, 3000))
    await phone.send_for_erase(encoded(large), as_file=True)
    box, fingers = await phone.box(), await phone.fingers()
    await fingers.stroke(wave(box))
    upload = await phone.erase()
    assert upload.image.size == (4000, 3000)
    assert len(upload.data) <= 100_000
    expected = ExpectedMask(box, upload.image.size).line(wave(box, reports=DENSE), await brush(phone))
    assert overlap(expected.painted, upload.painted) >= ALIKE


async def test_the_playgrounds_menus_and_notices_work(open_old: OpenOld) -> None:
    phone = await open_old()
    await phone.press("menu")
    await phone.press("language-zh-hans")
    await phone.until("document.documentElement.lang === 'zh-Hans'")
    await phone.press("menu")
    await phone.press("language-en")
    await phone.until("document.documentElement.lang === 'en'")
    assert await phone.page.evaluate("() => document.getElementById('popup-menu').getClientRects().length") == 0
    await phone.page.evaluate("() => window.dispatchEvent(new Event('resize'))")
    await phone.page.evaluate("() => import('/playground/static/dialogs.js').then(({ toast }) => toast('Saved'))")
    await phone.until("document.getElementById('toast').getClientRects().length")
