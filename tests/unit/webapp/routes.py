"""The table of all routes: who may call each, within which limits. `test_routes` checks that it is true and whole."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import AsyncMock, Mock

from aiohttp import web

from bot.chat.api.client import make_bot
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.updates.webhook import MAX_UPDATE_BYTES
from bot.edits.model import MAX_MASK_BYTES
from bot.edits.records.statistics import QueueDepth
from bot.playground.saved_chat import SavedChat
from bot.settings import Settings
from bot.storage.outage import Outage
from bot.wiring import build_front
from tests.unit.webapp.doubles import CanvasDouble
from tests.unit.webapp.signing import TOKEN
from webapp.bodies import MAX_JSON_BYTES

SECRET = "a-secret-of-the-webhook"
PRIVATE, STREAM = "private, no-store", "private, no-store, no-transform"


@dataclass(frozen=True)
class Route:
    """What holds for one route.

    Attributes:
        method: GET (and HEAD, unless it is a stream) or POST.
        path: Its pattern, as aiohttp writes it.
        access: "anyone"; "init data"; "owner" of the edit, with a session; "secret" of the webhook.
        caching: Cache-Control of its answer.
        limit: Whose requests are counted: "address", "person", or "pixels" (person, and a stricter limit).
        body: Content type and largest body; None: it reads no body.
        seconds: What limits its time: "work", "stream"; None: it does not wait for anything.
    """

    method: str
    path: str
    access: str
    caching: str
    limit: str | None = None
    body: tuple[str, int] | None = None
    seconds: str | None = None

    def address(self, edit_id: str) -> str:
        return self.path.replace("{id}", edit_id)


EDIT = "/api/edits/{id}"
ROUTES = (
    Route("GET", "/healthz", "anyone", "no-store"),
    Route("GET", "/readyz", "anyone", "no-store"),
    Route("GET", "/metrics", "anyone", "no-store"),
    Route("GET", "/app", "anyone", "no-cache"),
    Route("GET", "/app/static/{version}/{name}", "anyone", "public, max-age=31536000, immutable"),
    Route("POST", "/api/session", "init data", PRIVATE, "address"),
    Route("GET", EDIT, "owner", PRIVATE, "person", None, "work"),
    Route("GET", f"{EDIT}/photo", "owner", PRIVATE, "pixels", None, "work"),
    Route("GET", f"{EDIT}/mask", "owner", PRIVATE, "pixels", None, "work"),
    Route("POST", f"{EDIT}/mask", "owner", PRIVATE, "pixels", ("image/png", MAX_MASK_BYTES), "work"),
    Route("POST", f"{EDIT}/select", "owner", PRIVATE, "pixels", ("application/json", MAX_JSON_BYTES), "work"),
    Route("POST", f"{EDIT}/cancel", "owner", PRIVATE, "person", None, "work"),
    Route("GET", f"{EDIT}/result", "owner", PRIVATE, "pixels", None, "work"),
    Route("POST", f"{EDIT}/show", "owner", PRIVATE, "pixels", None, "work"),
    Route("GET", f"{EDIT}/events", "owner", STREAM, "person", None, "stream"),
    Route("POST", "/telegram/webhook", "secret", "", None, ("application/json", MAX_UPDATE_BYTES)),
)
OWNERS = [route for route in ROUTES if route.access == "owner"]

PLAYGROUND = {
    "/playground",
    "/playground/",
    "/playground/static/{name}",
    "/playground/telegram-web-app.js",
    *(f"/playground/api/{name}" for name in ("chat", "events", "messages", "sticker", "press", "webapp", "person")),
    *(f"/playground/api/{name}" for name in ("clear", "pay", "files/{file_id}", "samples", "samples/{name}")),
}
"""The playground's own routes, which answer this machine's browser only."""

STAND_IN = {"/bot{token}/{method}", "/file/bot{token}/{path}"}
"""Its stand-in for the Bot API, which asks for the token in the path."""


def site(canvas: CanvasDouble, playground: SavedChat | None = None) -> web.Application:
    """The program's whole web server, as `bot.wiring` builds it, around a canvas in memory."""
    settings = Settings(
        _env_file=None,
        telegram_bot_token=TOKEN,
        telegram_updates="webhook",
        telegram_webhook_secret=SECRET,
        public_url="https://photos.example.org",
    )
    limiter = FloodLimiter()
    core = Mock(canvas=canvas, limiter=limiter, bot=make_bot(TOKEN, settings.telegram_api_url, limiter))
    core.store.statistics.queue = AsyncMock(return_value=QueueDepth(0, 0, 0.0))
    core.store.bans.is_banned.return_value = False
    core.queue.is_ready = lambda: True
    core.folder.is_full = lambda: False
    core.folder.warning = lambda: None
    core.database.outage = Outage("bot at db:5432")
    front = build_front(settings, core, TOKEN, playground)
    front.webhook.is_open = True
    return front.site
