"""Every route of the web server keeps what the table in `routes` says. A new route belongs into that table."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot.playground.page import PERSON
from bot.playground.saved_chat import SavedChat
from tests.unit.webapp.conftest import ADA, BEN, Page
from tests.unit.webapp.doubles import CanvasDouble, make_edit, mask_png
from tests.unit.webapp.routes import OWNERS, PLAYGROUND, PRIVATE, ROUTES, SECRET, STAND_IN, Route, site

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_BRACES = str.maketrans("", "", "{}")


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
def canvas() -> CanvasDouble:
    canvas = CanvasDouble()
    for edit_id, person in (("adas", ADA), ("bens", BEN)):
        canvas.add(make_edit(edit_id, person))
        canvas.masks[edit_id] = mask_png()
        canvas.finish(edit_id)
    return canvas


@pytest.fixture
async def client(canvas: CanvasDouble) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(site(canvas))) as client:
        yield client


async def ask(client: TestClient, route: Route, page: Page | None, edit_id: str = "adas") -> ClientResponse:
    """A good request of this route, by the page's person."""
    headers = {"Authorization": f"Bearer {page.token}"} if page else {}
    address = route.address(edit_id)
    if route.access == "init data" and page:
        headers["Authorization"] = f"tma {page.init_data}"
    if "{version}" in address:
        text = await (await client.get("/app")).text()
        start = text.index("app/static/")
        address = "/" + text[start : text.index('"', start)]
    if route.access == "secret" and page:
        headers["X-Telegram-Bot-Api-Secret-Token"] = SECRET
    body = {"select": b'{"points": [{"x": 5, "y": 5}]}', "webhook": b"no update", "mask": mask_png()}
    data = body.get(address.rpartition("/")[2]) if route.body else None
    if route.body:
        headers["Content-Type"] = route.body[0]
    return await client.request(route.method, address, data=data, headers=headers)


# ── the table is whole ──


def test_every_route_is_in_the_table() -> None:
    def routes(app: web.Application) -> set[tuple[str, str]]:
        return {
            (route.method, route.resource.canonical)
            for route in app.router.routes()
            if route.resource is not None and route.method != "HEAD"
        }

    known = {(route.method, route.path) for route in ROUTES}
    assert routes(site(CanvasDouble())) == known, "a route is missing in this table, or here without being served"
    more = routes(site(CanvasDouble(), SavedChat(Path("unused"), PERSON))) - known
    assert {path for _, path in more} == PLAYGROUND | STAND_IN


@pytest.mark.parametrize("path", sorted(PLAYGROUND))
async def test_the_playground_answers_this_machines_browser_only(path: str, tmp_path: Path) -> None:
    app = site(CanvasDouble(), SavedChat(tmp_path, PERSON))
    app.cleanup_ctx.clear()  # painting the samples takes seconds
    async with TestClient(TestServer(app)) as client:
        for method in ("GET", "POST"):
            answer = await client.request(method, path.translate(NO_BRACES), headers={"Host": "evil.example"})
            assert answer.status in (403, 405)


# ── who may call ──


@pytest.mark.parametrize("route", ROUTES, ids=named)
async def test_only_who_may_call_is_answered(client: TestClient, canvas: CanvasDouble, route: Route) -> None:
    await canvas.events_of["adas"].put(None)
    ada, ben = Page(client, ADA), Page(client, BEN)
    await asyncio.gather(ada.open(), ben.open())
    stranger = await ask(client, route, None)
    refusals = {"anyone": 200, "init data": 401, "owner": 401, "secret": 403}
    assert stranger.status == refusals[route.access]
    if route.access == "owner":
        foreign, missing = await ask(client, route, ben), await ask(client, route, ben, "missing")
        assert (foreign.status, missing.status) == (404, 404)
        assert await foreign.text() == await missing.text()
    served = await ask(client, route, ada)
    # An edit that is done cannot be cancelled; the secret's owner is told that this is no update.
    expected = {"cancel": (409,), "webhook": (400,)}.get(route.path.rpartition("/")[2], (200, 202, 204))
    assert served.status in expected


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
async def test_other_methods_are_refused(client: TestClient, path: str) -> None:
    known = {route.method for route in ROUTES if route.path == path}
    address = path.replace("{id}", "adas").replace("{version}", "1").replace("{name}", "a.js")
    for method in METHODS:
        if method not in known:
            assert (await client.request(method, address)).status == 405, method


