"""The Mini App in the playground's chat, in any engine: gestures on its stage, and the masks that it uploads."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from tests.page.engines.installed import ENGINES, Engine, NotInstalledError
from tests.page.engines.webdriver import WebDriver
from tests.page.mini_app import LARGEST, SMALLEST
from tests.page.painted import Bitmap, Point
from tests.page.program import running_playground

FRAME = "[data-testid=miniapp-frame]"

KEYS = {
    "enter": "\ue007",
    "space": "\ue00d",
    "left": "\ue012",
    "up": "\ue013",
    "right": "\ue014",
    "down": "\ue015",
}
"""WebDriver's values of keys that have no letter (https://www.w3.org/TR/webdriver2/#keyboard-actions)."""

WATCH = """
    window.problems = [];
    window.uploads = [];
    const note = (event) => problems.push(
        String(event.message || event.reason || event.violatedDirective || event.target?.outerHTML || event.type));
    const watched = new WeakSet();
    const watch = (page) => {
        watched.add(page.document);
        for (const type of ["error", "unhandledrejection", "securitypolicyviolation"]) {
            page.addEventListener(type, note, { capture: true });
        }
        for (const kind of ["error", "warn"]) page.console[kind] = (...words) => problems.push(words.join(" "));
        const send = page.fetch;
        page.fetch = (url, options) => {
            if (options?.body instanceof page.Blob) uploads.push(options.body);
            return send.call(page, url, options);
        };
    };
    watch(window);
    setInterval(() => {
        const page = document.querySelector("[data-testid=miniapp-frame]")?.contentWindow;
        if (page && page.location.href !== "about:blank" && !watched.has(page.document)) watch(page);
    });
"""
"""Records errors of the chat page and of the Mini App, from before its modules run, and the masks that it sends."""

READY = """
    (() => {
        const photo = document.querySelector("#picture.ready #image");
        const moving = document.getAnimations().some((one) => one.effect.getTiming().iterations < 99);
        return photo?.naturalWidth > 0 && !document.body.matches(".working") && !moving;
    })()
"""

ANSWER = """
    fetch("/playground/api/chat").then((answer) => answer.json()).then(({ messages }) =>
        messages.find((message) => message.reply_to_message?.message_id === arguments[0])?.message_id)
"""
"""The number of the answer to a message. The last message may be of an edit of the test before that still ran."""

TOUCH = """
    const [events] = arguments;
    return (async () => {
        for (const [type, id, clientX, clientY] of events) {
            document.getElementById("stage").dispatchEvent(new PointerEvent(type, {
                pointerId: 900 + id, pointerType: "touch", isPrimary: id === 0, bubbles: true, cancelable: true,
                clientX, clientY, buttons: type === "pointerup" ? 0 : 1, button: type === "pointermove" ? -1 : 0,
            }));
            await new Promise((done) => setTimeout(done, 8));
        }
    })();
"""
"""Touches for a driver that has no touch screen."""


