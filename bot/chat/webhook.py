"""Updates by webhook: Telegram posts them, and is told 200 only once an update's handler has returned."""

from __future__ import annotations

import hmac
import json

import structlog
from aiohttp import web
from telegram import Update

from bot.chat.application import ALLOWED_UPDATES
from bot.chat.intake import Intake, Outcome
from bot.chat.services import App

log = structlog.get_logger()

PATH = "/telegram/webhook"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_UPDATE = 1_000_000
"""Bytes; real updates are a few thousand."""

CONNECTIONS = 40
"""Telegram's connections at a time (setWebhook, max_connections: 1–100)."""


class Webhook:
    """The route that takes updates.

    Args:
        application: Parses updates.
        intake: Handles them.
        secret: What Telegram proves itself with.

    Attributes:
        taking: Whether updates are taken: not before everything has started, and not while draining.
    """

    def __init__(self, application: App, intake: Intake, secret: str) -> None:
        self._application = application
        self._intake = intake
        self._secret = secret.encode()
        self.taking = False

    async def register(self, public_url: str) -> None:
        """Tell Telegram where to post updates; what waits is kept."""
        await self._application.bot.set_webhook(
            f"{public_url}{PATH}",
            secret_token=self._secret.decode(),
            allowed_updates=ALLOWED_UPDATES,
            max_connections=CONNECTIONS,
            drop_pending_updates=False,
        )

    async def take(self, request: web.Request) -> web.Response:
        """One update. 403 without the secret, 503 while starting and draining, 500 where it is to come again."""
        given = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=403)
        if not self.taking:
            return web.Response(status=503, headers={"Retry-After": "5"})
        try:
            update = Update.de_json(json.loads(await _body(request)), self._application.bot)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("webhook_not_an_update", reason=type(error).__name__)
            return web.Response(status=400)
        return web.Response(status=200 if await self._intake.handle(update) is Outcome.SAFE else 500)


async def _body(request: web.Request) -> bytes:
    """The body, at most `MAX_UPDATE` long; a proxy may pass it on in chunks, so that its length is not said before.

    Raises:
        web.HTTPRequestEntityTooLarge: It goes on beyond; the rest is not read.
    """
    body = bytearray()
    async for chunk in request.content.iter_chunked(2**16):
        body += chunk
        if len(body) > MAX_UPDATE:
            raise web.HTTPRequestEntityTooLarge(MAX_UPDATE, len(body))
    return bytes(body)
