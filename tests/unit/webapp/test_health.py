"""/healthz, /readyz and /metrics."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from bot.edits.records.statistics import QueueDepth
from bot.edits.workflow import metrics
from bot.errors import OutageError
from webapp.health import Health


async def test_readyz_answers_503_until_edits_can_be_accepted() -> None:
    able = False
    app = web.Application()
    Health(lambda: able).add_to(app)
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
    Health(lambda: able, lambda: warning).add_to(app)
    async with TestClient(TestServer(app)) as client:
        ready = await client.get("/readyz")
        assert (ready.status, await ready.text()) == (200, f"ready\nwarning: {warning}\n")
        able = False
        full = await client.get("/readyz")
        assert (full.status, await full.text()) == (503, f"not ready\nwarning: {warning}\n")


async def test_the_metrics_are_prometheus_text() -> None:
    app = web.Application()
    Health(lambda: True).add_to(app)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/metrics")
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        families = {family.name for family in text_string_to_metric_families(await answer.text())}
    assert "python_info" in families


async def metrics_of(health: Health) -> tuple[int, str]:
    app = web.Application()
    health.add_to(app)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/metrics")
        return answer.status, await answer.text()


async def test_metrics_are_brought_up_to_date_when_they_are_read() -> None:
    async def count() -> None:
        metrics.show_queue(QueueDepth(waiting=7, running=2, oldest=31.5))

    status, text = await metrics_of(Health(lambda: True, update_metrics=count))
    assert status == 200
    for line in ("bot_queue_waiting 7.0", "bot_queue_running 2.0", "bot_queue_oldest_seconds 31.5"):
        assert f"\n{line}\n" in text


async def test_metrics_are_served_while_the_database_is_down() -> None:
    async def fail() -> None:
        raise OutageError("the database does not answer")

    status, text = await metrics_of(Health(lambda: True, update_metrics=fail))
    assert status == 200
    assert "python_info" in text


async def test_a_site_may_have_no_metrics() -> None:
    assert (await metrics_of(Health(lambda: True, update_metrics=None)))[0] == 404
