"""Opening a Mini App as Telegram does: its address, with the person's data signed behind the hash."""

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
    """A signed initData (core.telegram.org/bots/webapps, "Validating data received via the Mini App").

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


def opened(url: str, token: str, person: Json) -> str:
    """A Mini App's address as Telegram's web client opens it for a person."""
    data = urlencode(
        {"tgWebAppData": init_data(token, person), "tgWebAppVersion": VERSION, "tgWebAppPlatform": PLATFORM},
        quote_via=quote,
    )
    return f"{url}#{data}"
