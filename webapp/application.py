"""Adds the Mini App's routes to the program's one web server: a table of contents."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.edits.canvas import Canvas
from bot.texts import Texts
from webapp.callers import Callers, no_one
from webapp.edits_api import EditsApi
from webapp.errors import answer_errors
from webapp.events import Events
from webapp.health import Health
from webapp.init_data import MAX_AGE
from webapp.limits import TrustedProxies
from webapp.pages import Pages
from webapp.tokens import Tokens
from webapp.traffic import measure_request

API_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""Headers of every answer of the API: it holds people's photos, and nothing that a browser should open as a page."""


def add_mini_app(
    app: web.Application,
    canvas: Canvas,
    texts: Texts,
    *,
    bot_token: str,
    allowed: frozenset[int] = frozenset(),
    is_banned: Callable[[int], bool] = no_one,
    telegram_script: str | None = None,
    init_data_max_age: float = MAX_AGE,
    proxies: TrustedProxies | None = None,
    health: Health,
) -> None:
    """Add the page, its API, health and metrics.

    Args:
        app: The application to add to; its other routes are left as they are.
        canvas: What the page can do with edits.
        texts: Error texts.
        bot_token: Verifies initData; the key of the session tokens is derived from it.
        allowed: Telegram user ids that may use the API; empty: all.
        is_banned: Whether a person may not use the API.
        telegram_script: Address that the page loads Telegram's script from; None: telegram.org.
        init_data_max_age: Seconds for which initData opens a session.
        proxies: The reverse proxies whose X-Forwarded-For is believed; None: none.
        health: Answers /healthz, /readyz and /metrics.
    """
    health.add_to(app)
    Pages(telegram_script).add_to(app.router)
    callers = Callers(
        bot_token, Tokens(bot_token), allowed, is_banned=is_banned, max_age=init_data_max_age, proxies=proxies
    )
    app.add_subapp("/api", _api(canvas, texts, callers))


def _api(canvas: Canvas, texts: Texts, callers: Callers) -> web.Application:
    """The API as a separate application, so that its middlewares see its routes only."""
    events = Events(canvas, texts)
    authenticate = callers.authenticate(public=frozenset({"/api/session"}))
    api = web.Application(middlewares=[measure_request, answer_errors(texts), authenticate])
    api.router.add_post("/session", callers.open_session)
    EditsApi(canvas).add_to(api.router)
    events.add_to(api.router)
    api.on_response_prepare.append(_add_headers)
    api.on_shutdown.append(events.close)
    return api


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in API_HEADERS.items():
        response.headers.setdefault(name, value)
