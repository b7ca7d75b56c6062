"""Updates by webhook: Telegram posts an update, and gets 200 only when its handler has returned.

See docs/telegram.md#webhook.
"""

from __future__ import annotations

import hmac
import json

import structlog
from aiohttp import web
from telegram import Update
from telegram.error import BadRequest

from bot.bounded_reading import BodyTooLargeError, read_bounded
from bot.chat.api.client import ALLOWED_UPDATES, WEBHOOK_PATH
from bot.chat.services import App
from bot.chat.updates.intake import Intake, UpdateOutcome
from bot.chat.updates.not_understood_limit import NotUnderstoodLimit
from bot.chat.updates.update_check import NotAnUpdateError, read_update
from bot.errors import OperatorError
from bot.operator_text import OperatorText

log = structlog.get_logger()

HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_UPDATE_BYTES = 1_000_000
"""Real updates have a few thousand bytes."""

MAX_CONNECTIONS = 40
"""Connections that Telegram opens at a time (setWebhook: 1–100)."""


class Webhook:
    """The route for updates.

    Args:
        application: Its bot parses updates and registers the webhook.
        intake: Handles updates.
        not_understood_limit: Selects the updates that need no handling.
        secret: Secret token that Telegram sends in a header of each request.

    Attributes:
        is_open: Whether updates are accepted: from the end of the start until draining begins.
    """

    def __init__(self, application: App, intake: Intake, not_understood_limit: NotUnderstoodLimit, secret: str) -> None:
        self._application = application
        self._intake = intake
        self._not_understood_limit = not_understood_limit
        self._secret = secret.encode()
        self.is_open = False

    async def register(self, public_url: str) -> None:
        """Register the webhook; waiting updates are kept.

        Raises:
            OperatorError: Telegram refuses the address.
        """
        try:
            await self._application.bot.set_webhook(
                f"{public_url}{WEBHOOK_PATH}",
                secret_token=self._secret.decode(),
                allowed_updates=ALLOWED_UPDATES,
                max_connections=MAX_CONNECTIONS,
                drop_pending_updates=False,
            )
        except BadRequest as error:
            text = OperatorText(
                "PUBLIC_URL: Telegram refuses {address} as a webhook (“{answer}”); set an address that Telegram can "
                "reach, or TELEGRAM_UPDATES=polling",
                address=public_url,
                answer=error.message,
            )
            raise OperatorError("wrong-setting", text=text) from None

    async def receive(self, request: web.Request) -> web.Response:
        """POST /telegram/webhook: handle one update. 403 without the secret, 503 while starting and draining.

        An update that no Telegram sends, or whose handler failed at each attempt, is logged and confirmed with 200: it
        would only come again. 500 makes Telegram send an update again that cannot be recorded now.
        """
        given = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=403)
        if not self.is_open:
            return web.Response(status=503, headers={"Retry-After": "5"})
        try:
            # A proxy may forward the body in chunks, so its length is not known before.
            body = await read_bounded(request.content.iter_chunked(2**16), MAX_UPDATE_BYTES)
        except BodyTooLargeError as error:
            raise web.HTTPRequestEntityTooLarge(MAX_UPDATE_BYTES, error.size) from None
        try:
            data = read_update(body)
            if self._not_understood_limit.can_be_skipped(data):
                return web.Response(status=200)
            update = Update.de_json(data, self._application.bot)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            log.warning("webhook_not_json", reason=type(error).__name__)
            return web.Response(status=400)
        except NotAnUpdateError as error:
            log.warning("webhook_not_an_update", reason=str(error))
            return web.Response(status=200)
        except Exception as error:  # noqa: BLE001 -- an update's boundary: the library breaks on odd values in many ways
            log.warning("webhook_not_an_update", reason=type(error).__name__)
            return web.Response(status=200)
        return web.Response(status=500 if await self._intake.handle(update) is UpdateOutcome.OUTAGE else 200)
