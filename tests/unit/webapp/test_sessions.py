"""Sessions: valid initData opens one, and no route answers without one."""

from __future__ import annotations

import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from bot.texts import Texts
from tests.unit.webapp.conftest import ADA, Page
from tests.unit.webapp.doubles import CanvasDouble
from tests.unit.webapp.signing import TOKEN, signed
from webapp.application import add_mini_app
from webapp.health import Health
from webapp.init_data import Caller
from webapp.tokens import RENEW_AFTER, TOKEN_SECONDS, Tokens


async def test_init_data_opens_a_session_that_opens_the_edit(client: TestClient) -> None:
    page = Page(client, ADA)
    answer = await page.open()
    assert answer.status == 200
    told = await answer.json()
    assert set(told) == {"token", "expires_in"}
    assert told["expires_in"] == TOKEN_SECONDS
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert (await page.get("/edits/adas")).status == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "tma",
        "tma ",
        "tma hello",
        f"Bearer {signed()}",
        f"tma {signed(token=TOKEN[:-1] + 'x', auth_date=int(time.time()))}",
        f"tma {signed(auth_date=int(time.time()) - 25 * 3600)}",
        f"tma {signed(auth_date=int(time.time()) + 25 * 3600)}",
        f"tma {signed(auth_date=int(time.time()))}&user=%7B%22id%22%3A1%7D",
        "tma " + "a=" * 4000,
    ],
)
async def test_invalid_init_data_opens_no_session(client: TestClient, header: str | None) -> None:
    answer = await client.post("/api/session", headers={} if header is None else {"Authorization": header})
    assert answer.status == 401
    assert (await answer.json())["error"] == "unauthorized"


async def test_two_authorization_headers_are_refused(client: TestClient, ada: Page) -> None:
    headers = [("Authorization", f"Bearer {ada.token}"), ("Authorization", "Bearer x")]
    assert (await client.get("/api/edits/adas", headers=headers)).status == 401


@pytest.mark.parametrize("credentials", ["", "Bearer", "Bearer x", "tma {init_data}", "Basic {token}", "{token}"])
async def test_no_route_answers_without_a_session(client: TestClient, ada: Page, credentials: str) -> None:
    header = credentials.format(init_data=ada.init_data, token=ada.token)
    for method, path in ROUTES:
        answer = await client.request(method, f"/api/edits/adas{path}", headers={"Authorization": header})
        assert answer.status == 401, path
        assert (await answer.json())["error"] == "unauthorized"


async def test_a_token_in_the_query_is_not_accepted(client: TestClient, ada: Page) -> None:
    assert (await client.get(f"/api/edits/adas?token={ada.token}")).status == 401


ROUTES = [
    ("GET", ""),
    ("GET", "/photo"),
    ("GET", "/mask"),
    ("POST", "/mask"),
    ("POST", "/select"),
    ("POST", "/cancel"),
    ("POST", "/show"),
    ("GET", "/result"),
    ("GET", "/result?preview=1"),
    ("GET", "/events"),
]


async def test_a_session_in_use_gets_a_fresh_token(client: TestClient, ada: Page) -> None:
    assert "X-Session-Token" not in (await ada.get("/edits/adas")).headers
    older = Tokens(TOKEN, lambda: time.time() - RENEW_AFTER - 5)
    ada.token, _ = older.begin(Caller(ADA, "en"))
    answer = await ada.get("/edits/adas")
    assert answer.headers["X-Session-Expires-In"] == str(TOKEN_SECONDS)
    ada.token = answer.headers["X-Session-Token"]
    again = await ada.get("/edits/adas")
    assert again.status == 200
    assert "X-Session-Token" not in again.headers


async def test_errors_are_in_the_callers_language(client: TestClient) -> None:
    page = Page(client, ADA, "zh-hans")
    await page.open()
    assert "照片" in (await (await page.get("/edits/none")).json())["message"]
    stranger = await client.get("/api/edits/none", headers={"Accept-Language": "de, zh-CN;q=0.8, en;q=0.5"})
    assert "机器人" in (await stranger.json())["message"]


async def test_sessions_from_one_address_are_limited(client: TestClient) -> None:
    assert (await client.post("/api/session")).status == 401
    for _ in range(1000):
        last = await client.post("/api/session")
        if last.status != 401:
            break
    assert last.status == 429
    assert int(last.headers["Retry-After"]) >= 1
    assert (await last.json())["error"] == "rate-limited"
    pretended = await client.post("/api/session", headers={"X-Forwarded-For": "203.0.113.9"})
    assert pretended.status == 429, "this machine is not named as a proxy"


async def test_one_persons_limit_does_not_affect_another(ada: Page, ben: Page) -> None:
    statuses = {(await ada.get("/edits/adas")).status}
    while len(statuses) == 1:
        statuses.add((await ada.get("/edits/adas")).status)
    assert statuses == {200, 429}
    assert (await ben.get("/edits/bens")).status == 200


async def test_init_data_of_hours_ago_opens_a_session(client: TestClient) -> None:
    page = Page(client, ADA)
    page.init_data = signed({"id": ADA, "first_name": "A"}, auth_date=int(time.time()) - 23 * 3600)
    assert (await page.open()).status == 200
    assert (await page.open()).status == 200, "Telegram Desktop hands the same data again"


async def test_a_slow_clock_is_told_to_the_operator_once_and_not_to_the_person(client: TestClient) -> None:
    page = Page(client, ADA)
    with capture_logs() as logs:
        for lag in (30, 7200, 7300):
            page.init_data = signed({"id": ADA, "first_name": "A"}, auth_date=int(time.time()) + lag)
            assert (await page.open()).status == 200
            assert (await page.get("/edits/adas")).status == 200
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [entry["event"] for entry in warnings] == ["clock_behind_telegram"]
    assert warnings[0]["seconds"] == pytest.approx(7200, abs=60)


async def test_the_age_of_init_data_is_a_setting(canvas: CanvasDouble) -> None:
    app = web.Application()
    add_mini_app(app, canvas, Texts(), bot_token=TOKEN, init_data_max_age=3600, health=Health(lambda: True))
    async with TestClient(TestServer(app)) as client:
        page = Page(client, ADA)
        page.init_data = signed({"id": ADA, "first_name": "A"}, auth_date=int(time.time()) - 3700)
        answer = await page.open()
        assert answer.status == 401
        assert "Send the photo to the bot again" in (await answer.json())["message"]
