"""The Mini App's routes, added to the program's one web server: a table of contents."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.edits.canvas import Canvas
from bot.errors import BotError
from webapp import texts
from webapp.callers import Callers
from webapp.edits_api import EditsApi
from webapp.errors import Explain, answer_errors
from webapp.events import Events
from webapp.health import add_health
from webapp.pages import Pages
from webapp.tokens import Tokens
from webapp.traffic import count

API_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""Of every answer of the API: people's photos, and nothing that a browser should open as a page."""


def add_mini_app(
    app: web.Application,
    canvas: Canvas,
    *,
    bot_token: str,
    telegram_script: str | None = None,
    ready: Callable[[], bool],
    explain: Explain | None = None,
) -> None:
    """Add the page, its API, health and metrics.

    Args:
        app: Where the routes are added; routes of others in it are left as they are.
        canvas: What the page may ask for.
        bot_token: Proves who is calling (initData), and is the root of the session tokens' key.
        telegram_script: Where the page loads Telegram's script from; None: from telegram.org.
        ready: Whether edits can be taken.
        explain: Words the core's errors for a person; None: "something went wrong" for each, beside its code.
    """
    add_health(app, ready)
    Pages(telegram_script).add_to(app.router)
    app.add_subapp("/api", _api(canvas, bot_token, explain or _in_general))


def _api(canvas: Canvas, bot_token: str, explain: Explain) -> web.Application:
    """The API: an application of its own, so that its middlewares see only its own routes."""
    callers = Callers(bot_token, Tokens(bot_token))
    events = Events(canvas, explain)
    recognise = callers.recognise(everyone=frozenset({"/api/session"}))
    api = web.Application(middlewares=[count, answer_errors(explain), recognise])
    api.router.add_post("/session", callers.open_session)
    EditsApi(canvas).add_to(api.router)
    events.add_to(api.router)
    api.on_response_prepare.append(_secure)
    api.on_shutdown.append(events.close)
    return api


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in API_HEADERS.items():
        response.headers.setdefault(name, value)


def _in_general(language: str, _: BotError) -> str:
    return texts.text(language, "something-broke")
