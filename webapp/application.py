"""The Mini App's routes, added to the program's one web server: a table of contents."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.edits.canvas import Canvas
from webapp.health import add_health


def add_mini_app(
    app: web.Application,
    canvas: Canvas,
    *,
    bot_token: str,
    telegram_script: str | None = None,
    ready: Callable[[], bool],
) -> None:
    """Add the page, its API, health and metrics.

    Args:
        app: Where the routes are added; routes of others in it are left as they are.
        canvas: What the page may ask for.
        bot_token: Proves who is calling (initData), and is the root of the session tokens' key.
        telegram_script: Where the page loads Telegram's script from; None: from telegram.org.
        ready: Whether edits can be taken.
    """
    add_health(app, ready)
