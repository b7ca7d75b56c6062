"""HTTP: certificates are verified, redirects are not followed, and the signed bytes are sent."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import web

from bot.engines import EngineUnavailableError
from bot.errors import PersonError
from tests.cloud.conftest import World, hole, scene
from tests.cloud.standin import CloudStandIn


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the self-signed certificate")
async def test_nothing_is_sent_to_a_server_with_an_unknown_certificate(world: World, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
        *subject,
    ]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    arrived: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        arrived.append(request.path)
        return web.json_response({"code": 10000, "data": {}})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        engine = await world.engine(endpoint=f"https://localhost:{runner.addresses[0][1]}")
        with pytest.raises(EngineUnavailableError) as raised:
            await engine.segmenter.segment(scene(160, 140))
    finally:
        await runner.cleanup()
    assert raised.value.facts["code"] == "connection"
    assert arrived == []


async def test_a_redirect_is_not_followed(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next("redirect")
    with pytest.raises(EngineUnavailableError):
        await engine.segmenter.segment(scene(160, 140))
    assert [call.action for call in cloud.calls] == ["CVProcess"]


async def test_the_signed_headers_arrive(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=0)
    headers = cloud.calls[0].headers
    assert headers["content-type"] == "application/json"
    assert headers["host"] == cloud.url.removeprefix("http://")
    assert "SignedHeaders=content-type;host;x-content-sha256;x-date," in headers["authorization"]


async def test_connections_are_reused(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    for _ in range(3):
        await engine.segmenter.segment(scene(160, 140))
    assert len({call.peer for call in cloud.calls}) == 1


async def test_a_response_that_the_worker_cannot_read_is_not_the_persons_fault(
    world: World, cloud: CloudStandIn
) -> None:
    engine = await world.engine()
    run = world.pool.run

    async def worker_dies(function, *args):
        if function.__name__ in ("read_fill", "read_matte"):
            raise PersonError("photo-too-hard")
        return await run(function, *args)

    world.pool.run = worker_dies
    with pytest.raises(EngineUnavailableError) as raised:
        await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)
    assert raised.value.facts["code"] == "no-picture"
