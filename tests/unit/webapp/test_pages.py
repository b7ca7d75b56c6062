"""The page and its files: security headers, caching and compression."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.texts import Texts
from tests.unit.webapp.doubles import CanvasDouble
from tests.unit.webapp.signing import TOKEN
from webapp.application import add_mini_app
from webapp.health import Health
from webapp.pages import STATIC, Pages, without_documentation

OWN_SCRIPT = "/playground/telegram-web-app.js"


@pytest.fixture(params=[None, OWN_SCRIPT], ids=["telegram", "playground"])
def script(request: pytest.FixtureRequest) -> str | None:
    return request.param


@pytest.fixture
async def client(script: str | None) -> AsyncIterator[TestClient]:
    app = web.Application()
    add_mini_app(app, CanvasDouble(), Texts(), bot_token=TOKEN, telegram_script=script, health=Health(lambda: True))
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


def policy_of(header: str) -> dict[str, list[str]]:
    parts = [part.split() for part in header.split(";")]
    assert len({part[0] for part in parts}) == len(parts), "a directive twice: the second is ignored"
    return {part[0]: part[1:] for part in parts}


async def test_the_page_may_only_run_its_own_scripts_and_telegrams(client: TestClient, script: str | None) -> None:
    answer = await client.get("/app?edit=adas")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = policy_of(answer.headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == (["'self'", "https://telegram.org"] if script is None else ["'self'"])
    assert policy["connect-src"] == ["'self'"]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


async def test_only_telegrams_web_clients_may_frame_the_page(client: TestClient, script: str | None) -> None:
    answer = await client.get("/app")
    frames = policy_of(answer.headers["Content-Security-Policy"])["frame-ancestors"]
    telegram = {"https://web.telegram.org", "https://webk.telegram.org", "https://webz.telegram.org"}
    assert set(frames) == (telegram if script is None else telegram | {"'self'"})
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_every_file_that_the_page_names_is_served(client: TestClient, script: str | None) -> None:
    page = await (await client.get("/app", headers={"Accept-Encoding": "identity"})).text()
    assert "{{" not in page
    named = re.findall(r"""(?:src|href)="([^"#][^"]*)\"""", page)
    assert (script or "https://telegram.org/js/telegram-web-app.js") in named
    own = [name for name in named if name.startswith("app/")]
    assert any(name.endswith(".css") for name in own)
    modules = [name for name in own if name.endswith(".js")]
    assert {name.rpartition("/")[2] for name in modules} == {path.name for path in STATIC.rglob("*.js")}
    for name in own:
        assert (await client.get(f"/{name}")).status == 200, name
    for module in modules:
        source = await (await client.get(f"/{module}", headers={"Accept-Encoding": "identity"})).text()
        for imported in re.findall(r"""^(?:import|export)\s[^'"]*['"](\.[^'"]+)""", source, re.MULTILINE):
            assert (await client.get(urljoin(f"/{module}", imported))).status == 200, imported


async def test_modules_are_loaded_ahead_but_not_the_script_that_the_page_names(client: TestClient) -> None:
    page = await (await client.get("/app", headers={"Accept-Encoding": "identity"})).text()
    named = re.findall(r'rel="modulepreload" href="[^"]*/([^"/]+)"', page)
    assert "stage.js" in named
    assert "main.js" not in named, "Firefox reports it as an error"


async def test_the_page_has_no_inline_script_or_style(client: TestClient) -> None:
    page = await (await client.get("/app", headers={"Accept-Encoding": "identity"})).text()
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert "<style" not in page
    assert not re.search(r"\s(style|on[a-z]+)=", page)


async def test_files_are_compressed_and_may_be_cached_for_ever(client: TestClient) -> None:
    folder = f"/app/static/{Pages().version}"
    for path in STATIC.rglob("*.js"):
        answer = await client.get(f"{folder}/{path.relative_to(STATIC)}", headers={"Accept-Encoding": "br, gzip;q=0.8"})
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(await answer.read()) == without_documentation(path.name, path.read_bytes())


@pytest.mark.parametrize("accepted", ["identity", "", "br", "gzip;q=0", "gzip; q=0.0, *"])
async def test_a_client_without_gzip_gets_plain_bytes(client: TestClient, accepted: str) -> None:
    answer = await client.get("/app", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert (await answer.text()).startswith("<!doctype html>")


async def test_the_page_itself_is_revalidated(client: TestClient) -> None:
    first = await client.get("/app")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await client.get("/app", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert await again.read() == b""
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    changed = await client.get("/app", headers={"If-None-Match": 'W/"0123456789abcdef"'})
    assert changed.status == 200


@pytest.mark.parametrize(
    "path",
    ["0000/app.css", "{version}/index.html", "{version}/../pages.py", "{version}/%2e%2e/pages.py", "{version}/", "x"],
)
async def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    assert (await client.get(f"/app/static/{path.format(version=Pages().version)}")).status == 404


async def test_the_page_weighs_at_most_40_kb() -> None:
    pages = Pages()
    files = [page.packed for page in (*pages._files.values(), pages._index)]
    assert sum(map(len, files)) <= 40_000
    scripts = b"".join(gzip.decompress(pages._files[name].packed) for name in ("main.js", "rounds.js", "api.js"))
    assert b"@param {string} id" not in scripts, "what only engineers read is not sent"
    assert b"@type" not in scripts
    assert b"export class Rounds {" in scripts


def test_any_changed_file_changes_the_folder(tmp_path: Path) -> None:
    versions = set()
    (tmp_path / "index.html").write_text('<script src="{{static}}/a.js"></script>')
    for name, text in [("a.js", "1"), ("a.js", "2"), ("b.js", "2"), ("sub/b.js", "2")]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        versions.add(Pages(folder=tmp_path).version)
    assert len(versions) == 4


def test_a_folder_without_a_page_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Pages(folder=tmp_path)
