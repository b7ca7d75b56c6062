"""A bot with a token serves no playground. In a separate module, because a process runs one bot at a time."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from bot.playground import TelegramServer
from tests.support import running_bot, settings_for

PATHS = ("/playground", "/playground/static/main.js", "/playground/telegram-web-app.js", "/playground/api/chat")


async def test_with_a_token_there_is_no_playground(tmp_path: Path) -> None:
    async with TelegramServer() as server:
        settings = settings_for(server, tmp_path)
        address = f"http://127.0.0.1:{settings.port}"
        async with running_bot(settings, server.telegram), aiohttp.ClientSession(address) as web:
            async with web.get("/healthz") as answer:
                assert answer.status == 200
            for path in (*PATHS, f"/bot{server.telegram.token}/getMe"):
                async with web.get(path) as answer:
                    assert answer.status == 404
            for path in ("messages", "press", "clear"):
                async with web.post(f"/playground/api/{path}", json={}) as answer:
                    assert answer.status == 404
