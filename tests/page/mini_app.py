"""The Mini App as a person uses it in the chat's panel: fingers on its stage, and what its uploads should contain."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from playwright.async_api import CDPSession, FloatRect, Frame, Locator, Request, expect

from tests.page.chat_page import WORK_MS, ChatPage, jpeg
from tests.page.painted import Bitmap, Point

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
"""A browser context with the size and the fingers of a phone."""

SMALLEST, LARGEST = 6, 140
"""Diameters of the brush at the slider's ends, CSS px."""

REPORT_BODIES = """
    const send = window.fetch;
    window.fetch = async (url, options) => {
        if (options?.body instanceof Blob) {
            const bytes = new Uint8Array(await options.body.arrayBuffer());
            reportUpload({ url: String(url), type: options.headers["Content-Type"], bytes: [...bytes] });
        }
        return send(url, options);
    };
"""
"""The browser's debugging protocol keeps no body that is a Blob, so it is read where it leaves the page."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A mask as it left the page.

    Attributes:
        path: Of the request, relative to the page.
        kind: Its media type.
        data: Its body.
    """

    path: str
    kind: str
    data: bytes

    @property
    def image(self) -> Image.Image:
        """The body, opened."""
        return Image.open(io.BytesIO(self.data))

    @property
    def painted(self) -> Bitmap:
        """(H, W) bool, True = erase; where a cut-out is corrected, True = it stays."""
        return np.asarray(self.image.convert("L")) > 127


