"""The event stream: an edit's progress reaches its owner's page at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY

from bot.edits.canvas import Event
from bot.edits.model import Stage
from bot.texts import Texts
from tests.unit.webapp.conftest import ADA, Page
from tests.unit.webapp.doubles import CanvasDouble
from webapp.callers import PERSON
from webapp.events import STREAMS_PER_PERSON, Events


async def events_in(answer: ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """The events as an independent reader of the standard's format sees them (a comment is ("", text))."""
    kind, data = "message", ""
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        field, _, value = line.partition(":")
        if not line:
            if data:
                yield kind, json.loads(data)
            kind, data = "message", ""
        elif not field:
            yield "", value.strip()
        elif field == "event":
            kind = value.strip()
        elif field == "data":
            data += value.strip()


async def test_the_page_receives_each_step_and_the_end(ada: Page, canvas: CanvasDouble) -> None:
    for event in (
        Event("waiting"),
        Event("queued", position=2),
        Event("stage", stage=Stage.INPAINTING),
        Event("done"),
        None,
    ):
        canvas.events_of["adas"].put_nowait(event)
    answer = await ada.get("/edits/adas/events")
    assert answer.status == 200
    assert answer.content_type == "text/event-stream"
    assert "no-store" in answer.headers["Cache-Control"]
    assert [event async for event in events_in(answer)] == [
        ("waiting", {}),
        ("queued", {"position": 2}),
        ("stage", {"stage": "inpainting"}),
        ("done", {}),
    ]


async def test_an_event_is_sent_when_it_happens_and_not_at_the_end(ada: Page, canvas: CanvasDouble) -> None:
    answer = await ada.get("/edits/adas/events")
    events = events_in(answer)
    for position in (3, 2, 1):
        canvas.events_of["adas"].put_nowait(Event("queued", position=position))
        assert await anext(events) == ("queued", {"position": position})
    answer.close()


async def test_a_failure_is_explained_in_the_language_that_the_person_chose(ada: Page, canvas: CanvasDouble) -> None:
    """Their Telegram is in English."""
    canvas.edits["adas"] = replace(canvas.edits["adas"], language="zh")
    canvas.events_of["adas"].put_nowait(Event("failed", error="nothing-found"))
    canvas.events_of["adas"].put_nowait(None)
    events = [event async for event in events_in(await ada.get("/edits/adas/events"))]
    assert events == [
        ("failed", {"error": "nothing-found", "message": Texts("en").get("zh", "nothing-found")}),
    ]


async def test_the_open_streams_of_a_person_are_limited(ada: Page, ben: Page, canvas: CanvasDouble) -> None:
    streams = [await ada.get("/edits/adas/events") for _ in range(STREAMS_PER_PERSON)]
    assert REGISTRY.get_sample_value("bot_event_streams") == STREAMS_PER_PERSON
    refused = await ada.get("/edits/adas/events")
    assert (refused.status, (await refused.json())["error"]) == (429, "rate-limited")
    others = await ben.get("/edits/bens/events")
    assert others.status == 200
    others.close()
    canvas.events_of["bens"].put_nowait(None)
    await canvas.watched_by(STREAMS_PER_PERSON)
    canvas.events_of["adas"].put_nowait(None)  # ends one of them
    await canvas.watched_by(STREAMS_PER_PERSON - 1)
    again = None
    async with asyncio.timeout(60):
        while again is None or again.status == 429:
            again = await ada.get("/edits/adas/events")
    assert again.status == 200
    for stream in [*streams, again]:
        stream.close()


async def test_an_error_in_the_middle_of_a_stream_cuts_that_stream_only(ada: Page, canvas: CanvasDouble) -> None:
    canvas.events_of["adas"].put_nowait(Event("waiting"))
    canvas.events_of["adas"].put_nowait(ValueError("secret-detail"))
    answer = await ada.get("/edits/adas/events")
    events = events_in(answer)
    assert await anext(events) == ("waiting", {})
    with pytest.raises(ClientPayloadError):
        await anext(events)
    assert (await ada.get("/edits/adas")).status == 200


async def serve(canvas: CanvasDouble, events: Events) -> TestClient:
    """The route alone with a fixed caller, so that the test chooses its intervals."""

    @web.middleware
    async def is_ada(request: web.Request, handler) -> web.StreamResponse:
        request[PERSON] = ADA
        return await handler(request)

    app = web.Application(middlewares=[is_ada])
    events.add_to(app.router)
    app.on_shutdown.append(events.close)
    client = TestClient(TestServer(app))
    await client.start_server()
    return client


async def test_comments_keep_a_silent_stream_open(canvas: CanvasDouble) -> None:
    client = await serve(canvas, Events(canvas, Texts(), keep_alive=0.02))
    answer = await client.get("/edits/adas/events")
    events = events_in(answer)
    assert await anext(events) == ("", "alive")
    assert await anext(events) == ("", "alive")
    canvas.events_of["adas"].put_nowait(Event("queued", position=1))
    async for event in events:
        if event[0]:
            assert event == ("queued", {"position": 1})
            break
    answer.close()
    await client.close()


async def test_a_closed_page_ends_its_stream(canvas: CanvasDouble) -> None:
    client = await serve(canvas, Events(canvas, Texts(), keep_alive=0.02))
    answer = await client.get("/edits/adas/events")
    await canvas.watched_by(1)
    answer.close()
    await canvas.watched_by(0)
    await client.close()


async def test_the_server_stops_while_streams_are_open(canvas: CanvasDouble) -> None:
    client = await serve(canvas, Events(canvas, Texts()))
    answer = await client.get("/edits/adas/events")
    await canvas.watched_by(1)
    async with asyncio.timeout(60):
        await client.server.close()
        assert [event async for event in events_in(answer)] == []
    await canvas.watched_by(0)
    await client.close()


async def test_a_head_request_opens_no_stream(ada: Page, canvas: CanvasDouble) -> None:
    assert (await ada.ask("HEAD", "/edits/adas/events")).status == 405
    assert canvas.watching == 0
