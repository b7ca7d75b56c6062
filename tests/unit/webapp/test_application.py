"""The Mini App shares one web server with other routes."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from bot.texts import Texts
from tests.unit.webapp.doubles import CanvasDouble
from tests.unit.webapp.signing import TOKEN
from webapp.application import add_mini_app
from webapp.health import Health


async def test_other_routes_are_left_as_they_are() -> None:
    async def webhook(request: web.Request) -> web.Response:
        if await request.read() == b"fail":
            raise web.HTTPNotFound
        return web.Response(text="other")

    app = web.Application()
    app.router.add_post("/telegram/webhook", webhook)
    add_mini_app(app, CanvasDouble(), Texts(), bot_token=TOKEN, health=Health(lambda: True))
    app.router.add_post("/apiary", webhook)
    async with TestClient(TestServer(app)) as client:
        for path in ("/telegram/webhook", "/apiary"):
            for _ in range(500):  # more than the API allows
                answer = await client.post(path, data=b"update")
                assert await answer.text() == "other"
            assert "Content-Security-Policy" not in answer.headers
            assert (await client.post(path, data=b"fail")).content_type == "text/plain"


async def test_requests_are_counted_by_route_and_not_by_id() -> None:
    app = web.Application()
    add_mini_app(app, CanvasDouble(), Texts(), bot_token=TOKEN, health=Health(lambda: True))
    async with TestClient(TestServer(app)) as client:
        await client.get("/api/edits/a-secret-id/photo")
        await client.get("/api/nothing/a-secret-id")
        text = await (await client.get("/metrics")).text()
    assert "a-secret-id" not in text
    samples = [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "bot_api_seconds_count"
    ]
    seen = {(sample.labels["route"], sample.labels["status"]) for sample in samples if sample.value}
    assert ("GET /api/edits/{id}/photo", "401") in seen
    assert ("?", "404") in seen