@pytest.mark.parametrize("route", ROUTES, ids=named)
async def test_answers_and_refusals_say_how_long_they_may_be_kept(
    client: TestClient, canvas: CanvasDouble, route: Route
) -> None:
    await canvas.events_of["adas"].put(None)
    ada = Page(client, ADA)
    await ada.open()
    served = await ask(client, route, ada)
    assert served.headers.get("Cache-Control", "") == route.caching
    if route.access in ("owner", "init data"):
        refused = await ask(client, route, None)
        assert refused.headers["Cache-Control"] == PRIVATE


# ── limits ──


@pytest.mark.parametrize("route", ROUTES, ids=named)
async def test_too_many_requests_are_refused(client: TestClient, canvas: CanvasDouble, route: Route) -> None:
    ada, ben = Page(client, ADA), Page(client, BEN)
    await asyncio.gather(ada.open(), ben.open())
    if route.seconds == "stream":
        for _ in range(300):
            canvas.events_of["adas"].put_nowait(None)
    # More than any burst (300 requests of an address) at once, so that a slow machine refills no bucket meanwhile.
    answers = await asyncio.gather(*(ask(client, route, ada) for _ in range(130)))
    refused = [answer for answer in answers if answer.status == 429]
    if route.limit is None:
        assert not refused
        return
    assert refused
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    elsewhere = "/api/edits/bens"
    allowed = await client.get(elsewhere, headers={"Authorization": f"Bearer {ben.token}"})
    assert allowed.status == 200, "another person is not affected"
    if route.limit == "pixels":
        assert len(answers) - len(refused) < 60, "pixel work has the stricter limit"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=named)
async def test_a_larger_body_is_refused_with_and_without_a_length(client: TestClient, route: Route) -> None:
    assert route.body is not None
    kind, most = route.body
    ada = Page(client, ADA)
    await ada.open()
    headers = {"Authorization": f"Bearer {ada.token}", "Content-Type": kind, "X-Telegram-Bot-Api-Secret-Token": SECRET}

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(most // 2**16 + 2):
            yield bytes(2**16)

    address = route.address("adas")
    for data in (io.BytesIO(bytes(most + 1)), chunks()):
        try:
            answer = await client.post(address, data=data, headers=headers)
        except ConnectionError:
            continue  # the server closed the connection while the body was still being sent
        assert answer.status == 413
    if route.access == "owner":
        wrong = await client.post(address, data=b"x", headers={**headers, "Content-Type": "text/plain"})
        assert wrong.status == 415


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.body], ids=named)
async def test_a_route_without_a_body_waits_for_none(client: TestClient, canvas: CanvasDouble, route: Route) -> None:
    await canvas.events_of["adas"].put(None)
    ada = Page(client, ADA)
    await ada.open()
    credentials = f"tma {ada.init_data}" if route.access == "init data" else f"Bearer {ada.token}"
    assert client.port is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    try:
        head = f"{route.method} {route.address('adas')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials}\r\n"
        writer.write(f"{head}Content-Length: 100000000\r\n\r\n".encode())
        async with asyncio.timeout(60):
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
    finally:
        writer.close()


@pytest.mark.parametrize("route", [route for route in OWNERS if route.seconds == "work"], ids=named)
async def test_work_that_does_not_end_is_given_up(
    client: TestClient, canvas: CanvasDouble, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = Page(client, ADA)
    await ada.open()

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(canvas, "own", never)  # every route begins with it
    monkeypatch.setattr("webapp.edits_api.WORK_SECONDS", 0.05)
    async with asyncio.timeout(60):
        answer = await ask(client, route, ada)
    assert answer.status == 504


@pytest.mark.parametrize("route", [route for route in OWNERS if route.body], ids=named)
async def test_a_body_that_never_ends_is_given_up(
    client: TestClient, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert route.body is not None
    ada = Page(client, ADA)
    await ada.open()
    monkeypatch.setattr("webapp.bodies.READ_SECONDS", 0.05)
    release = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await release.wait()

    headers = {"Authorization": f"Bearer {ada.token}", "Content-Type": route.body[0]}
    async with asyncio.timeout(60):
        answer = await client.post(route.address("adas"), data=slow(), headers=headers)
    release.set()
    assert answer.status == 408


async def test_a_stream_ends_after_its_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Page(client, ADA)
    await ada.open()
    monkeypatch.setattr("webapp.events.MAX_SECONDS", 0.0)
    async with asyncio.timeout(60):
        answer = await ada.get("/edits/adas/events")
        assert (answer.status, await answer.text()) == (200, "")
