"""/healthz, /readyz and /metrics."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from webapp.health import add_health


async def test_readyz_answers_503_until_edits_can_be_accepted() -> None:
    able = False
    app = web.Application()
    add_health(app, lambda: able)
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/healthz")).status == 200
        waiting = await client.get("/readyz")
        assert waiting.status == 503
        assert waiting.headers["Retry-After"] == "1"
        able = True
        assert (await client.get("/readyz")).status == 200


async def test_readyz_warns_of_a_disk_that_gets_full() -> None:
    able, warning = True, "DATA_DIR takes 4100 of 5000 MB (DATA_MAX_MB)"
    app = web.Application()
    add_health(app, lambda: able, lambda: warning)
    async with TestClient(TestServer(app)) as client:
        ready = await client.get("/readyz")
        assert (ready.status, await ready.text()) == (200, f"ready\nwarning: {warning}\n")
        able = False
        full = await client.get("/readyz")
        assert (full.status, await full.text()) == (503, f"not ready\nwarning: {warning}\n")


async def test_the_metrics_are_prometheus_text() -> None:
    app = web.Application()
    add_health(app, lambda: True)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/metrics")
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        families = {family.name for family in text_string_to_metric_families(await answer.text())}
    assert "python_info" in families
