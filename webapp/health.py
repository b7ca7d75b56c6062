"""For the operator's monitoring: /healthz (alive), /readyz (accepts edits), /metrics (Prometheus)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

NOT_CACHED = {"Cache-Control": "no-store"}


def no_warning() -> str | None:
    """Nothing to warn of."""
    return None


def add_health(app: web.Application, ready: Callable[[], bool], warning: Callable[[], str | None] = no_warning) -> None:
    """Add /healthz, /readyz and /metrics.

    Args:
        app: The application to add to.
        ready: Whether edits can be accepted; called at every /readyz.
        warning: A line for the operator, or None; called at every /readyz.
    """

    async def healthz(_: web.Request) -> web.Response:
        """200 while the event loop runs."""
        return web.Response(text="ok\n", headers=NOT_CACHED)

    async def readyz(_: web.Request) -> web.Response:
        """200 if edits can be accepted, else 503, so that a load balancer sends people to another machine.

        The second line warns of a disk that gets full, with either status.
        """
        found = warning()
        second = f"warning: {found}\n" if found else ""
        if ready():
            return web.Response(text=f"ready\n{second}", headers=NOT_CACHED)
        return web.Response(status=503, text=f"not ready\n{second}", headers={**NOT_CACHED, "Retry-After": "1"})

    async def metrics(_: web.Request) -> web.Response:
        """The metrics in Prometheus' text format."""
        body = await asyncio.to_thread(generate_latest)
        return web.Response(body=body, headers={**NOT_CACHED, "Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