class EngineApp:
    """The Mini App in a window of an engine; the current frame is the Mini App's.

    Args:
        driver: The window.
        engine: Whose it is.
        url: The playground's address.
    """

    def __init__(self, driver: WebDriver, engine: Engine, url: str) -> None:
        self.driver = driver
        self.engine = engine
        self._url = url
        self._stage: dict[str, str] = {}
        self._middle: Point = (0, 0)
        self._seen = 0

    async def open_chat(self) -> None:
        """Open the empty chat in English."""
        self._seen = 0
        async with aiohttp.ClientSession(self._url) as http:
            for path, body in (("clear", {}), ("person", {"language_code": "en"})):
                async with http.post(f"/playground/api/{path}", json=body) as answer:
                    answer.raise_for_status()
        await self.driver.evaluate("window.old = true")
        await self.driver.open(f"{self._url}/playground")
        # WebKit's driver sometimes returns while the page of the test before is still there.
        await self.driver.until("!window.old && document.readyState === 'complete'")
        await self.driver.evaluate(WATCH)
        await self.driver.until("document.getElementById('status').textContent === 'bot'")

    async def open(self, photo: bytes, *, as_file: bool = False) -> None:
        """Send a photo with /erase and open the Mini App from the answer's button."""
        form = aiohttp.FormData({"text": "/erase", "as": "file" if as_file else "photo"})
        form.add_field("file", photo, filename="photo.jpg", content_type="image/jpeg")
        async with aiohttp.ClientSession(self._url) as http, http.post("/playground/api/messages", data=form) as answer:
            answer.raise_for_status()
            (sent,) = (await answer.json())["messages"]
        answered = await self.driver.until(ANSWER, sent["message_id"])
        await self.driver.click(f"[data-message-id='{answered}'] [data-testid=inline-button]")
        await self.enter()

    async def enter(self) -> None:
        """Enter the Mini App's frame and wait until the photo is shown."""
        await self.driver.enter_frame(FRAME)
        await self.ready()
        await self._aim()

    async def ready(self) -> None:
        """Wait until the photo is shown, no edit runs and no animation plays."""
        await self.driver.until(READY)
        await self.driver.evaluate(
            "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    async def reload(self) -> None:
        """Load the Mini App's page again."""
        await self.driver.evaluate("window.old = true; setTimeout(() => location.reload())")
        await self.driver.leave_frame()
        await self.driver.until(f"!document.querySelector('{FRAME}').contentWindow.old")
        await self.enter()

    async def close(self) -> None:
        """Press Done, and wait until the Mini App has closed."""
        await self.press("done")
        await self.driver.leave_frame()
        await self.driver.until(f"!document.querySelector('{FRAME}')")

    async def press(self, name: str) -> None:
        """Click a button of the Mini App."""
        await self.driver.click(f"[data-testid={name}]")

    async def enabled(self, name: str) -> bool:
        """Whether a button of the Mini App can be pressed."""
        is_off = f"document.querySelector('[data-testid={name}]').matches('[aria-disabled=true]')"
        return not await self.driver.evaluate(f"return {is_off}")

    async def status(self, text: str) -> None:
        """Wait for a status text."""
        await self.driver.until("document.getElementById('status').textContent === arguments[0]", text)

    async def box(self) -> Any:
        """The photo's box, CSS px of the Mini App."""
        return await self.driver.evaluate(
            "const { x, y, width, height } = document.getElementById('picture').getBoundingClientRect();"
            "return { x, y, width, height }"
        )

    async def fit(self, width: float) -> None:
        """Zoom out until the photo has this width."""
        await self.press("fit")
        await self.driver.until(
            "Math.abs(document.getElementById('picture').getBoundingClientRect().width - arguments[0]) < 0.5", width
        )
        await self.ready()

    async def brush(self) -> float:
        """The brush's diameter, CSS px."""
        share = float(await self.driver.evaluate("return document.querySelector('[data-testid=size]').value")) / 100
        return float(SMALLEST * (LARGEST / SMALLEST) ** share)

    async def stroke(self, points: Sequence[Point], *, lift: bool = True, pause: int = 0) -> list[Point]:
        """Draw a line by finger, or by mouse where the driver has no touch screen.

        Args:
            points: Where it goes, CSS px of the Mini App.
            lift: Whether the finger is lifted at the end.
            pause: Time between two points, ms.

        Returns:
            Where it went.
        """
        steps = [self._step(point) for point in points]
        moves: list[dict[str, Any]] = [{**self._move(step), "duration": pause} for step in steps]
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        await self._point([moves[0], down, *moves[1:], *([up] if lift else [])])
        return [(self._middle[0] + x, self._middle[1] + y) for x, y in steps]

    async def tap(self, point: Point) -> None:
        """Touch and lift a finger."""
        await self.stroke([point])

    async def touch(self, *events: tuple[str, int, float, float]) -> None:
        """Dispatch touches by a script: type, number of the finger, x and y of each."""
        await self.driver.evaluate(TOUCH, events)

    async def pinch(self, middle: Point, radii: Point, steps: int = 10) -> None:
        """Two fingers around a point, from the first distance to it to the second."""
        ways = [radii[0] + (radii[1] - radii[0]) * step / steps for step in range(steps + 1)]
        places = [[(middle[0] + side * way, middle[1]) for way in ways] for side in (-1, 1)]
        if not self.engine.touch:
            kinds = ["pointerdown", *["pointermove"] * steps, "pointerup"]
            await self.touch(
                *(
                    (kind, finger, *places[finger][min(step, steps)])
                    for step, kind in enumerate(kinds)
                    for finger in (0, 1)
                )
            )
            return
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        fingers = []
        for number, way in enumerate(places):
            first, *moves = [self._move(self._step(point)) for point in way]
            actions = [first, down, *moves, up]
            fingers.append(
                {"type": "pointer", "id": f"finger{number}", "parameters": {"pointerType": "touch"}, "actions": actions}
            )
        await self.driver.perform(*fingers)

    async def focus_stage(self) -> Point:
        """Focus the stage; returns its middle, where the keys' cursor will appear."""
        await self.driver.evaluate("document.getElementById('stage').focus()")
        middle = await self.driver.evaluate(
            "const { x, y, width, height } = document.getElementById('stage').getBoundingClientRect();"
            "return [x + width / 2, y + height / 2]"
        )
        return middle[0], middle[1]

    async def keys(self, *names: str, while_held: str | None = None) -> None:
        """Press keys, one after the other: names of `KEYS`, or letters.

        Args:
            names: The keys.
            while_held: A key that is held meanwhile.
        """
        presses = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        if while_held is not None:
            held = KEYS[while_held]
            presses = [{"type": "keyDown", "value": held}, *presses, {"type": "keyUp", "value": held}]
        await self.driver.perform({"type": "key", "id": "keyboard", "actions": presses})

    async def main_button(self) -> None:
        """Press Telegram's main button."""
        async with self._outside():
            await self.driver.click("[data-testid=miniapp-main-button]")

    async def undo_round(self) -> None:
        """Press Telegram's second button, which undoes a round."""
        async with self._outside():
            await self.driver.click("[data-testid=miniapp-secondary-button]")

    async def send(self, *, by_key: bool = False) -> Image.Image:
        """Press Telegram's main button, or Enter; returns the mask that was sent, and its size in `info["bytes"]`."""
        await (self.keys("enter") if by_key else self.main_button())
        async with self._outside():
            await self.driver.until("window.uploads.length > arguments[0]", self._seen)
            text = await self.driver.evaluate(
                """return new Promise((done) => {
                    const reader = new FileReader();
                    reader.onload = () => done(reader.result.split(",")[1]);
                    reader.readAsDataURL(uploads[arguments[0]]);
                })""",
                self._seen,
            )
        self._seen += 1
        data = base64.b64decode(text)
        mask = Image.open(io.BytesIO(data))
        mask.info["bytes"] = len(data)
        return mask

    async def finished(self) -> None:
        """Wait until the result is on the stage."""
        await self.status("Erased. Paint on, or Done.")
        await self.ready()

    async def picture(self, element: str = "image") -> np.ndarray[Any, Any]:
        """The picture on the stage without the ink, scaled to a width of 160: (H, W, 3) uint8."""
        text = await self.driver.evaluate(
            """
            const image = document.getElementById(arguments[0]);
            const canvas = document.createElement("canvas");
            canvas.width = 160;
            canvas.height = (160 * image.naturalHeight) / image.naturalWidth;
            canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
            return canvas.toDataURL().split(",")[1];
            """,
            element,
        )
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))

    async def no_problems(self) -> None:
        """There were no errors or warnings so far, and one would be noticed."""
        await self.driver.evaluate("dispatchEvent(new ErrorEvent('error', { message: 'noticed' }))")
        async with self._outside():
            await self.driver.until("problems.length")
            found = await self.driver.evaluate("return problems")
        assert found == ["noticed"]

    @contextlib.asynccontextmanager
    async def _outside(self) -> AsyncIterator[None]:
        """Make the chat page the current frame inside the block."""
        await self.driver.leave_frame()
        yield
        if await self.driver.evaluate(f"return Boolean(document.querySelector('{FRAME}'))"):
            await self.driver.enter_frame(FRAME)

    async def _aim(self) -> None:
        """Find out which point of the page the driver takes for the middle of the stage."""
        self._stage = await self.driver.evaluate("return document.getElementById('stage')")
        await self.driver.evaluate(
            "addEventListener('pointermove', ({ clientX, clientY }) => (window.middle = [clientX, clientY]),"
            " { capture: true, once: true })"
        )
        for x in (1, 0):  # a pointer that is there already makes no event
            await self._point([self._move((x, 0))], kind="mouse")
        x, y = await self.driver.until("window.middle")
        self._middle = (x - 1, y)

    def _step(self, point: Point) -> tuple[int, int]:
        """A point as whole px from the middle of the stage: not every driver knows parts of them."""
        return round(point[0] - self._middle[0]), round(point[1] - self._middle[1])

    def _move(self, step: tuple[int, int]) -> dict[str, Any]:
        return {"type": "pointerMove", "duration": 0, "x": step[0], "y": step[1], "origin": self._stage}

    async def _point(self, actions: list[dict[str, Any]], kind: str = "") -> None:
        kind = kind or ("touch" if self.engine.touch else "mouse")
        await self.driver.perform(
            {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}
        )


@contextlib.asynccontextmanager
async def opened(name: str, folder: Path, *, dark: bool = False) -> AsyncIterator[EngineApp]:
    """Run the program and a window of an engine until the block ends; skips the test if it is not installed."""
    try:
        engine = ENGINES[name]()
    except NotInstalledError as missing:
        pytest.skip(f"{name} is not tested: {missing}")
    (folder / "data").mkdir()
    async with running_playground(folder / "data") as url, engine.window(folder, dark=dark) as driver:
        yield EngineApp(driver, engine, url)


def bitmap(mask: Image.Image) -> Bitmap:
    """(H, W) bool, True = painted."""
    return np.asarray(mask.convert("L")) > 127
