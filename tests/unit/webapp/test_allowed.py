"""ALLOWED_USERS and bans hold for the Mini App too."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.texts import Texts
from tests.unit.webapp.conftest import ADA, BEN, Page
from tests.unit.webapp.doubles import CanvasDouble, make_edit
from tests.unit.webapp.signing import TOKEN
from webapp.application import add_mini_app
from webapp.health import Health


def page_server(canvas: CanvasDouble, allowed: frozenset[int], banned: Collection[int] = ()) -> TestServer:
    app = web.Application()
    is_banned = banned.__contains__
    add_mini_app(
        app, canvas, Texts(), bot_token=TOKEN, allowed=allowed, is_banned=is_banned, health=Health(lambda: True)
    )
    return TestServer(app)


async def test_only_allowed_people_get_a_session(canvas: CanvasDouble) -> None:
    async with TestClient(page_server(canvas, frozenset({ADA}))) as client:
        ada, ben = Page(client, ADA), Page(client, BEN)
        assert (await ada.open()).status == 200
        assert (await ada.get("/edits/adas")).status == 200
        refused = await ben.open()
        assert refused.status == 403
        assert await refused.json() == {
            "error": "not-allowed",
            "message": "This bot is private. Ask its owner to let you in.",
        }


async def test_a_session_that_began_earlier_ends_with_the_permission(canvas: CanvasDouble) -> None:
    canvas.add(make_edit("bens", BEN))
    async with TestClient(page_server(canvas, frozenset())) as before:
        ben = Page(before, BEN)
        await ben.open()
        assert (await ben.get("/edits/bens")).status == 200
    async with TestClient(page_server(canvas, frozenset({ADA}))) as after:
        later = Page(after, BEN)
        later.token = ben.token
        assert (await later.get("/edits/bens")).status == 403


async def test_a_ban_ends_a_session(canvas: CanvasDouble) -> None:
    banned: set[int] = set()
    async with TestClient(page_server(canvas, frozenset(), banned)) as client:
        ada, ben = Page(client, ADA), Page(client, BEN)
        await ada.open()
        await ben.open()
        assert (await ben.get("/edits/bens")).status == 200
        banned.add(BEN)
        refused = await ben.get("/edits/bens")
        assert (refused.status, (await refused.json())["error"]) == (403, "banned")
        assert (await ben.open()).status == 403
        assert (await ada.get("/edits/adas")).status == 200
