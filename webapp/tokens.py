"""The short session token: initData is checked once, and painting may take longer than initData lives.

A token is ``person.begun.expires.language.signature``; nothing is stored, so any process of the bot accepts what
another has given out. Its key is derived from the bot's token: another bot's tokens, and those from before the bot's
token was revoked, are worth nothing.
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

LIFE = 1800
"""Seconds that a token is worth something."""

RENEW_AFTER = 300
"""Seconds of use after which an answer carries a fresh token."""

LONGEST = 12 * 3600
"""Seconds after which a session ends however much it is used: a token that leaked does not live for ever."""

FORM = re.compile(r"([1-9][0-9]{0,15})\.([0-9]{1,12})\.([0-9]{1,12})\.([A-Za-z0-9-]{0,35})\.([A-Za-z0-9_-]{43})")
LANGUAGE = re.compile(r"[A-Za-z0-9-]{0,35}")


@dataclass(frozen=True, slots=True)
class Session:
    """What a token says.

    Attributes:
        caller: Who holds it.
        begun: When initData was checked, seconds since 1970.
        expires: When the token ends, seconds since 1970.
    """

    caller: Caller
    begun: int
    expires: int


class Tokens:
    """Gives out and checks session tokens.

    Args:
        bot_token: What the key is derived from.
        clock: Seconds since 1970, UTC.
    """

    def __init__(self, bot_token: str, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(b"mini-app-session-1", bot_token.encode(), hashlib.sha256)
        self._clock = clock

    def begin(self, caller: Caller) -> tuple[str, int]:
        """A first token for who has just been checked, and the seconds it is good for."""
        now = int(self._clock())
        language = caller.language if LANGUAGE.fullmatch(caller.language) else ""
        return self._sign(Session(Caller(caller.person, language), now, now + LIFE)), LIFE

    def check(self, token: str) -> Session | None:
        """What a token says; None if it is not ours or has ended."""
        match = FORM.fullmatch(token)
        if match is None:
            return None
        person, begun, expires, language, signature = match.groups()
        body = token.rpartition(".")[0]
        if not hmac.compare_digest(self._signature(body), signature):
            return None
        session = Session(Caller(int(person), language), int(begun), int(expires))
        return session if self._clock() < session.expires else None

    def renew(self, session: Session) -> tuple[str, int] | None:
        """A fresh token and its seconds, once the session's has been used for a while; None where it is not due."""
        now = int(self._clock())
        expires = min(now + LIFE, session.begun + LONGEST)
        if expires - session.expires < RENEW_AFTER:
            return None
        return self._sign(Session(session.caller, session.begun, expires)), expires - now

    def _sign(self, session: Session) -> str:
        body = f"{session.caller.person}.{session.begun}.{session.expires}.{session.caller.language}"
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        digest = hmac.digest(self._key, body.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
