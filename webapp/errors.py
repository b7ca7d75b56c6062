"""Turns every error into ``{"error": code, "message": text}``. The one place where the API catches all exceptions."""

from __future__ import annotations

import math
import secrets
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.engines import EngineRefusedError
from bot.errors import BotError, PersonError
from bot.texts import Texts
from webapp.languages import language_of
from webapp.traffic import route_of

log = structlog.get_logger()

RETRY_AFTER = 5
"""Seconds after which a temporary failure may be over."""

STATUS_BY_MESSAGE_ID = {
    "banned": HTTPStatus.FORBIDDEN,
    "not-yours": HTTPStatus.NOT_FOUND,
    "too-old": HTTPStatus.GONE,
    "photo-gone": HTTPStatus.GONE,
    "still-working": HTTPStatus.CONFLICT,
    "too-late": HTTPStatus.CONFLICT,
    "too-many-pending": HTTPStatus.TOO_MANY_REQUESTS,
    "too-many-today": HTTPStatus.TOO_MANY_REQUESTS,
    "too-many-waiting": HTTPStatus.TOO_MANY_REQUESTS,
    "busy": HTTPStatus.TOO_MANY_REQUESTS,
    "storage-full": HTTPStatus.INSUFFICIENT_STORAGE,
}
"""The HTTP status of a `PersonError`; 422 for all others: they are about the photo or the mask."""

CODE_BY_STATUS = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "not-allowed",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "wrong-type",
    HTTPStatus.TOO_MANY_REQUESTS: "rate-limited",
}
"""The error code of the API's own refusals."""


class RefusedError(Exception):
    """The API itself refuses a request.

    Args:
        status: The HTTP status.
        code: The error code; its text has the message id ``api-CODE``. None: the one in `CODE_BY_STATUS`.
        retry_after: Seconds after which another try may succeed.
    """

    def __init__(self, status: HTTPStatus, code: str | None = None, *, retry_after: float | None = None) -> None:
        self.status = status
        self.code = code or CODE_BY_STATUS[status]
        self.retry_after = retry_after
        super().__init__(self.code)


def answer_errors(texts: Texts) -> Middleware:
    """The middleware that turns every exception into JSON. Details of unexpected ones go to the log only."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        number = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request=number):
            try:
                return await handler(request)
            except RefusedError as error:
                answer = _own_answer(request, error.status, error.code, texts)
                if error.retry_after is not None:
                    answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
                if error.status is HTTPStatus.UNAUTHORIZED:
                    answer.headers["WWW-Authenticate"] = "Bearer"
            except BotError as error:
                answer = _bot_error_answer(request, error, texts)
            except web.HTTPException as error:
                answer = _http_answer(request, error, texts)
            except TimeoutError:
                log.warning("api_timeout", route=route_of(request))
                answer = _own_answer(request, HTTPStatus.GATEWAY_TIMEOUT, "took-too-long", texts)
            except Exception:  # the API's boundary
                log.exception("api_unexpected_error", route=route_of(request))
                answer = _own_answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "something-broke", texts)
        answer.headers["X-Request-Id"] = number
        return answer

    return middleware


def _bot_error_answer(request: web.Request, error: BotError, texts: Texts) -> web.Response:
    message = texts.error(language_of(request), error)
    if isinstance(error, PersonError | EngineRefusedError):
        status = STATUS_BY_MESSAGE_ID.get(error.message_id, HTTPStatus.UNPROCESSABLE_ENTITY)
        if status is HTTPStatus.NOT_FOUND:
            return _http_answer(request, web.HTTPNotFound(), texts)
        log.info("api_refused", route=route_of(request), reason=str(error))
        answer = _answer(status, error.message_id, message)
        if status is HTTPStatus.TOO_MANY_REQUESTS:
            answer.headers["Retry-After"] = str(RETRY_AFTER)
        return answer
    log.warning("api_failed", route=route_of(request), reason=str(error), kind=type(error).__name__)
    answer = _answer(HTTPStatus.SERVICE_UNAVAILABLE, error.message_id, message)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def _http_answer(request: web.Request, error: web.HTTPException, texts: Texts) -> web.Response:
    status = HTTPStatus(error.status)
    other = "bad-request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "something-broke"
    answer = _own_answer(request, status, CODE_BY_STATUS.get(status, other), texts)
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _own_answer(request: web.Request, status: HTTPStatus, code: str, texts: Texts) -> web.Response:
    return _answer(status, code, texts.get(language_of(request), f"api-{code}"))


def _answer(status: HTTPStatus, code: str, message: str) -> web.Response:
    return web.json_response({"error": code, "message": message}, status=status)