class Fingers:
    """Touches as a screen reports them."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def touch(self, kind: str, *points: Point, when: float | None = None) -> None:
        """One report: `touchStart`, `touchMove` or `touchEnd`, with where all fingers are at a time; None: now."""
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        moment = {} if when is None else {"timestamp": when}
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches, **moment})

    async def stroke(self, points: Sequence[Point], *, lift: bool = True) -> None:
        """One finger along these points; reported faster than frames are drawn, as by a real screen."""
        await self.touch("touchStart", points[0])
        await asyncio.gather(*(self.touch("touchMove", point) for point in points[1:]))
        if lift:
            await self.touch("touchEnd")

    async def tap(self, point: Point) -> None:
        """One finger, down and up."""
        await self.touch("touchStart", point)
        await self.touch("touchEnd")

    async def double_tap(self, point: Point) -> None:
        """Two taps, quick also where the machine is not."""
        now = time.time()
        await self.touch("touchStart", point, when=now)
        await self.touch("touchEnd", when=now + 0.05)
        await self.touch("touchStart", point, when=now + 0.12)
        await self.touch("touchEnd", when=now + 0.17)

    async def pinch(self, middle: Point, radii: Point, shift: Point = (0, 0), steps: int = 12) -> None:
        """Two fingers beside a middle that wanders by `shift`, from the first radius to the second."""
        for step in range(steps + 1):
            way = step / steps
            radius = radii[0] + (radii[1] - radii[0]) * way
            x, y = middle[0] + shift[0] * way, middle[1] + shift[1] * way
            await self.touch("touchMove" if step else "touchStart", (x - radius, y), (x + radius, y))
        await self.touch("touchEnd")


class MiniApp:
    """The Mini App in the chat's panel.

    Args:
        chat: The chat page, before the Mini App is opened.
        fingers: On the same screen.
        touch: Buttons are pressed by finger, not by mouse.

    Attributes:
        uploads: The masks that left the page, in order.
        streams: Addresses of the event streams that it followed.
    """

    def __init__(self, chat: ChatPage, fingers: Fingers, *, touch: bool) -> None:
        self.chat = chat
        self.page = chat.page
        self.fingers = fingers
        self.press = Locator.tap if touch else Locator.click
        self.inside = chat.page.frame_locator("[data-testid=miniapp-frame]")
        self.main_button = chat.part("miniapp-main-button")
        self.second_button = chat.part("miniapp-secondary-button")
        self.uploads: list[Upload] = []
        self.streams: list[str] = []
        self._uploaded = asyncio.Condition()
        chat.page.on("request", self._asked)

    @classmethod
    async def beside(cls, chat: ChatPage, *, touch: bool = True) -> MiniApp:
        """Get ready to use it on this chat page."""
        app = cls(chat, Fingers(await chat.page.context.new_cdp_session(chat.page)), touch=touch)
        await chat.page.expose_function("reportUpload", app._upload)
        await chat.page.context.add_init_script(REPORT_BODIES)
        return app

    def part(self, name: str) -> Locator:
        """What carries this test id inside the panel."""
        return self.inside.get_by_test_id(name)

    @property
    def frame(self) -> Frame:
        """The Mini App's own page."""
        return next(frame for frame in self.page.frames if "/app" in frame.url)

    async def open(self, message: Locator, label: str = "Paint") -> None:
        """Press the button under a message, and wait until the photo is there and can be painted on."""
        await self.press(self.chat.button(message, label))
        await self.ready()

    async def ready(self) -> None:
        """Wait until the photo is shown and nothing moves or is being made any more."""
        await expect(self.inside.locator("#picture.ready")).to_be_visible(timeout=WORK_MS)
        await expect(self.main_button).to_be_visible()
        await expect(self.inside.locator("body:not(.working)")).to_be_visible(timeout=WORK_MS)
        await self.still()

    async def still(self) -> None:
        """Wait until nothing moves, and the last change is on the screen."""
        for frame in (self.page.main_frame, self.frame):
            await frame.evaluate(
                """async () => {
                    const ending = document.getAnimations().filter((a) => a.effect.getTiming().iterations < 99);
                    await Promise.allSettled(ending.map((animation) => animation.finished));
                    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                }"""
            )

    async def box(self) -> FloatRect:
        """Where the photo is on the screen, CSS px; parts of it may be outside the stage."""
        box = await self.part("photo").bounding_box()
        assert box is not None
        return box

    async def stage_middle(self) -> Point:
        """The middle of where one can paint."""
        box = await self.inside.locator("#stage").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def brush(self) -> float:
        """The brush's diameter, CSS px."""
        share = float(await self.part("size").input_value()) / 100
        return float(SMALLEST * (LARGEST / SMALLEST) ** share)

    async def erase(self) -> Upload:
        """Press the main button, wait for the mask to leave the page and for its result to be shown."""
        upload = await self.send()
        await self.finished()
        return upload

    async def send(self) -> Upload:
        """Press the main button, and wait for the mask to leave the page."""
        await expect(self.main_button).to_be_enabled()
        before = len(self.uploads)
        await self.press(self.main_button)
        async with asyncio.timeout(WORK_MS / 1000), self._uploaded:
            await self._uploaded.wait_for(lambda: len(self.uploads) > before)
        return self.uploads[-1]

    async def finished(self, words: str = "Erased. Paint on, or Done.") -> None:
        """Wait until the result is on the stage, and the status line says so."""
        await expect(self.part("status")).to_have_text(words, timeout=WORK_MS)
        await self.ready()

    async def ink(self) -> Bitmap:
        """Where ink lies on the photo, read from the page's own canvas: (H, W) bool, a pixel of it for one of CSS."""
        data: str = await self.frame.evaluate(
            """() => {
                const [ink, photo] = ["mask", "picture"].map((id) => document.getElementById(id));
                const [whole, part] = [ink, photo].map((element) => element.getBoundingClientRect());
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [part.width, part.height].map(Math.round);
                const density = ink.width / whole.width;
                const [left, top] = [part.left - whole.left, part.top - whole.top];
                canvas.getContext("2d").drawImage(
                    ink, left * density, top * density, part.width * density, part.height * density,
                    0, 0, canvas.width, canvas.height,
                );
                return canvas.toDataURL().split(",")[1];
            }"""
        )
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).getchannel("A")) > 127

    async def shown(self, element: str = "image") -> np.ndarray[Any, Any]:
        """The picture on the stage, without what is painted over it, scaled to a width of 160: (H, W, 3) uint8.

        Args:
            element: ``image``, or ``before`` for the one that is shown instead, to compare with.
        """
        data: str = await self.frame.evaluate(
            """async (element) => {
                const image = document.getElementById(element);
                await image.decode();
                const canvas = document.createElement("canvas");
                canvas.width = 160;
                canvas.height = (160 * image.naturalHeight) / image.naturalWidth;
                canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
                return canvas.toDataURL().split(",")[1];
            }""",
            element,
        )
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    async def seen(self) -> np.ndarray[Any, Any]:
        """The photo as it is on the screen, with all that lies over it: (H, W, 3) uint8."""
        clip = await self.box()
        return np.asarray(Image.open(io.BytesIO(await self.page.screenshot(clip=clip))).convert("RGB"))

    async def remember_words(self) -> None:
        """From now on remember what the status line says, however short."""
        await self.frame.evaluate(
            """() => {
                window.words = [];
                const status = document.getElementById("status");
                new MutationObserver(() => words.push(status.textContent)).observe(status, { childList: true });
            }"""
        )

    async def words(self) -> list[str]:
        """What the status line has said since then."""
        said: list[str] = await self.frame.evaluate("window.words")
        return said

    async def _upload(self, upload: dict[str, Any]) -> None:
        self.uploads.append(Upload(upload["url"], upload["type"], bytes(upload["bytes"])))
        async with self._uploaded:
            self._uploaded.notify_all()

    def _asked(self, request: Request) -> None:
        if request.url.endswith("/events") and "/api/edits/" in request.url:
            self.streams.append(request.url)


async def asked(chat: ChatPage, data: bytes, *, as_file: bool = False) -> Locator:
    """Send a photo with /erase; the bot's answer with the button that opens the Mini App."""
    before = await chat.answers.count()
    await chat.choose(jpeg(data))
    await chat.send("/erase", as_file=as_file)
    await expect(chat.answers).to_have_count(before + 1)
    return await chat.pinned(chat.answers.last)
