"""A stand-in for Volcengine's visual API: checks requests as Volcengine does, and can fail in every known way.

async with CloudStandIn() as cloud:
    config = VolcConfig(cloud.keys.access_key, cloud.keys.secret_key, endpoint=cloud.url)
    cloud.fail_next(50430, times=2)
    …
    assert [call.code for call in cloud.calls] == [50430, 50430, 10000]
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiohttp import web
from PIL import Image

from tests.cloud import abilities
from tests.cloud.abilities import DREAM_ERASE, ERASE, SALIENCY, RuleBrokenError
from tests.cloud.envelopes import envelope, failure, gateway_failure, odd_answer
from tests.cloud.signatures import DeniedError, Keys, verify

TROUBLE = (
    "hang", "drop", "drop-half", "slow", "trickle", "html-502", "html-200", "truncated", "huge", "redirect", "latin-1",
    "null-data", "no-code", "algorithm-201304", "no-picture", "bad-picture", "black", "list",
)  # fmt: skip
WAIT_SECONDS = 60
"""Limit of every wait in tests: generous, because it only ends a test that would hang."""
ACTIONS = {
    "CVProcess": (SALIENCY, ERASE),
    "SaliencySeg": (SALIENCY,),
    "Img2ImgInpainting": (ERASE,),
    "CVSync2AsyncSubmitTask": (SALIENCY, ERASE, DREAM_ERASE),
    "CVSync2AsyncGetResult": (SALIENCY, ERASE, DREAM_ERASE),
}


@dataclass
class Call:
    """One request as it arrived, and the code it was answered with."""

    action: str
    req_key: str
    body: dict[str, Any]
    headers: dict[str, str]
    pictures: list[Image.Image] = field(default_factory=list)
    code: int | str = 0
    why: str = ""
    peer: tuple[str, int] | None = None


@dataclass
class _Task:
    answer: dict[str, Any]
    states: deque[str] = field(default_factory=lambda: deque(["in_queue", "generating"]))


class CloudStandIn:
    """The stand-in.

    Attributes:
        keys: Keys of its only customer.
        calls: Every request that arrived, in order.
        most_in_flight: Largest number of requests under way at once (polls excluded).
        latency: Seconds that generating a picture takes.
        clock_ahead: How far its clock is ahead of this machine's.
        answer_scale: Size of the fills relative to the sent picture.
        answer_format: Format of the fills.
    """

    def __init__(self, keys: Keys | None = None, *, port: int = 0) -> None:
        self.keys = keys or Keys()
        self.calls: list[Call] = []
        self.most_in_flight = 0
        self.in_flight = 0
        self.latency = 0.0
        self.clock_ahead = timedelta(0)
        self.answer_scale = 1.0
        self.answer_format = "JPEG"
        self.mask_mode = "L"
        self._port = port
        self._faults: deque[tuple[int | str | None, str | None]] = deque()
        self._always: int | str | None = None
        self._tasks: dict[str, _Task] = {}
        self._changed = asyncio.Condition()
        self._stopping = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> Self:
        """Listen on a free port of the loopback address."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def stop(self) -> None:
        """Stop listening and release held and hanging requests."""
        self._stopping.set()
        self._open.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # Controls for tests

    def fail_next(self, fault: int | str, *, times: int = 1, req_key: str | None = None) -> None:
        """Make the next calls (of an ability) fail with a code of the API or the gateway, or one of `TROUBLE`."""
        assert isinstance(fault, int) or fault in TROUBLE, fault
        self._faults.extend([(fault, req_key)] * times)

    def script(self, *faults: int | str | None) -> None:
        """Set for each of the next calls how it fails; None lets it succeed."""
        self._faults.extend((fault, None) for fault in faults)

    def fail_always(self, fault: int | str | None) -> None:
        """Make all calls fail; None ends it."""
        assert fault is None or isinstance(fault, int) or fault in TROUBLE, fault
        self._always = fault

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold all calls unanswered inside the block."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def wait_for_calls(self, count: int) -> None:
        """Wait until `count` calls have arrived in total."""
        async with asyncio.timeout(WAIT_SECONDS), self._changed:
            await self._changed.wait_for(lambda: len(self.calls) >= count)

    @property
    def codes(self) -> list[int | str]:
        """The codes that the calls were answered with, in order."""
        return [call.code for call in self.calls]

    # Request handling

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        now = datetime.now(UTC) + self.clock_ahead
        call = Call(request.query.get("Action", ""), "", {}, headers)
        call.peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        polls = call.action == "CVSync2AsyncGetResult"
        self.in_flight += not polls
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            async with self._changed:
                self.calls.append(call)
                self._changed.notify_all()
            await self._open.wait()
            try:
                raw_query = request.rel_url.raw_query_string
                verify(
                    self.keys, method="POST", path=request.path, raw_query=raw_query, headers=headers, body=raw, now=now
                )
            except DeniedError as denied:
                call.code = denied.code
                return gateway_failure(denied.code, denied.name, denied.message, denied.http, now)
            return await self._answer(request, call, raw, now)
        finally:
            self.in_flight -= not polls

    async def _answer(self, request: web.Request, call: Call, raw: bytes, now: datetime) -> web.StreamResponse:
        try:
            self._read(request, call, raw)
            fault = self._next_fault(call.req_key)
            if isinstance(fault, int):
                call.code = fault
                return failure(fault, self.keys, now)
            data = await self._data(call)
        except RuleBrokenError as broken:
            call.code, call.why = broken.code, broken.why
            return failure(broken.code, self.keys, now, broken.why)
        call.code = fault or 10000
        if fault is not None:
            return await self._trouble(request, fault, data)
        return envelope(200, 10000, "Success", data, "2.173378731s", now)

    def _read(self, request: web.Request, call: Call, raw: bytes) -> None:
        if request.query.get("Version") != "2022-08-31" or call.action not in ACTIONS:
            raise RuleBrokenError(50402, "action or version")
        if request.content_type != "application/json":
            raise RuleBrokenError(50204, f"content type {request.content_type}")
        try:
            call.body = json.loads(raw)
            call.req_key = call.body["req_key"]
        except (ValueError, KeyError, TypeError) as error:
            raise RuleBrokenError(50204, repr(error)) from error
        if call.req_key not in ACTIONS[call.action]:
            raise RuleBrokenError(50400, f"{call.req_key} by {call.action}")

    def _next_fault(self, req_key: str) -> int | str | None:
        for index, (fault, only) in enumerate(self._faults):
            if only in (None, req_key):
                del self._faults[index]
                return fault
        return self._always

    async def _data(self, call: Call) -> dict[str, Any]:
        if call.action == "CVSync2AsyncGetResult":
            return self._poll(call.body)
        abilities.check_parameters(call.body)
        call.pictures = await asyncio.to_thread(abilities.open_pictures, call.body)
        pictures = [await asyncio.to_thread(self._picture, call)]
        await asyncio.sleep(self.latency)
        data = {"algorithm_base_resp": {"status_code": 0, "status_message": "Success"}, "image_urls": []}
        if call.action == "CVSync2AsyncSubmitTask":
            task = str(uuid.uuid4().int % 10**19)
            self._tasks[task] = _Task({"binary_data_base64": pictures, "image_urls": None})
            return {"task_id": task}
        return {**data, "binary_data_base64": pictures, "request_id": uuid.uuid4().hex}

    def _poll(self, body: dict[str, Any]) -> dict[str, Any]:
        task = self._tasks.get(body.get("task_id", ""))
        json.loads(body.get("req_json", "{}"))  # a JSON text inside the JSON
        if task is None:
            return {"status": "not_found"}
        if task.states:
            return {"status": task.states.popleft(), "binary_data_base64": None}
        return {"status": "done", **task.answer}

    def forget_tasks(self) -> None:
        """Forget every submitted task, as Volcengine does after the documented 12 or 24 hours."""
        self._tasks.clear()

    def _picture(self, call: Call) -> str:
        if call.req_key == SALIENCY:
            mask = Image.fromarray(abilities.find_subject(call.pictures[0]))
            return abilities.encode(mask.convert(self.mask_mode), "PNG")
        filled = abilities.fill(*call.pictures, seed=call.body.get("seed", 0))
        if self.answer_scale != 1.0:
            filled = filled.resize((round(filled.width * self.answer_scale), round(filled.height * self.answer_scale)))
        return abilities.encode(filled, self.answer_format)

    async def _trouble(self, request: web.Request, fault: str, data: dict[str, Any]) -> web.StreamResponse:
        now = datetime.now(UTC) + self.clock_ahead
        good = envelope(200, 10000, "Success", data, "2.17s", now)
        assert isinstance(good.body, bytes)
        match fault:
            case "hang":
                await self._stopping.wait()
            case "drop":
                assert request.transport is not None
                request.transport.abort()
            case "drop-half" | "slow" | "trickle":
                return await self._piecemeal(request, fault, good.body)
            case "huge":
                return await self._piecemeal(request, fault, b" " * (1 << 20))
            case _:
                return odd_answer(fault, data, good.body, now)
        return good

    async def _piecemeal(self, request: web.Request, fault: str, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if fault in ("drop-half", "slow"):
            response.content_length = len(body)
        await response.prepare(request)
        if fault == "drop-half":
            await response.write(body[: len(body) // 2])
            assert request.transport is not None
            request.transport.abort()
        elif fault == "slow":
            step = len(body) // 8 + 1
            for start in range(0, len(body), step):
                await response.write(body[start : start + step])
                await asyncio.sleep(0.01)
        elif fault == "trickle":
            while not self._stopping.is_set():
                await response.write(b" ")
                await asyncio.sleep(0.02)
        else:
            for _ in range(256):
                await response.write(body)
        return response
