"""A driver for the Mini App in the chat's panel: touches on its stage, and the masks that it uploads."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image
from playwright.async_api import CDPSession, FloatRect, Frame, Locator, Request, expect

from bot.playground import Telegram, saved_chat
from tests.page.chat_page import WORK_MS, ChatPage, jpeg, still
from tests.page.painted import Bitmap, Point

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
"""Options of a browser context for a phone with a touch screen."""

SMALLEST, LARGEST = 6, 140
"""Brush diameters at the ends of the slider, CSS px."""

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
"""Reports request bodies from inside the page: the debugging protocol does not expose bodies that are Blobs."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded mask.

    Attributes:
        path: The request's path, relative to the page.
        kind: The body's media type.
        data: The body.
    """

    path: str
    kind: str
    data: bytes

    @property
    def image(self) -> Image.Image:
        """The body as an image."""
        return Image.open(io.BytesIO(self.data))

    @property
    def painted(self) -> Bitmap:
        """(H, W) bool, True = painted."""
        return np.asarray(self.image.convert("L")) > 127


class Fingers:
    """Sends touch events as a touch screen does."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def touch(self, kind: str, *points: Point, when: float | None = None, first: int = 0) -> None:
        """Send a touch event.

        Args:
            kind: `touchStart`, `touchMove`, `touchEnd` or `touchCancel`.
            points: The positions of the fingers; none: all of them, to end or cancel.
            when: The time of the event, seconds since 1970; None: now.
            first: The number of the first of these fingers.
        """
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points, first)]
        moment = {} if when is None else {"timestamp": when}
        await self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches, **moment})

    async def stroke(self, points: Sequence[Point], *, lift: bool = True) -> None:
        """Move one finger along these points; events come faster than frames, as from a real screen."""
        await self.touch("touchStart", points[0])
        await asyncio.gather(*(self.touch("touchMove", point) for point in points[1:]))
        if lift:
            await self.touch("touchEnd")

    async def tap(self, point: Point) -> None:
        """Touch and lift one finger."""
        await self.touch("touchStart", point)
        await self.touch("touchEnd")

    async def double_tap(self, point: Point) -> None:
        """Two quick taps; their timestamps do not depend on the machine's speed."""
        now = time.time()
        await self.touch("touchStart", point, when=now)
        await self.touch("touchEnd", when=now + 0.05)
        await self.touch("touchStart", point, when=now + 0.12)
        await self.touch("touchEnd", when=now + 0.17)

    async def pinch(self, middle: Point, radii: Point, shift: Point = (0, 0), steps: int = 12) -> None:
        """Two fingers around a middle that moves by `shift`, from the first radius to the second."""
        for step in range(steps + 1):
            way = step / steps
            radius = radii[0] + (radii[1] - radii[0]) * way
            x, y = middle[0] + shift[0] * way, middle[1] + shift[1] * way
            await self.touch("touchMove" if step else "touchStart", (x - radius, y), (x + radius, y))
        await self.touch("touchEnd")


@contextlib.contextmanager
def known_telegram() -> Iterator[Telegram]:
    """Let the program use this Telegram, whose token the test knows."""
    made = Telegram()
    with mock.patch.object(saved_chat, "Telegram", return_value=made):
        yield made


