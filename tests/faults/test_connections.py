"""Half-open connections by the hundred: chat and health checks go on, and the log stays short."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from bot.playground import TelegramServer
from bot.playground.person import Upload
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess, environment
from tests.support import Talk, encoded, scene

PHOTO = Upload(encoded(scene(160, 120)))
FILE_LIMIT = 300


@contextlib.contextmanager
def half_open(port: int, *, addresses: int, each: int) -> Iterator[list[socket.socket]]:
    """Connections that begin a request and never end its head, from several addresses of this machine."""
    sockets = []
    try:
        for number in range(addresses):
            for _ in range(each):
                connection = socket.create_connection(
                    ("127.0.0.1", port), timeout=10, source_address=(f"127.0.0.{2 + number}", 0)
                )
                sockets.append(connection)
                with contextlib.suppress(OSError):  # it was one too many
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        yield sockets
    finally:
        for connection in sockets:
            connection.close()


async def healthy(port: int) -> int:
    async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{port}/healthz") as answer:
        return answer.status


async def test_half_open_connections_stop_neither_chat_nor_health_checks(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = environment(server, cloud, tmp_path)
    bot, talk = (
        BotProcess(server.telegram, settings, before=f'ulimit -n {FILE_LIMIT} && exec "$@"'),
        Talk(server.telegram, 1),
    )
    port = int(settings["PORT"])
    try:
        await bot.start()
        attack = await asyncio.to_thread(half_open(port, addresses=8, each=100).__enter__)
        assert len(attack) == 800, "more than the bot may have open files"
        async with asyncio.timeout(30):
            assert await healthy(port) == 200
        (sent,) = await talk.person.send(PHOTO, caption="/remove_subject")
        assert "photo" in await talk.answer_to(sent)
        assert await bot.number("bot_http_connections") <= FILE_LIMIT - 200 + 1
        assert len(bot.log) < 50_000
        assert "few_open_files_allowed" in bot.log
        assert "Traceback" not in bot.log
        for connection in attack:
            connection.close()
    finally:
        await bot.kill()


async def test_an_unfinished_head_is_closed_after_a_while(
    server: TelegramServer, cloud: CloudStandIn, tmp_path: Path
) -> None:
    settings = environment(server, cloud, tmp_path)
    bot = BotProcess(server.telegram, settings)
    try:
        await bot.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(settings["PORT"]))
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        async with asyncio.timeout(60):  # HEAD_SECONDS is 15
            while await reader.read(1000):
                pass
        writer.close()
    finally:
        await bot.kill()
