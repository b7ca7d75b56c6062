"""Make the README's screencast: `.venv/bin/python tools/readme_screencast.py` writes docs/screencast.webp.

Runs the whole program without a token. A browser that emulates a phone sends two photos in the playground: the first
loses its background, in the second two towers are painted over and erased. Frames are taken when something has changed,
and shown as long as a person needs to read them: what takes seconds on a slow machine is not shown in its length. Needs
the photos that `readme_pictures.py` needs, and an emoji font.
"""

# ruff: noqa: E402 - the repository is not installed, so its folder is put on the path before its imports

from __future__ import annotations

import asyncio
import io
import itertools
import sys
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, CDPSession, FilePayload, FrameLocator, Page, expect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from readme_pictures import TOWERS, Stroke
from readme_screens import WORK_MS, Point, chromium, phone, playground, wait_until_still

from tests.benchmarks import _plain

TARGET = ROOT / "docs" / "screencast.webp"
MAX_BYTES = 1_500_000
WIDTH = 390
"""Of the screencast, px."""

STEPS = 3
"""Of the finger between two corners of the stroke."""

READ, GLANCE, MOVE = 1800, 700, 70
"""How long a frame is shown, ms: a result, a step, a part of a stroke."""


class Screencast:
    """Takes frames of a page.

    Args:
        page: The page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []

    async def show(self, milliseconds: int, *, still: bool = True) -> None:
        """Take a frame, which is shown this long; wait for the end of all animations before it."""
        if still:
            await wait_until_still(self._page)
        shot = Image.open(io.BytesIO(await self._page.screenshot())).convert("RGB")
        self._frames.append(shot.resize((WIDTH, WIDTH * shot.height // shot.width), Image.Resampling.LANCZOS))
        self._durations.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write an endless animated WebP of the highest quality within `MAX_BYTES`."""
        first, *others = self._frames
        for quality in range(85, 40, -5):
            first.save(
                path, save_all=True, append_images=others, duration=self._durations, loop=0, quality=quality, method=6
            )
            if path.stat().st_size <= MAX_BYTES:
                seconds, size = sum(self._durations) / 1000, path.stat().st_size // 1000
                print(f"{path.relative_to(ROOT)}: {len(self._frames)} frames, {seconds:.0f} s, {size} kB")
                return
        raise SystemExit(f"{path.name}: more than {MAX_BYTES} bytes at every acceptable quality")


def jpeg(name: str) -> FilePayload:
    """One of the plain photos, as a file that is chosen in the browser."""
    out = io.BytesIO()
    Image.fromarray(_plain.photo(name)).save(out, "JPEG", quality=95)
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


async def send(page: Page, cast: Screencast, name: str, command: str) -> None:
    """Choose a photo, write a command under it, and send it."""
    await page.get_by_test_id("file-input").set_input_files(jpeg(name))
    await expect(page.get_by_test_id("preview")).to_be_visible()
    await page.get_by_test_id("chip").filter(has_text=command).click()
    await cast.show(GLANCE)
    await page.get_by_test_id("dialog-send").click()
    await expect(page.get_by_test_id("preview")).to_be_hidden()


async def cut_out(page: Page, cast: Screencast) -> None:
    """A photo loses its background; another finish is one press."""
    await send(page, cast, "lemur", "/remove_background")
    answer = page.locator("[data-testid=message][data-from=bot]").last
    await expect(answer).to_be_visible()
    await cast.show(GLANCE)
    await expect(answer.locator(".photo img")).to_be_visible(timeout=WORK_MS)
    await decoded(page)
    await cast.show(READ)
    before = await answer.locator(".photo img").get_attribute("src")
    await page.get_by_test_id("inline-button").filter(has_text="Gradient").last.click()
    await expect(answer.locator(".photo img")).not_to_have_attribute("src", before or "", timeout=WORK_MS)
    await decoded(page)
    await cast.show(READ)


async def decoded(page: Page) -> None:
    """Wait until the last picture can be painted."""
    await page.locator("[data-testid=message][data-from=bot] .photo img").last.evaluate("(image) => image.decode()")


async def erase(page: Page, cast: Screencast) -> None:
    """Paint over two towers, erase them, and come back to the chat."""
    await send(page, cast, "rocket", "/erase")
    button = page.get_by_test_id("inline-button").filter(has_text="Paint")
    await expect(button).to_be_visible()
    await cast.show(GLANCE)
    await button.click()
    app = page.frame_locator("[data-testid=miniapp-frame]")
    await expect(app.locator("#picture.ready")).to_be_visible()
    await cast.show(GLANCE)
    await paint(page, app, cast)
    await page.get_by_test_id("miniapp-main-button").click()
    await expect(app.locator("body.working")).to_be_visible()
    await cast.show(GLANCE, still=False)
    await expect(app.get_by_test_id("done")).to_be_visible(timeout=WORK_MS)
    await expect(app.locator("body:not(.working)")).to_be_visible()
    await cast.show(READ)
    await app.get_by_test_id("done").click()
    await expect(page.get_by_test_id("miniapp-frame")).to_be_hidden()
    await decoded(page)
    await cast.show(READ)


async def paint(page: Page, app: FrameLocator, cast: Screencast) -> None:
    """Paint over the towers with one finger."""
    box = await app.get_by_test_id("photo").bounding_box()
    assert box is not None
    height, width = _plain.photo("rocket").shape[:2]
    session = await page.context.new_cdp_session(page)
    for stroke in TOWERS:
        line = [(box["x"] + box["width"] * x / width, box["y"] + box["height"] * y / height) for x, y in steps(stroke)]
        await touch(session, "touchStart", line[0])
        for point in line:
            await touch(session, "touchMove", point)
            await cast.show(MOVE, still=False)
        await touch(session, "touchEnd")
    await session.detach()
    await cast.show(GLANCE)


async def touch(session: CDPSession, kind: str, *points: Point) -> None:
    """Send a touch event."""
    await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def steps(stroke: Stroke) -> list[Point]:
    """The points of a stroke as a finger passes them, px of the photo."""
    return [
        (a[0] + (b[0] - a[0]) * step / STEPS, a[1] + (b[1] - a[1]) * step / STEPS)
        for a, b in itertools.pairwise(stroke)
        for step in range(STEPS)
    ]


async def main() -> None:
    async with playground() as url, chromium() as browser:
        await record(browser, url)


async def record(browser: Browser, url: str) -> None:
    """Record both edits."""
    async with phone(browser, url) as page:
        cast = Screencast(page)
        await cast.show(GLANCE)
        await cut_out(page, cast)
        await erase(page, cast)
        cast.save(TARGET)


if __name__ == "__main__":
    asyncio.run(main())
