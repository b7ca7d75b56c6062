"""A whole bot at LOG_LEVEL=DEBUG, driven through its troubles: no secret is in what it writes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp

from bot.playground import TelegramServer, mini_app
from bot.playground.person import Upload
from tests.cloud.signatures import Keys
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))
PUBLIC = "https://photos.example.org"
PASSWORD = "p4ssw0rd-of-the-proxy"


async def send_raw(port: int, request: bytes) -> bytes:
    """Send bytes that no HTTP library would send; returns the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(30):
        answer = await reader.read(10_000)
    writer.close()
    return answer


async def test_no_secret_is_written_at_debug_level(server: TelegramServer, cloud: CloudStandIn, tmp_path: Path) -> None:
    cloud.keys = Keys(session_token="STS2-session-of-the-cloud-0123456789")
    token = server.telegram.token
    settings = environment(
        server, cloud, tmp_path, LOG_LEVEL="DEBUG", TELEGRAM_UPDATES="webhook", PUBLIC_URL=PUBLIC,
        TRUSTED_PROXIES="127.0.0.1",
    )  # fmt: skip
    port = int(settings["PORT"])
    server.telegram.updates.proxies[PUBLIC] = f"http://127.0.0.1:{port}"
    webhook_secret = hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()
    bot, talk = BotProcess(server.telegram, settings), Talk(server.telegram, 1)
    try:
        await bot.start(wait=False)
        await bot.says("ready")
        init_data = mini_app.init_data(token, talk.person.user)
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as web:
            async with web.post(f"{url}/api/session", headers={"Authorization": f"tma {init_data}"}) as answer:
                session = str((await answer.json())["token"])
            for headers in ({"Authorization": f"tma {init_data}x"}, {"Authorization": f"Bearer {session}x"}):
                async with web.post(f"{url}/api/session", headers=headers) as answer:
                    assert answer.status in (400, 401)
            async with web.get(f"{url}/bot{token}/getMe", headers={"Authorization": f"Bearer {session}"}) as answer:
                assert answer.status == 404
            absurd = {"update_id": 1, "message": {"text": webhook_secret, "date": "x", "chat": session}}
            header = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret}
            async with web.post(f"{url}/telegram/webhook", json=absurd, headers=header) as answer:
                assert answer.status in (200, 400)
        malformed = (
            f"GET / HTTP/1.1\r\nAuthorization: Bearer {session}\r\nBad Name\x00: 1\r\n\r\n",
            f"POST /telegram/webhook HTTP/1.1\r\nX-Telegram-Bot-Api-Secret-Token: {webhook_secret}\r\n: x\r\n\r\n",
            f"GET /api/session HTTP/1.1\r\nAuthorization: tma {init_data}\r\nContent-Length: -1\r\n\r\n",
            f"POST /bot{token}/x HTTP/9.9\r\n\r\n",
            f"{webhook_secret}\r\n\r\n",
        )
        for request in malformed:
            assert b" 400 " in (await send_raw(port, request.encode()))[:40]
        for code in (50411, 50400, 100009, None):
            cloud.fail_always(code)
            (sent,) = await talk.person.send(PHOTO, caption="/remove_subject")
            await talk.answer_to(sent)
        await talk.person.write(f"my token is {token}")
        server.telegram.faults.plan("bad_gateway", "sendMessage", times=3)
        await talk.person.write("/help")
        await asyncio.wait_for(bot.terminate(), 60)
    finally:
        await bot.kill()
    log = bot.log
    assert "malformed request" in log
    assert "volcengine_call_failed" in log, "so the cloud's troubles were logged"
    secrets = {
        "the bot's token": token,
        "the webhook's secret": webhook_secret,
        "a session token": session,
        "initData": parse_qs(init_data)["hash"][0],
        "the cloud's access key": cloud.keys.access_key,
        "the cloud's secret key": cloud.keys.secret_key,
        "the cloud's session token": cloud.keys.session_token,
    }
    for name, secret in secrets.items():
        assert secret not in log, name
    for call in cloud.calls:
        assert call.headers["authorization"].rpartition("=")[2] not in log
        assert json.dumps(call.body["binary_data_base64"])[2:60] not in log
