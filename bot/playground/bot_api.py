"""The Bot API over HTTP: /bot<token>/<method> and /file/bot<token>/<path>, with injected faults."""

from __future__ import annotations

import contextlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import BodyPartReader, hdrs, web

from bot.bounded_reading import BodyTooLargeError, read_bounded
from bot.playground.errors import NOT_MODIFIED, BotApiError, bad_request, too_many_requests
from bot.playground.faults import Fault
from bot.playground.methods import BotApi
from bot.playground.rules import Parameters
from bot.playground.telegram import Telegram

MAX_UPLOAD_BYTES = 50_000_000
"""Bytes that a bot may upload (docs/telegram.md#file-sizes)."""

MAX_FIELD_BYTES = 1_000_000


class TooLargeError(BotApiError):
    """The request's body is too large (413)."""

    def __init__(self) -> None:
        super().__init__(413, "Request Entity Too Large")


class BotApiServer:
    """The Bot API's routes.

    Args:
        telegram: The state that they read and change.
    """

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._api = BotApi(telegram)

    def add_routes(self, app: web.Application) -> None:
        """Add the routes to an application."""
        app.router.add_route("*", "/bot{token}/{method}", self.call)
        app.router.add_get("/file/bot{token}/{path:.+}", self.download)

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Call a method."""
        name = request.match_info["method"]
        fault = None
        try:
            given = await _parameters(request)
            self._telegram.calls[name] += 1
            self._telegram.events.wake()
            fault = self._telegram.faults.next_for(name)
            if fault is not None:
                early = await self._inject(fault, request)
                if early is not None:
                    return early
            self._check(request.match_info["token"])
            method = self._api.methods.get(name.lower())
            if method is None:
                raise BotApiError(404, "Not Found: method not found")
            answer = {"ok": True, "result": await method(given)}
            status = 200
        except BotApiError as refused:
            answer, status = refused.as_json(), refused.code
        except ConnectionError:  # the bot closed the connection during its request
            return web.Response(status=400)
        if fault is not None and fault.kind == "lose_answer":
            return _drop(request)
        return web.json_response(answer, status=status)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Download a file."""
        fault = self._telegram.faults.next_for("download")
        if fault is not None:
            early = await self._inject(fault, request)
            if early is not None:
                return early
        try:
            self._check(request.match_info["token"])
        except BotApiError as refused:
            return web.json_response(refused.as_json(), status=refused.code)
        file = self._telegram.files.by_path(request.match_info["path"])
        if file is None:
            return web.json_response(BotApiError(404, "Not Found").as_json(), status=404)
        return web.Response(body=file.data, content_type="application/octet-stream")

    def _check(self, token: str) -> None:
        if not hmac.compare_digest(token.encode(), self._telegram.token.encode()):
            raise BotApiError(401, "Unauthorized")

    async def _inject(self, fault: Fault, request: web.Request) -> web.StreamResponse | None:
        """The response that a fault gives instead of the call's own; None if the call is executed."""
        if fault.kind == "flood":
            refused = too_many_requests(fault.retry_after)
            return web.json_response(refused.as_json(), status=429)
        if fault.kind == "bad_gateway":
            html = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"
            return web.Response(status=502, text=html, content_type="text/html")
        if fault.kind == "not_modified":
            return web.json_response(bad_request(NOT_MODIFIED).as_json(), status=400)
        refusals = {
            "not_found": BotApiError(404, "Not Found"),
            "unauthorized": BotApiError(401, "Unauthorized"),
            "file_unavailable": bad_request("wrong file_id or the file is temporarily unavailable"),
        }
        if fault.kind in refusals:
            refused = refusals[fault.kind]
            return web.json_response(refused.as_json(), status=refused.code)
        if fault.kind == "server_error":
            return web.json_response(
                {"ok": False, "error_code": 500, "description": "Internal Server Error"}, status=500
            )
        if fault.kind == "drop":
            return _drop(request)
        if fault.kind == "hang":
            await self._telegram.faults.hang()
        if fault.kind == "hang_and_drop":
            await self._telegram.faults.hang()
            return _drop(request)
        return None


def _drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without a response."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _parameters(request: web.Request) -> Parameters:
    """The parameters of a call: from the query, a form, JSON, or a form with uploads."""
    given: dict[str, str] = dict(request.query)
    uploads: dict[str, tuple[str, bytes]] = {}
    kind = request.content_type
    if kind == "multipart/form-data":
        total = 0
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise BotApiError(400, "Bad Request: can't parse the form")
            limit = MAX_UPLOAD_BYTES if part.filename else MAX_FIELD_BYTES
            data = await read_part(part, limit - total if part.filename else limit)
            if part.filename:
                total += len(data)
                uploads[part.name] = (part.filename, data)
            else:
                given[part.name] = data.decode(errors="replace")
    elif kind == "application/json":
        body = await request.read()
        with contextlib.suppress(ValueError):
            values: Any = json.loads(body) if body else {}
            given |= {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items() if v is not None}
    elif request.method == hdrs.METH_POST:
        given |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return Parameters(given, uploads)


async def read_part(part: BodyPartReader, max_bytes: int) -> bytes:
    """One part of a form.

    Raises:
        TooLargeError: It has more bytes.
    """
    try:
        return await read_bounded(_chunks(part), max_bytes)
    except BodyTooLargeError:
        raise TooLargeError from None


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(2**16):
        yield chunk
