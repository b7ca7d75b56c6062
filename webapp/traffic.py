"""Metrics of the API: number, duration and status of answers, by route."""

from __future__ import annotations

import time

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import Histogram

SECONDS = Histogram(
    "bot_api_seconds",
    "The Mini App API's answers, by route and status; of event streams, how long they were open.",
    ["route", "status"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)


def route_of(request: web.Request) -> str:
    """The route's pattern instead of the path: ids stay out of logs and metrics."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical}" if resource is not None else "?"


@web.middleware
async def measure_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware, which sees every answer. The status ``gone`` means that the client went away."""
    begun = time.monotonic()
    status = "gone"
    try:
        answer = await handler(request)
        status = str(answer.status)
        return answer
    finally:
        SECONDS.labels(route_of(request), status).observe(time.monotonic() - begun)
