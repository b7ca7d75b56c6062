"""What an edit is doing, as server-sent events.

One event for each change::

    event: queued      data: {"position": 2}
    event: stage       data: {"stage": "inpainting"}
    event: done        data: {}
    event: failed      data: {"error": "nothing-found", "message": "…"}
    event: cancelled   data: {}
    event: waiting     data: {}          (no mask was sent yet)

After ``done``, ``failed`` and ``cancelled`` the stream ends. It also ends after a while, and when the server stops: the
page then asks again, and is told at once where the edit stands.
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
from webapp.callers import PERSON
from webapp.edits_api import EDIT, owned
from webapp.errors import Explain, RefusedError, language_of

log = structlog.get_logger()

STREAMS = Gauge("bot_event_streams", "Pages that watch an edit now.")

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent: proxies close what is silent for 30–60 s, and a write is how a page
that has gone is noticed."""

LONGEST = 600.0
"""Seconds after which a stream ends, whatever its edit does."""

ASK_AGAIN = 1.0
"""Seconds after which a place may have become free."""

STREAMS_PER_PERSON = 4
STREAMS_IN_ALL = 500
"""Each looks at the database four times a second."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "private, no-store, no-transform",  # no-transform: a compressing proxy would hold events back
    "X-Accel-Buffering": "no",  # nginx
}


class Events:
    """The route of the events.

    Args:
        canvas: Knows what edits are doing.
        explain: Words why an edit failed.
        keep_alive: Seconds of silence after which a comment is sent.
    """

    def __init__(self, canvas: Canvas, explain: Explain, *, keep_alive: float = KEEP_ALIVE) -> None:
        self._canvas = canvas
        self._explain = explain
        self._keep_alive = keep_alive
        self._open: Counter[int] = Counter()
        self._closing = asyncio.Event()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the route."""
        router.add_get(f"{EDIT}/events", self.stream, allow_head=False)

    async def close(self, _: web.Application) -> None:
        """End all streams: the server stops, and would wait for them."""
        self._closing.set()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Tell what the caller's edit is doing until it is over."""
        edit = await owned(request, self._canvas)
        with self._place(request[PERSON]):
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(request)
            try:
                await self._forward(self._canvas.events(edit), response, language_of(request))
                await response.write_eof()
            except ConnectionError:
                log.debug("events_reader_gone", edit=edit.id)
            except Exception:  # the headers are out, so no error can be answered any more
                log.exception("events_broke", edit=edit.id)
                if request.transport is not None:
                    request.transport.abort()
        return response

    async def _forward(self, events: AsyncIterator[Event], response: web.StreamResponse, language: str) -> None:
        """Write events as they come, and a comment where none comes."""
        ends = time.monotonic() + LONGEST
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
            data |= {"error": code, "message": self._explain(language, BotError(code))}
        return f"event: {event.kind}\ndata: {json.dumps(data)}\n\n".encode()

    @contextlib.contextmanager
    def _place(self, person: int) -> Iterator[None]:
        """A place among the streams that may be open.

        Raises:
            RefusedError: 429 the person has enough of them; 503 the server has.
        """
        if self._open[person] >= STREAMS_PER_PERSON:
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, retry_after=ASK_AGAIN)
        if self._open.total() >= STREAMS_IN_ALL:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "rate-limited", retry_after=ASK_AGAIN)
        self._open[person] += 1
        STREAMS.inc()
        try:
            yield
        finally:
            STREAMS.dec()
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]
