"""The URL with which Telegram opens a Mini App: the signed initData is in its fragment."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import quote, urlencode

from bot.playground.telegram import Json

VERSION, PLATFORM = "8.0", "weba"


def init_data(token: str, person: Json, *, now: float | None = None) -> str:
    """Signed initData (docs/telegram.md#init-data).

    Args:
        token: The bot's token.
        person: The Bot API's User.
        now: Seconds since the epoch; None: now.
    """
    user = {name: value for name, value in person.items() if name != "is_bot"}
    fields = {
        "query_id": secrets.token_urlsafe(18),
        "user": json.dumps(user, separators=(",", ":"), ensure_ascii=False),
        "auth_date": str(int(time.time() if now is None else now)),
    }
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode({**fields, "hash": hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()}, quote_via=quote)


def launch_url(url: str, token: str, person: Json) -> str:
    """The URL that Telegram's web client opens for a person."""
    data = urlencode(
        {"tgWebAppData": init_data(token, person), "tgWebAppVersion": VERSION, "tgWebAppPlatform": PLATFORM},
        quote_via=quote,
    )
    return f"{url}#{data}"
