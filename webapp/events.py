"""An edit's progress, as server-sent events.

One event for each change::

    event: queued      data: {"position": 2}
    event: stage       data: {"stage": "inpainting"}
    event: done        data: {}
    event: failed      data: {"error": "nothing-found", "message": "…"}
    event: cancelled   data: {}
    event: waiting     data: {}          (no mask was sent yet)

The stream ends after ``done``, ``failed`` and ``cancelled``. It also ends after `MAX_SECONDS` and when the server
stops; the page then opens another one, whose first event is the edit's current state.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

import structlog
from aiohttp import web
from prometheus_client import Gauge

from bot.edits.canvas import Canvas, Event
from bot.errors import BotError
from bot.texts import Texts
from webapp.callers import PERSON
from webapp.edits_api import EDIT, find_edit
from webapp.errors import RefusedError
from webapp.languages import language_of

log = structlog.get_logger()

STREAMS = Gauge("bot_event_streams", "Pages that watch an edit now.")

KEEP_ALIVE = 15.0
"""Seconds without an event after which a comment is sent: proxies close silent connections after 30–60 s, and only a
failed write shows that the page has gone."""

MAX_SECONDS = 600.0
"""A stream ends after this time, whatever the state of its edit."""

RETRY_AFTER = 1.0
"""Seconds after which a refused stream may be tried again."""

STREAMS_PER_PERSON = 4
STREAMS_OVERALL = 500
"""Each stream reads the database four times a second."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "private, no-store, no-transform",  # no-transform: a compressing proxy would hold events back
    "X-Accel-Buffering": "no",  # nginx
}


class Events:
    """The route of the event streams.

    Args:
        canvas: Source of the events.
        texts: Texts of failures.
        keep_alive: Seconds without an event after which a comment is sent.
    """

    def __init__(self, canvas: Canvas, texts: Texts, *, keep_alive: float = KEEP_ALIVE) -> None:
        self._canvas = canvas
        self._texts = texts
        self._keep_alive = keep_alive
        self._open: Counter[int] = Counter()
        self._closing = asyncio.Event()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_get(f"{EDIT}/events", self.stream, allow_head=False)

    async def close(self, _: web.Application) -> None:
        """End all streams. The server would wait for them when it stops."""
        self._closing.set()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """GET …/events: stream the edit's progress until it ends."""
        edit = await find_edit(request, self._canvas)
        with self._count_stream(request[PERSON]):
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(request)
            try:
                await self._forward(self._canvas.events(edit), response, language_of(request))
                await response.write_eof()
            except ConnectionError:
                log.debug("events_client_gone", edit=edit.id)
            except Exception:  # the headers are sent: an error answer is no longer possible
                log.exception("events_unexpected_error", edit=edit.id)
                if request.transport is not None:
                    request.transport.abort()
        return response

    async def _forward(self, events: AsyncIterator[Event], response: web.StreamResponse, language: str) -> None:
        """Write events as they come, and a comment after each `keep_alive` seconds without one."""
        ends = time.monotonic() + MAX_SECONDS
        closing = asyncio.ensure_future(self._closing.wait())
        upcoming = asyncio.ensure_future(anext(events, None))
        try:
            while time.monotonic() < ends:
                done, _ = await asyncio.wait(
                    {upcoming, closing}, timeout=self._keep_alive, return_when=asyncio.FIRST_COMPLETED
                )
                if closing in done:
                    return
                if not done:
                    await response.write(b": alive\n\n")
                    continue
                event = upcoming.result()
                if event is None:
                    return
                await response.write(self._message(event, language))
                upcoming = asyncio.ensure_future(anext(events, None))
        finally:
            for task in (closing, upcoming):
                task.cancel()
            await asyncio.gather(closing, upcoming, return_exceptions=True)

    def _message(self, event: Event, language: str) -> bytes:
        data: dict[str, object] = {}
        if event.kind == "stage":
            data["stage"] = event.stage
        elif event.kind == "queued":
            data["position"] = event.position
        elif event.kind == "failed":
            code = event.error or "something-broke"
            data |= {"error": code, "message": self._texts.error(language, BotError(code))}
        return f"event: {event.kind}\ndata: {json.dumps(data)}\n\n".encode()

    @contextlib.contextmanager
    def _count_stream(self, person: int) -> Iterator[None]:
        """Count an open stream while the block runs.

        Raises:
            RefusedError: 429 the person has too many open; 503 the server has.
        """
        if self._open[person] >= STREAMS_PER_PERSON:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, retry_after=RETRY_AFTER)
        if self._open.total() >= STREAMS_OVERALL:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "rate-limited", retry_after=RETRY_AFTER)
        self._open[person] += 1
        STREAMS.inc()
        try:
            yield
        finally:
            STREAMS.dec()
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]
