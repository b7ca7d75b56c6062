"""What the operator's machines ask: alive, able to work, and the numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

NOT_CACHED = {"Cache-Control": "no-store"}


def add_health(app: web.Application, ready: Callable[[], bool]) -> None:
    """Add /healthz, /readyz and /metrics.

    Args:
        app: Where they are added.
        ready: Whether edits can be taken; asked at every /readyz.
    """

    async def healthz(_: web.Request) -> web.Response:
        """Alive: whoever answers this has a running event loop."""
        return web.Response(text="ok\n", headers=NOT_CACHED)

    async def readyz(_: web.Request) -> web.Response:
        """Able to work; 503 while starting, so that a balancer sends people elsewhere."""
        if ready():
            return web.Response(text="ready\n", headers=NOT_CACHED)
        return web.Response(status=503, text="not ready\n", headers={**NOT_CACHED, "Retry-After": "1"})

    async def metrics(_: web.Request) -> web.Response:
        """Prometheus' text format."""
        body = await asyncio.to_thread(generate_latest)
        return web.Response(body=body, headers={**NOT_CACHED, "Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
