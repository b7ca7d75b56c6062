"""Signs initData as Telegram does: written from the published description, independently of the code under test."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
"""The example token of core.telegram.org/bots/api."""

NOW = 1_790_000_000

VLADISLAV = {"id": 279058397, "first_name": "Vladislav + - ? /", "language_code": "ru", "is_premium": True}


def check_hash(fields: list[tuple[str, str]], token: str = TOKEN) -> str:
    lines = sorted(f"{key}={value}" for key, value in fields)
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return hmac.new(secret, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def query(fields: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in fields)


def signed(
    user: Any = VLADISLAV, *, auth_date: str | int = NOW, token: str = TOKEN, more: list[tuple[str, str]] | None = None
) -> str:
    fields = [("query_id", "AAHdF6IQAAAAAN0XohDhrOrc"), ("auth_date", str(auth_date)), *(more or [])]
    if user is not None:
        fields.append(("user", user if isinstance(user, str) else json.dumps(user)))
    return query([*fields, ("hash", check_hash(fields, token))])
