"""The short session token that replaces initData: painting may take longer than initData is valid.

A token is ``person.begun.expires.language.signature``. Nothing is stored, so every process of the bot accepts a token
that another one issued. The key is derived from the bot's token: tokens of another bot, and tokens issued before the
bot's token was revoked, are invalid. See docs/decisions.md#init-data-once-then-a-token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from webapp.init_data import Caller

TOKEN_SECONDS = 1800
"""Lifetime of a token."""

RENEW_AFTER = 300
"""Seconds after which an answer carries a fresh token."""

SESSION_SECONDS = 12 * 3600
"""A session ends after this time even if it is in use, so that a leaked token does not live for ever."""

TOKEN = re.compile(r"([1-9][0-9]{0,15})\.([0-9]{1,12})\.([0-9]{1,12})\.([A-Za-z0-9-]{0,35})\.([A-Za-z0-9_-]{43})")
LANGUAGE_TAG = re.compile(r"[A-Za-z0-9-]{0,35}")


@dataclass(frozen=True, slots=True)
class Session:
    """The contents of a token.

    Attributes:
        caller: The person it was issued to.
        begun: When initData was checked, seconds since 1970.
        expires: When the token ends, seconds since 1970.
    """

    caller: Caller
    begun: int
    expires: int


class Tokens:
    """Issues and checks session tokens.

    Args:
        bot_token: The key is derived from it.
        clock: Seconds since 1970, UTC.
    """

    def __init__(self, bot_token: str, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(b"mini-app-session-1", bot_token.encode(), hashlib.sha256)
        self._clock = clock

    def begin(self, caller: Caller) -> tuple[str, int]:
        """The first token of a session, and its lifetime in seconds."""
        now = int(self._clock())
        language = caller.language if LANGUAGE_TAG.fullmatch(caller.language) else ""
        return self._sign(Session(Caller(caller.person, language), now, now + TOKEN_SECONDS)), TOKEN_SECONDS

    def check(self, token: str) -> Session | None:
        """The contents of a token; None if the signature is wrong or the token has expired."""
        match = TOKEN.fullmatch(token)
        if match is None:
            return None
        person, begun, expires, language, signature = match.groups()
        body = token.rpartition(".")[0]
        if not hmac.compare_digest(self._signature(body), signature):
            return None
        session = Session(Caller(int(person), language), int(begun), int(expires))
        return session if self._clock() < session.expires else None

    def renew(self, session: Session) -> tuple[str, int] | None:
        """A fresh token and its lifetime in seconds; None while the current one is younger than `RENEW_AFTER`."""
        now = int(self._clock())
        expires = min(now + TOKEN_SECONDS, session.begun + SESSION_SECONDS)
        if expires - session.expires < RENEW_AFTER:
            return None
        return self._sign(Session(session.caller, session.begun, expires)), expires - now

    def _sign(self, session: Session) -> str:
        body = f"{session.caller.person}.{session.begun}.{session.expires}.{session.caller.language}"
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        digest = hmac.digest(self._key, body.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
