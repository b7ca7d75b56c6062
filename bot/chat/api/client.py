"""The Bot API client, and which updates it asks for."""

from __future__ import annotations

from telegram.ext import ExtBot

from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.transport import AiohttpRequest, UpdatesRequest
from bot.chat.updates.not_understood_limit import NotUnderstoodLimit

ALLOWED_UPDATES = ["message", "callback_query", "pre_checkout_query"]
"""The kinds of updates to receive. No edited messages: an edited command must not run again."""

WEBHOOK_PATH = "/telegram/webhook"
"""Where Telegram posts updates, below PUBLIC_URL."""

CONNECTIONS = 100
"""Requests to the Bot API at a time."""


def make_bot(
    token: str,
    api_url: str,
    limiter: FloodLimiter,
    proxy: str | None = None,
    not_understood_limit: NotUnderstoodLimit | None = None,
) -> ExtBot[None]:
    """The Bot API client, with the bot's own transport and flood limiter.

    Args:
        token: The bot's token.
        api_url: Address of the Bot API server.
        limiter: Keeps all requests within Telegram's limits.
        proxy: Proxy for all requests; None: none.
        not_understood_limit: Selects the updates that need no handling; None: all are handled.
    """
    return ExtBot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=AiohttpRequest(connections=CONNECTIONS, proxy=proxy),
        get_updates_request=UpdatesRequest(
            (not_understood_limit or NotUnderstoodLimit()).without_skipped, seconds=10, proxy=proxy
        ),
        rate_limiter=limiter,
    )
