"""Who is calling: the session's door, and the check that stands before every other route of the API."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from webapp.errors import LANGUAGE, RefusedError
from webapp.init_data import InitDataError, check_init_data
from webapp.limits import Buckets, address
from webapp.texts import speaks
from webapp.tokens import Tokens

log = structlog.get_logger()

PERSON = web.RequestKey("person", int)
"""Telegram user id of who is calling; set for every route but the session's."""

RENEWED_HEADER = "X-Session-Token"
LIFE_HEADER = "X-Session-Expires-In"
"""An answer that carries a fresh token says so in these two; the page goes on with that one."""


class Callers:
    """Gives out sessions and recognises them.

    Args:
        bot_token: Proves initData.
        tokens: Gives out and checks session tokens.
        clock: Seconds since 1970, UTC.
    """

    def __init__(self, bot_token: str, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._bot_token = bot_token
        self._tokens = tokens
        self._clock = clock
        # A page asks for some 6 things to open, and for a few a stroke; whole offices and mobile carriers share an
        # address, so an address may do much more than a person.
        self._by_address = Buckets(rate=50.0, burst=300.0)
        self._sessions = Buckets(rate=2.0, burst=60.0)
        self._by_person = Buckets(rate=10.0, burst=60.0)

    async def open_session(self, request: web.Request) -> web.Response:
        """POST /api/session: initData, once, for a short token."""
        _spend(self._sessions, address(request))
        init_data = _credentials(request, "tma")
        try:
            caller = check_init_data(init_data, self._bot_token, now=self._clock())
        except InitDataError as error:
            log.info("session_refused", reason=str(error))
            raise RefusedError(HTTPStatus.UNAUTHORIZED) from None
        token, seconds = self._tokens.begin(caller)
        log.info("session_begun", person=caller.person)
        return web.json_response({"token": token, "expires_in": seconds})

    def recognise(self, *, everyone: frozenset[str]) -> Middleware:
        """The middleware that knows who is calling, or refuses; what is no route at all needs nobody's name.

        Args:
            everyone: Paths (routes' patterns) that need no session.
        """

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            _spend(self._by_address, address(request))
            resource = request.match_info.route.resource
            if resource is None or resource.canonical in everyone:
                return await handler(request)
            session = self._tokens.check(_credentials(request, "bearer"))
            if session is None:
                raise RefusedError(HTTPStatus.UNAUTHORIZED)
            request[PERSON] = session.caller.person
            language = speaks(session.caller.language)
            if language is not None:
                request[LANGUAGE] = language
            _spend(self._by_person, session.caller.person)
            answer = await handler(request)
            fresh = self._tokens.renew(session)
            if fresh is not None and not answer.prepared:
                answer.headers[RENEWED_HEADER], seconds = fresh
                answer.headers[LIFE_HEADER] = str(seconds)
            return answer

        return middleware


def _credentials(request: web.Request, scheme: str) -> str:
    """What follows the scheme in the one Authorization header."""
    given = request.headers.getall("Authorization", [])
    if len(given) == 1:
        kind, _, credentials = given[0].partition(" ")
        if kind.lower() == scheme and credentials:
            return credentials.strip()
    raise RefusedError(HTTPStatus.UNAUTHORIZED)


def _spend(buckets: Buckets, key: str | int) -> None:
    wait = buckets.take(key)
    if wait > 0:
        raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, retry_after=wait)
