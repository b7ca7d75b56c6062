"""What goes wrong, told as ``{"error": code, "message": text}``; the one place where the API catches everything."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.engines import EngineRefusedError
from bot.errors import BotError, PersonError
from webapp import texts
from webapp.traffic import route_of

log = structlog.get_logger()

Explain = Callable[[str, BotError], str]
"""Words an error of the core for a person: language code, error → text."""

LANGUAGE = web.RequestKey("language", str)
"""The person's language, once it is known who is calling."""

RETRY_AFTER = 5
"""Seconds after which the world may have recovered."""

STATUS_OF = {
    "not-yours": HTTPStatus.NOT_FOUND,
    "too-old": HTTPStatus.GONE,
    "photo-gone": HTTPStatus.GONE,
    "still-working": HTTPStatus.CONFLICT,
    "too-late": HTTPStatus.CONFLICT,
    "too-many-pending": HTTPStatus.TOO_MANY_REQUESTS,
    "too-many-today": HTTPStatus.TOO_MANY_REQUESTS,
    "busy": HTTPStatus.TOO_MANY_REQUESTS,
}
"""What a person's error is over HTTP; all others are about what was sent: 422."""

CODE_OF = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "wrong-type",
    HTTPStatus.TOO_MANY_REQUESTS: "rate-limited",
}
"""What the server's own refusals are called."""


class RefusedError(Exception):
    """The API itself says no.

    Args:
        status: The HTTP status.
        code: What it is called; None: after the status.
        retry_after: Seconds after which asking again may help.
    """

    def __init__(self, status: HTTPStatus, code: str | None = None, *, retry_after: float | None = None) -> None:
        self.status = status
        self.code = code or CODE_OF[status]
        self.retry_after = retry_after
        super().__init__(self.code)


def language_of(request: web.Request) -> str:
    """The language to answer in: the person's, else what the browser asks for."""
    known = request.get(LANGUAGE)
    return known or texts.accepted(request.headers.get("Accept-Language", ""))


def answer_errors(explain: Explain) -> Middleware:
    """The middleware that turns every error into JSON, and lets no detail out.

    Args:
        explain: Words the core's errors.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        number = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request=number):
            try:
                return await handler(request)
            except RefusedError as error:
                answer = _answer(error.status, error.code, texts.text(language_of(request), error.code))
                if error.retry_after is not None:
                    answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
                if error.status is HTTPStatus.UNAUTHORIZED:
                    answer.headers["WWW-Authenticate"] = "Bearer"
            except BotError as error:
                answer = _core_answer(request, error, explain)
            except web.HTTPException as error:
                answer = _http_answer(request, error)
            except TimeoutError:
                log.warning("api_timeout", route=route_of(request))
                code = "took-too-long"
                answer = _answer(HTTPStatus.GATEWAY_TIMEOUT, code, texts.text(language_of(request), code))
            except Exception:  # the API's boundary
                log.exception("api_broke", route=route_of(request))
                code = "something-broke"
                answer = _answer(HTTPStatus.INTERNAL_SERVER_ERROR, code, texts.text(language_of(request), code))
        answer.headers["X-Request-Id"] = number
        return answer

    return middleware


def _core_answer(request: web.Request, error: BotError, explain: Explain) -> web.Response:
    if isinstance(error, PersonError | EngineRefusedError):
        status = STATUS_OF.get(error.message_id, HTTPStatus.UNPROCESSABLE_ENTITY)
        if status is HTTPStatus.NOT_FOUND:
            return _http_answer(request, web.HTTPNotFound())
        log.info("api_refused", route=route_of(request), reason=str(error))
        answer = _answer(status, error.message_id, explain(language_of(request), error))
        if status is HTTPStatus.TOO_MANY_REQUESTS:
            answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer
    log.warning("api_failed", route=route_of(request), reason=str(error), kind=type(error).__name__)
    answer = _answer(HTTPStatus.SERVICE_UNAVAILABLE, error.message_id, explain(language_of(request), error))
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _http_answer(request: web.Request, error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    code = CODE_OF.get(status, "bad-request" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "something-broke")
    answer = _answer(status, code, texts.text(language_of(request), code))
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _answer(status: HTTPStatus, code: str, message: str) -> web.Response:
    return web.json_response({"error": code, "message": message}, status=status)