class MiniApp:
    """The Mini App in the chat's panel.

    Args:
        chat: The chat page, before the Mini App is opened.
        fingers: Touches on the same page.
        touch: Whether buttons are pressed by touch, else by mouse.

    Attributes:
        uploads: The uploaded masks, in order.
        streams: Addresses of the event streams that it opened.
    """

    def __init__(self, chat: ChatPage, fingers: Fingers, *, touch: bool) -> None:
        self.chat = chat
        self.page = chat.page
        self.fingers = fingers
        self.press = Locator.tap if touch else Locator.click
        self.inside = chat.page.frame_locator("[data-testid=miniapp-frame]")
        self.main_button = chat.element("miniapp-main-button")
        self.second_button = chat.element("miniapp-secondary-button")
        self.uploads: list[Upload] = []
        self.streams: list[str] = []
        self._uploaded = asyncio.Condition()
        chat.page.on("request", self._on_request)

    @classmethod
    async def prepare(cls, chat: ChatPage, *, touch: bool = True) -> MiniApp:
        """Prepare the chat page, before the Mini App is opened."""
        app = cls(chat, Fingers(await chat.page.context.new_cdp_session(chat.page)), touch=touch)
        await chat.page.expose_function("reportUpload", app._on_upload)
        await chat.page.context.add_init_script(REPORT_BODIES)
        return app

    def element(self, name: str) -> Locator:
        """The element with this test id in the Mini App."""
        return self.inside.get_by_test_id(name)

    @property
    def frame(self) -> Frame:
        """The Mini App's frame."""
        return next(frame for frame in self.page.frames if "/app" in frame.url)

    async def open(self, message: Locator, label: str = "Paint") -> None:
        """Press the button under a message and wait until the Mini App is ready."""
        await self.press(self.chat.button(message, label))
        await self.ready()

    async def ready(self) -> None:
        """Wait until the photo is shown, no edit runs and no animation plays."""
        await expect(self.inside.locator("#picture.ready")).to_be_visible(timeout=WORK_MS)
        await expect(self.main_button).to_be_visible()
        await expect(self.inside.locator("body:not(.working)")).to_be_visible(timeout=WORK_MS)
        await self.wait_until_still()

    async def wait_until_still(self) -> None:
        """Wait until animations have ended and the last change is drawn."""
        for frame in (self.page.main_frame, self.frame):
            await still(frame)

    async def box(self) -> FloatRect:
        """The photo's box on the screen, CSS px; it may extend beyond the stage."""
        box = await self.element("photo").bounding_box()
        assert box is not None
        return box

    async def stage_middle(self) -> Point:
        """The middle of the stage."""
        box = await self.inside.locator("#stage").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def brush(self) -> float:
        """The brush's diameter, CSS px."""
        share = float(await self.element("size").input_value()) / 100
        return float(SMALLEST * (LARGEST / SMALLEST) ** share)

    async def erase(self) -> Upload:
        """Press the main button and wait until the result is shown."""
        upload = await self.send()
        await self.finished()
        return upload

    async def send(self) -> Upload:
        """Press the main button and wait for the upload of the mask."""
        await expect(self.main_button).to_be_enabled()
        before = len(self.uploads)
        await self.press(self.main_button)
        async with asyncio.timeout(WORK_MS / 1000), self._uploaded:
            await self._uploaded.wait_for(lambda: len(self.uploads) > before)
        return self.uploads[-1]

    async def finished(self, words: str = "Erased. Paint on, or Done.") -> None:
        """Wait until the result is on the stage and the status text says so."""
        await expect(self.element("status")).to_have_text(words, timeout=WORK_MS)
        await self.ready()

    async def ink(self) -> Bitmap:
        """The ink on the photo, read from the page's canvas: (H, W) bool, one element per CSS px."""
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

    async def stage_picture(self, element: str = "image") -> np.ndarray[Any, Any]:
        """The picture on the stage without the ink, scaled to a width of 160: (H, W, 3) uint8.

        Args:
            element: ``image``, or ``before`` for the comparison picture.
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

    async def screenshot(self) -> np.ndarray[Any, Any]:
        """A screenshot of the photo's box: (H, W, 3) uint8."""
        clip = await self.box()
        return np.asarray(Image.open(io.BytesIO(await self.page.screenshot(clip=clip))).convert("RGB"))

    async def record_statuses(self) -> None:
        """Record all status texts from now on."""
        await self.frame.evaluate(
            """() => {
                window.words = [];
                const status = document.getElementById("status");
                new MutationObserver(() => words.push(status.textContent)).observe(status, { childList: true });
            }"""
        )

    async def statuses(self) -> list[str]:
        """The recorded status texts."""
        texts: list[str] = await self.frame.evaluate("window.words")
        return texts

    async def _on_upload(self, upload: dict[str, Any]) -> None:
        self.uploads.append(Upload(upload["url"], upload["type"], bytes(upload["bytes"])))
        async with self._uploaded:
            self._uploaded.notify_all()

    def _on_request(self, request: Request) -> None:
        if request.url.endswith("/events") and "/api/edits/" in request.url:
            self.streams.append(request.url)


async def send_for_erase(chat: ChatPage, data: bytes, *, as_file: bool = False) -> Locator:
    """Send a photo with /erase; returns the bot's answer, whose button opens the Mini App."""
    before = await chat.answers.count()
    await chat.choose(jpeg(data))
    await chat.send("/erase", as_file=as_file)
    await expect(chat.answers).to_have_count(before + 1)
    return await chat.by_message_id(chat.answers.last)
