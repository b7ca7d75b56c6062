"""Erasing by hand on a phone, from the chat's button to the cleaned photo in the chat."""

from __future__ import annotations

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from tests.page.chat_page import OpenChat
from tests.page.mini_app import PHONE, MiniApp, asked
from tests.page.painted import DENSE, Expected, Point, along, at, overlap, sine, wave
from tests.support import encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALIKE = 0.98
"""Intersection over union of what was painted and what was uploaded, at least."""


PROGRESS = {"Starting…", "Getting the photo…", "Filling the gap…", "Almost done…"}
"""What only the server's events can tell."""


def two_things(width: int, height: int) -> Image.Image:
    """A red block on the left and a green one on the right of noisy blue-grey."""
    noise = np.random.default_rng(11).integers(0, 12, size=(height, width, 3), dtype=np.uint8)
    pixels = np.array((90, 110, 140), np.uint8) + noise
    rows = slice(height * 4 // 10, height * 6 // 10)
    pixels[rows, width * 20 // 100 : width * 35 // 100] = (210, 40, 30)
    pixels[rows, width * 65 // 100 : width * 80 // 100] = (30, 190, 60)
    return Image.fromarray(pixels)


JPEG = encoded(two_things(480, 360))


def red(pixels: np.ndarray) -> bool:
    """Whether the red block is there."""
    return bool(((pixels[..., 0] > 150) & (pixels[..., 1] < 90)).mean() > 0.005)


def green(pixels: np.ndarray) -> bool:
    """Whether the green block is there."""
    return bool(((pixels[..., 1] > 140) & (pixels[..., 0] < 90)).mean() > 0.005)


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone with the chat, and the Mini App yet to be opened in it."""
    return await MiniApp.beside(await open_chat(**PHONE))


def over(box: dict, left: float, right: float) -> list[Point]:
    """Up and down over a part of the photo's middle."""
    columns = np.linspace(left, right, 5)
    corners = [
        at(box, column, (0.36, 0.64)[(number + side) % 2]) for number, column in enumerate(columns) for side in (0, 1)
    ]
    return along(*corners, steps=3)


async def test_paint_undo_redo_erase_go_on_undo_a_round_and_done(app: MiniApp) -> None:
    answer = await asked(app.chat, JPEG)
    await app.open(answer)
    await expect(app.main_button).to_have_text("Erase")
    await expect(app.main_button).to_be_disabled()
    await expect(app.part("undo")).to_be_disabled()
    box = await app.box()
    await app.fingers.stroke(wave(box))
    await expect(app.main_button).to_be_enabled()
    await app.part("undo").tap()
    await expect(app.main_button).to_be_disabled()
    await app.part("redo").tap()
    await expect(app.main_button).to_be_enabled()
    await app.part("undo").tap()

    await app.fingers.stroke(over(box, 0.18, 0.37))
    await app.remember_words()
    first = await app.send()
    await app.finished()
    said = await app.words()
    assert said[0] == "Sending…"
    assert said[-1] == "Erased. Paint on, or Done."
    assert set(said[1:-1]) & PROGRESS, said
    assert len(app.streams) == 1
    shown = await app.shown()
    assert green(shown)
    assert not red(shown)
    source = await app.chat.photo_of(answer)
    delivered = await app.chat.pixels(source)
    assert green(delivered)
    assert not red(delivered)

    compare = await app.part("compare").bounding_box()
    assert compare is not None
    await app.fingers.touch("touchStart", (compare["x"] + 22, compare["y"] + 22))
    await expect(app.inside.locator("#stage.comparing")).to_be_visible()
    await app.still()
    assert red(await app.seen())
    await app.fingers.touch("touchEnd")
    await expect(app.inside.locator("#stage.comparing")).to_have_count(0)
    await app.still()
    assert not red(await app.seen())

    await app.fingers.stroke(over(box, 0.63, 0.82))
    second = await app.erase()
    assert first.path != second.path or first.data != second.data
    shown = await app.shown()
    assert not green(shown)
    assert not red(shown)
    await app.fingers.stroke(along(at(box, 0.45, 0.2), at(box, 0.55, 0.2)))
    await app.erase()
    shown = await app.shown()
    assert not green(shown), "each round works on the last one's result"
    assert not red(shown)
    await expect(app.chat.answers).to_have_count(3)

    await expect(app.second_button).to_have_text("Undo round")
    for _ in range(2):
        await app.second_button.tap()
        await expect(app.part("status")).to_have_text("Round undone")
        await app.ready()
    shown = await app.shown()
    assert green(shown)
    assert not red(shown)
    await expect(app.main_button).to_be_enabled()
    await app.part("undo").tap()
    await expect(app.main_button).to_be_disabled()

    await app.part("done").tap()
    await expect(app.chat.part("miniapp")).to_be_hidden()
    quotes = app.chat.answers.get_by_test_id("reply-quote")
    await expect(quotes).to_have_count(3)
    last = await app.chat.pixels(await app.chat.photo_of(app.chat.answers.last))
    assert not green(last)


async def test_the_upload_is_what_was_painted_also_outside_the_photo_and_back(app: MiniApp) -> None:
    await app.open(await asked(app.chat, JPEG))
    box, brush = await app.box(), await app.brush()
    await app.fingers.stroke(wave(box))
    upload = await app.erase()
    assert upload.kind == "image/png"
    assert upload.image.mode == "1"
    assert upload.image.size == (480, 360)
    assert (
        overlap(Expected(box, upload.image.size).line(wave(box, reports=DENSE), brush).painted, upload.painted) >= ALIKE
    )

    places = ((0.1, 0.3), (0.1, 0.1), (0.15, -0.1), (0.5, -0.25), (0.8, -0.1), (0.8, 0.4))
    points = along(*(at(box, *place) for place in places), steps=5)
    await app.fingers.stroke(points)
    await app.part("undo").tap()
    await expect(app.main_button).to_be_disabled()  # one stroke, though the photo was left
    await app.part("redo").tap()
    upload = await app.erase()
    assert overlap(Expected(box, upload.image.size).line(points, brush).painted, upload.painted) >= ALIKE


async def test_the_upload_is_what_was_painted_zoomed_and_panned(app: MiniApp) -> None:
    await app.open(await asked(app.chat, JPEG))
    fitted = await app.box()
    middle = at(fitted, 0.5, 0.5)
    await app.fingers.pinch(middle, (40, 120), shift=(30, -20))
    await app.still()
    box = await app.box()
    assert box["width"] / fitted["width"] == pytest.approx(3, rel=0.03)
    assert at(box, 0.5, 0.5) == pytest.approx((middle[0] + 30, middle[1] - 20), abs=3), "what was between the fingers"
    await expect(app.part("undo")).to_be_disabled()
    x, y = await app.stage_middle()
    ends = ((x - 150, y), (x + 150, y))
    await app.fingers.stroke(sine(*ends, 90))
    upload = await app.erase()
    expected = Expected(box, upload.image.size).line(sine(*ends, 90, DENSE), await app.brush())
    assert overlap(expected.painted, upload.painted) >= ALIKE
    await app.fingers.double_tap((x, y))
    await expect(app.part("fit")).to_be_hidden()
    await app.still()
    assert (await app.box())["width"] == pytest.approx(fitted["width"], abs=1)
    await expect(app.part("clear")).to_be_disabled()


async def test_a_large_file_comes_back_as_large(app: MiniApp) -> None:
    answer = await asked(app.chat, encoded(two_things(3000, 2000)), as_file=True)
    await app.open(answer)
    box = await app.box()
    points = over(box, 0.18, 0.37)
    await app.fingers.stroke(points)
    upload = await app.erase()
    assert upload.image.size == (3000, 2000)
    assert len(upload.data) <= 100_000
    assert overlap(Expected(box, upload.image.size).line(points, await app.brush()).painted, upload.painted) >= ALIKE
    assert not red(await app.shown())
    await app.part("done").tap()
    await expect(app.chat.part("miniapp")).to_be_hidden()
    async with app.page.expect_download() as download:
        await answer.get_by_test_id("download").click()
    with Image.open(await (await download.value).path()) as clean:
        assert clean.size == (3000, 2000)
        pixels = np.asarray(clean.convert("RGB"))
    assert green(pixels)
    assert not red(pixels)


async def test_what_was_painted_survives_closing(app: MiniApp) -> None:
    answer = await asked(app.chat, JPEG)
    await app.open(answer)
    box = await app.box()
    await app.fingers.stroke(wave(box))
    await expect(app.main_button).to_be_enabled()
    await app.chat.part("miniapp-close").tap()
    await app.page.get_by_role("button", name="Close anyway").tap()
    await expect(app.chat.part("miniapp")).to_be_hidden()
    await app.open(answer)
    await expect(app.main_button).to_be_enabled()
    upload = await app.erase()
    expected = Expected(box, upload.image.size).line(wave(box, reports=DENSE), await app.brush())
    assert overlap(expected.painted, upload.painted) >= ALIKE


async def test_a_second_finger_drops_a_stroke_just_begun_and_keeps_a_long_one(app: MiniApp) -> None:
    await app.open(await asked(app.chat, JPEG))
    box = await app.box()
    x, y = at(box, 0.5, 0.5)
    await app.fingers.touch("touchStart", (x, y))
    await app.fingers.touch("touchMove", (x + 6, y))
    await app.fingers.touch("touchStart", (x + 6, y), (x + 60, y))
    await app.fingers.touch("touchMove", (x - 20, y), (x + 90, y))
    await app.fingers.touch("touchEnd")
    await app.still()
    await expect(app.part("undo")).to_be_disabled()
    assert (await app.box())["width"] > box["width"] * 1.3
    await app.part("fit").tap()
    await expect(app.part("fit")).to_be_hidden()
    await app.still()
    begun = await app.frame.evaluate("performance.now()")
    await app.fingers.stroke(wave(box), lift=False)
    await expect(app.inside.locator("#loupe")).to_be_visible()
    await app.frame.wait_for_function("(begun) => performance.now() - begun > 450", arg=begun)
    await app.fingers.touch("touchStart", at(box, 0.7, 0.5), at(box, 0.2, 0.9))
    await app.fingers.touch("touchEnd")
    await expect(app.inside.locator("#loupe")).to_be_hidden()
    await expect(app.part("undo")).to_be_enabled()
