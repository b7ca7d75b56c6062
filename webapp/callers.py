"""Who is calling: opens sessions, and checks the session before every other route of the API."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.texts import supported_language
from webapp.errors import RefusedError
from webapp.init_data import MAX_AGE, InitDataError, check_init_data
from webapp.languages import LANGUAGE
from webapp.limits import RateLimiter, TrustedProxies
from webapp.tokens import Tokens

log = structlog.get_logger()

PERSON = web.RequestKey("person", int)
"""Telegram user id of the caller; set for every route but the public ones."""

REPORTED_CLOCK_LAG = 60.0
"""Seconds by which this machine's clock may be behind Telegram's without a warning."""

FRESH_SESSION_HEADER = "X-Session-Token"
FRESH_SESSION_SECONDS_HEADER = "X-Session-Expires-In"
"""An answer may carry a fresh token and its lifetime in these two headers; the page uses that token from then on."""


def no_one(_person: int) -> bool:
    """The default of `is_banned`: no person is."""
    return False


class Callers:
    """Opens sessions and authenticates requests.

    Args:
        bot_token: Verifies initData.
        tokens: Issues and checks session tokens.
        allowed: Telegram user ids that may use the API; empty: all.
        is_banned: Whether a person may not use the API.
        clock: Seconds since 1970, UTC.
        max_age: Seconds for which initData opens a session.
        proxies: Tells the address of a request; None: no proxy is trusted.
    """

    def __init__(
        self,
        bot_token: str,
        tokens: Tokens,
        allowed: frozenset[int] = frozenset(),
        clock: Callable[[], float] = time.time,
        *,
        is_banned: Callable[[int], bool] = no_one,
        max_age: float = MAX_AGE,
        proxies: TrustedProxies | None = None,
    ) -> None:
        self._bot_token = bot_token
        self._tokens = tokens
        self._allowed = allowed
        self._is_banned = is_banned
        self._clock = clock
        self._max_age = max_age
        self._proxies = proxies or TrustedProxies()
        self._clock_reported = False
        # A page makes about 6 requests to open, and a few for each stroke. Offices and mobile carriers share one
        # address, so an address may make many more requests than a person.
        self._by_address = RateLimiter(rate=50.0, burst=300.0)
        self._sessions = RateLimiter(rate=2.0, burst=60.0)
        self._by_person = RateLimiter(rate=10.0, burst=60.0)

    async def open_session(self, request: web.Request) -> web.Response:
        """POST /api/session: exchange initData for a short token."""
        self._sessions.check(self._proxies.client_address(request))
        init_data = _credentials(request, "tma")
        try:
            checked = check_init_data(init_data, self._bot_token, now=self._clock(), max_age=self._max_age)
        except InitDataError as error:
            log.info("session_refused", reason=str(error))
            raise RefusedError(HTTPStatus.UNAUTHORIZED) from None
        self._report_clock(-checked.age)
        self._check_allowed(checked.caller.person)
        token, seconds = self._tokens.begin(checked.caller)
        log.info("session_begun", person=checked.caller.person)
        return web.json_response({"token": token, "expires_in": seconds})

    def _report_clock(self, lag: float) -> None:
        """Warn the operator, once, that this machine's clock is behind Telegram's. The person is not bothered with it.

        Args:
            lag: Seconds by which initData is from the future.
        """
        if lag > REPORTED_CLOCK_LAG and not self._clock_reported:
            self._clock_reported = True
            log.warning("clock_behind_telegram", seconds=round(lag), advice="set this machine's clock; see doctor")

    def authenticate(self, *, public: frozenset[str]) -> Middleware:
        """The middleware that sets `PERSON` from the session token; 401 without a valid one, 403 for strangers.

        Requests that match no route pass unauthenticated: they are answered 404 or 405.

        Args:
            public: Paths (routes' patterns) that need no session.
        """

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._by_address.check(self._proxies.client_address(request))
            resource = request.match_info.route.resource
            if resource is None or resource.canonical in public:
                return await handler(request)
            session = self._tokens.check(_credentials(request, "bearer"))
            if session is None:
                raise RefusedError(HTTPStatus.UNAUTHORIZED)
            self._check_allowed(session.caller.person)  # again: a token outlives a change of ALLOWED_USERS
            request[PERSON] = session.caller.person
            language = supported_language(session.caller.language)
            if language is not None:
                request[LANGUAGE] = language
            self._by_person.check(session.caller.person)
            answer = await handler(request)
            fresh = self._tokens.renew(session)
            # Not in an answer that the browser keeps: it would come out of the cache when it has expired.
            if fresh is not None and not answer.prepared and "ETag" not in answer.headers:
                answer.headers[FRESH_SESSION_HEADER], seconds = fresh
                answer.headers[FRESH_SESSION_SECONDS_HEADER] = str(seconds)
            return answer

        return middleware

    def _check_allowed(self, person: int) -> None:
        if self._allowed and person not in self._allowed:
            log.info("caller_not_allowed", person=person)
            raise RefusedError(HTTPStatus.FORBIDDEN)
        if self._is_banned(person):
            raise RefusedError(HTTPStatus.FORBIDDEN, "banned")


def _credentials(request: web.Request, scheme: str) -> str:
    """What follows the scheme in the one Authorization header; 401 for no header, several, or another scheme."""
    given = request.headers.getall("Authorization", [])
    if len(given) == 1:
        kind, _, credentials = given[0].partition(" ")
        if kind.lower() == scheme and credentials:
            return credentials.strip()
    raise RefusedError(HTTPStatus.UNAUTHORIZED)
