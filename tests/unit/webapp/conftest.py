"""Fixtures: the Mini App's application on a real socket, two people, one edit each."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.texts import Texts
from tests.unit.webapp.doubles import CanvasDouble, make_edit
from tests.unit.webapp.signing import TOKEN, signed
from webapp.application import add_mini_app
from webapp.health import Health

ADA, BEN = 41, 42


class Page:
    """What one person's open page can do."""

    def __init__(self, client: TestClient, person: int, language: str = "en") -> None:
        self.client = client
        self.person = person
        self.init_data = signed(
            {"id": person, "first_name": "A", "language_code": language}, auth_date=int(time.time())
        )
        self.token = ""

    async def open(self) -> ClientResponse:
        answer = await self.client.post("/api/session", headers={"Authorization": f"tma {self.init_data}"})
        if answer.status == 200:
            self.token = (await answer.json())["token"]
        return answer

    async def get(self, path: str, **options: Any) -> ClientResponse:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> ClientResponse:
        return await self.ask("POST", path, **options)

    async def ask(self, method: str, path: str, **options: Any) -> ClientResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.client.request(method, f"/api{path}", headers=headers, **options)

    async def send_mask(self, edit_id: str, png: bytes | BinaryIO, **headers: str) -> ClientResponse:
        return await self.post(f"/edits/{edit_id}/mask", data=png, headers={"Content-Type": "image/png", **headers})


@pytest.fixture
def canvas() -> CanvasDouble:
    canvas = CanvasDouble()
    canvas.add(make_edit("adas", ADA))
    canvas.add(make_edit("bens", BEN))
    return canvas


@pytest.fixture
async def client(canvas: CanvasDouble) -> AsyncIterator[TestClient]:
    app = web.Application()
    add_mini_app(app, canvas, Texts(), bot_token=TOKEN, health=Health(lambda: True))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def ada(client: TestClient) -> Page:
    page = Page(client, ADA)
    await page.open()
    return page


@pytest.fixture
async def ben(client: TestClient) -> Page:
    page = Page(client, BEN)
    await page.open()
    return page
