"""The Mini App's session: it is renewed while the person paints, and old initData is explained."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from bot.playground import Telegram
from bot.playground.mini_app import init_data
from tests.page.chat_page import OpenChat
from tests.page.mini_app import PHONE, MiniApp, known_telegram, send_for_erase
from tests.page.painted import DENSE, ExpectedMask, overlap, wave
from tests.support import encoded, scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", autouse=True)
def telegram() -> Iterator[Telegram]:
    """The Telegram that the program uses; its token can sign initData of any age."""
    with known_telegram() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def app(open_chat: OpenChat) -> MiniApp:
    """A phone with the chat; the Mini App is not open yet."""
    return await MiniApp.prepare(await open_chat(**PHONE))


async def test_a_session_that_ended_while_painting_is_renewed_and_nothing_is_lost(app: MiniApp) -> None:
    await app.open(await send_for_erase(app.chat, encoded(scene())))
    box = await app.box()
    await app.fingers.stroke(wave(box))
    app.chat.expected_errors = ("401 (Unauthorized)",)
    tokens: list[str] = []

    async def end_session(route: Route) -> None:
        headers = dict(route.request.headers)
        tokens.append(headers["authorization"])
        if len(tokens) == 1:
            headers["authorization"] += "x"
        await route.continue_(headers=headers)

    begun: list[str] = []
    app.page.on("request", lambda request: begun.append(request.url) if request.url.endswith("/api/session") else None)
    await app.page.route("**/api/edits/*/mask", end_session)
    upload = await app.erase()
    assert (len(tokens), len(begun)) == (2, 1), "the mask is sent again, in a session of its own"
    expected = ExpectedMask(box, upload.image.size).line(wave(box, reports=DENSE), await app.brush())
    assert overlap(expected.painted, upload.painted) >= 0.98


async def test_init_data_that_is_too_old_is_explained_with_what_helps(app: MiniApp, telegram: Telegram) -> None:
    person = {"id": 4242, "first_name": "Eve", "language_code": "en"}
    old = init_data(telegram.token, person, now=time.time() - 25 * 3600)
    app.chat.expected_errors = ("401 (Unauthorized)",)
    await app.page.goto(f"{app.chat.url}/app?edit=anything#tgWebAppData={quote(old, safe='')}")
    notice = app.page.locator("#notice")
    await expect(notice).to_contain_text("sign-in for this page has run out. Send the photo to the bot again.")
    await expect(app.page.get_by_test_id("again")).to_be_hidden()


async def test_a_clock_that_is_behind_stops_nobody(app: MiniApp, telegram: Telegram) -> None:
    person = {"id": 4242, "first_name": "Eve", "language_code": "en"}
    early = init_data(telegram.token, person, now=time.time() + 7200)
    app.chat.expected_errors = ("404 (Not Found)",)
    await app.page.goto(f"{app.chat.url}/app?edit=anything#tgWebAppData={quote(early, safe='')}")
    notice = app.page.locator("#notice")
    await expect(notice).to_contain_text("This photo is no longer here", timeout=30_000)
