"""Strokes on the Mini App's stage, what interrupts them, and the check of the mask that they make."""

from __future__ import annotations

from playwright.async_api import CDPSession, FloatRect, expect

from tests.page.mini_app import MiniApp, Upload
from tests.page.painted import ExpectedMask, Point, overlap, point_at, polyline

ALIKE = 0.98

LOSE_ENDS = """
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
        const lose = (event) => event.stopImmediatePropagation();
        addEventListener(type, lose, { capture: true });
        (window.restore ??= []).push(() => removeEventListener(type, lose, { capture: true }));
    }
"""
"""From now on, the page does not hear of the end of a pointer."""

RESTORE_ENDS = "for (const restore of window.restore) restore();"

HIDE = """() => {
    for (const [name, value] of [["hidden", true], ["visibilityState", "hidden"]]) {
        Object.defineProperty(document, name, { configurable: true, get: () => value });
    }
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""

SHOW = """() => {
    delete document.hidden;
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


class Pen:
    """Sends the events of a pen.

    Args:
        session: The page's debugging session.
    """

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def send(self, kind: str, point: Point) -> None:
        """Send `mousePressed`, `mouseMoved` or `mouseReleased`."""
        up = kind == "mouseReleased"
        await self._session.send(
            "Input.dispatchMouseEvent",
            {
                "type": kind,
                "x": point[0],
                "y": point[1],
                "button": "none" if kind == "mouseMoved" else "left",
                "buttons": 0 if up else 1,
                "clickCount": 0 if kind == "mouseMoved" else 1,
                "pointerType": "pen",
                "force": 0 if up else 0.5,
            },
        )


def across(app_box: FloatRect, down: float) -> list[Point]:
    """A horizontal line over most of the photo."""
    return polyline(point_at(app_box, 0.15, down), point_at(app_box, 0.85, down), steps=20)


async def sent(app: MiniApp) -> Upload:
    """Send the mask. The server refuses it, which saves the time of an erasure; the page says so."""
    app.chat.expected_errors = (*app.chat.expected_errors, "409 (Conflict)")
    body = {"error": "refused", "message": "Refused by the test"}
    await app.page.route("**/api/edits/*/mask", lambda route: route.fulfill(status=409, json=body))
    upload = await app.send()
    await expect(app.element("status")).to_have_text(body["message"])
    return upload


async def painted(app: MiniApp, expected: ExpectedMask) -> None:
    """Send the mask; it is the expected one."""
    upload = await sent(app)
    assert overlap(expected.painted, upload.painted) >= ALIKE


async def expected_mask(app: MiniApp) -> ExpectedMask:
    """An empty mask for the photo as it is on the screen now."""
    width, height = await app.frame.evaluate(
        '() => { const { naturalWidth, naturalHeight } = document.getElementById("image");'
        " return [naturalWidth, naturalHeight]; }"
    )
    return ExpectedMask(await app.box(), (width, height))
