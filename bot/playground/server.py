"""The Bot API on a separate port, for tests and benchmarks."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiohttp import web

from bot.playground.bot_api import BotApiServer
from bot.playground.telegram import Telegram


class TelegramServer:
    """Serves the Bot API of a `Telegram` on loopback, on a free port unless one is given.

    Attributes:
        telegram: The state.
        url: The value for TELEGRAM_API_URL.
    """

    def __init__(self, telegram: Telegram | None = None, *, port: int = 0) -> None:
        self.telegram = telegram or Telegram()
        self.url = ""
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Start the server."""
        app = web.Application()
        BotApiServer(self.telegram).add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        assert self._runner is not None
        await self.telegram.updates.close()
        await self._runner.cleanup()
