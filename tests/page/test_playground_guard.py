"""The playground refuses requests of other sites in the same browser."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")

READABLE = (
    "/playground",
    "/playground/static/main.js",
    "/playground/telegram-web-app.js",
    "/playground/api/chat",
    "/playground/api/samples",
    "/playground/api/samples/balloon",
)
WRITABLE = ("messages", "sticker", "press", "webapp", "person", "clear")


@pytest_asyncio.fixture(loop_scope="module")
async def web(playground: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(playground) as session:
        yield session


async def count(web: aiohttp.ClientSession) -> int:
    """How many messages are in the chat."""
    async with web.get("/playground/api/chat") as answer:
        return len((await answer.json())["messages"])


@pytest.mark.parametrize("path", [*READABLE, "/playground/api/events"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "[", ""])
async def test_another_host_name_is_refused(web: aiohttp.ClientSession, path: str, host: str) -> None:
    async with web.get(path, headers={"Host": host.format(port=port_of(web))}) as answer:
        assert answer.status == 403


def port_of(web: aiohttp.ClientSession) -> int:
    base = web._base_url
    assert base is not None
    assert base.port is not None
    return base.port


@pytest.mark.parametrize("path", READABLE)
async def test_this_machines_own_names_are_served(web: aiohttp.ClientSession, path: str) -> None:
    for host in ("127.0.0.1", "localhost"):
        async with web.get(path, headers={"Host": f"{host}:{port_of(web)}"}) as answer:
            assert answer.status == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:1", "http://localhost", "null", "http://["]
)
@pytest.mark.parametrize("path", WRITABLE)
async def test_another_sites_page_cannot_write(web: aiohttp.ClientSession, path: str, origin: str) -> None:
    before = await count(web)
    form = aiohttp.FormData({"text": "hello"}, default_to_multipart=True)
    body = {"data": form} if path == "messages" else {"json": {}}
    async with web.post(f"/playground/api/{path}", headers={"Origin": origin}, **body) as answer:
        assert answer.status == 403
    assert await count(web) == before


async def test_its_own_page_can_write(web: aiohttp.ClientSession) -> None:
    before = await count(web)
    form = aiohttp.FormData({"text": "/help"}, default_to_multipart=True)
    origin = f"http://127.0.0.1:{port_of(web)}"
    async with web.post("/playground/api/messages", data=form, headers={"Origin": origin}) as answer:
        assert answer.status == 200
    assert await count(web) > before


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("messages", b"no form", 400),
        ("press", b"{", 400),
        ("press", b"[]", 400),
        ("press", b'{"message_id": "1"}', 400),
        ("press", b'{"message_id": 1, "data": "never offered"}', 400),
        ("webapp", b'{"message_id": 1, "url": "https://evil.example/"}', 400),
    ],
)
async def test_invalid_requests_get_an_error_message(
    web: aiohttp.ClientSession, path: str, body: bytes, status: int
) -> None:
    async with web.post(f"/playground/api/{path}", data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == status
        assert (await answer.json())["message"]


async def test_characters_that_look_like_digits_are_no_number(web: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"text": "/help", "reply_to": "²"}, default_to_multipart=True)
    async with web.post("/playground/api/messages", data=form) as answer:
        assert answer.status == 200
    async with web.get("/playground/api/events?after=²") as answer:
        assert answer.status == 200
        assert await answer.content.readline() == b": hello\n"


@pytest.mark.parametrize("path", ["/playground/static/..%2Fpage.py", "/playground/static/nothing.js"])
async def test_only_the_pages_own_files_are_served(web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/playground/api/files/nothing", "/playground/api/samples/nothing"])
async def test_missing_files_are_not_found(web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(path) as answer:
        assert answer.status in (400, 404)
