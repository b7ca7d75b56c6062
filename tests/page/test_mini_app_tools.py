"""The Mini App's tools, its keys on a desk, and who may not use it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from unittest import mock

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot import process
from bot.playground import Telegram
from tests.page.chat_page import WORK_MS, OpenChat, jpeg
from tests.page.mini_app import PHONE, Expected, MiniApp, along, asked, at, overlap
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

JPEG = encoded(scene(640, 480))
ALIKE = 0.98
MAX_WEIGHT = 40_000
"""Bytes of all that the page loads from us, compressed."""


@pytest.fixture(scope="module", autouse=True)
def telegram() -> Iterator[Telegram]:
    """The stand-in for Telegram that the program will make itself: its token signs for other people too."""
    made = Telegram()
    with mock.patch.object(process, "Telegram", return_value=made):
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone with the chat, and the Mini App yet to be opened in it."""
    return await MiniApp.beside(await open_chat(**PHONE))


@pytest_asyncio.fixture(loop_scope="module")
async def web(playground: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(playground) as session:
        yield session


def block(shape: tuple[int, ...]) -> np.ndarray:
    """Where the scene's red block is in a mask of this shape."""
    height, width = shape
    mask = np.zeros(shape, bool)
    mask[height // 3 : height * 2 // 3, width // 3 : width * 2 // 3] = True
    return mask


async def test_rectangle_eraser_lasso_swap_and_clear_make_the_mask_they_show(app: MiniApp) -> None:
    await app.open(await asked(app.chat, JPEG))
    box = await app.box()
    await app.part("tool-rect").tap()
    await app.fingers.stroke([at(box, 0.2, 0.2), at(box, 0.4, 0.4), at(box, 0.6, 0.8)])
    await app.part("tool-eraser").tap()
    rubbed = along(at(box, 0.1, 0.5), at(box, 0.7, 0.5), steps=20)
    await app.fingers.stroke(rubbed)
    await app.part("tool-lasso").tap()
    loop = [at(box, 0.8 + 0.12 * math.cos(n / 5), 0.5 + 0.3 * math.sin(n / 5)) for n in range(32)]
    await app.fingers.stroke(loop)
    await app.part("invert").tap()
    await app.part("invert").tap()
    await app.part("clear").tap()
    await expect(app.main_button).to_be_disabled()
    await app.part("undo").tap()
    upload = await app.send()
    corners = [at(box, 0.2, 0.2), at(box, 0.6, 0.2), at(box, 0.6, 0.8), at(box, 0.2, 0.8)]
    expected = Expected(box, upload.image.size).area(corners).line(rubbed, await app.brush(), ink=0).area(loop)
    assert overlap(expected.painted, upload.painted) >= ALIKE
    await app.finished()


async def test_a_tap_selects_the_thing_and_a_tap_on_it_takes_it_away(app: MiniApp) -> None:
    await app.open(await asked(app.chat, JPEG))
    box = await app.box()
    await app.part("tool-select").tap()
    await app.fingers.tap(at(box, 0.5, 0.5))
    await expect(app.part("status")).to_have_text("Tap to add or take away", timeout=WORK_MS)
    await expect(app.main_button).to_be_enabled()
    await app.part("undo").tap()
    await expect(app.main_button).to_be_disabled()
    await app.part("redo").tap()
    upload = await app.erase()
    thing = block(upload.painted.shape)
    assert (thing & upload.painted).sum() / thing.sum() > 0.97, "all of it"
    assert overlap(thing, upload.painted) > 0.7, "and little else"
    shown = await app.shown()
    assert not ((shown[..., 0] > 150) & (shown[..., 1] < 90)).any()


async def test_fix_by_hand_opens_with_what_was_found_already_painted(app: MiniApp) -> None:
    await app.chat.choose(jpeg(JPEG))
    await app.chat.send("/remove_subject")
    automatic = await app.chat.pinned(app.chat.answers.first)
    await app.chat.photo_of(automatic)
    await app.chat.button(automatic, "Fix").click()
    answer = await app.chat.pinned(app.chat.page.locator("[data-from=bot]").filter(has_text="Paint").last)
    await app.open(answer)
    await expect(app.main_button).to_be_enabled()
    box = await app.box()
    await app.part("tool-rect").tap()
    await app.fingers.stroke([at(box, 0.05, 0.05), at(box, 0.1, 0.1), at(box, 0.15, 0.2)])
    upload = await app.erase()
    height, width = upload.painted.shape
    thing = block(upload.painted.shape)
    assert (thing & upload.painted).sum() / thing.sum() > 0.97, "what was found"
    assert upload.painted[height // 8, width // 10], "what was added"
    assert not upload.painted[-height // 10 :].any(), "nothing else"
