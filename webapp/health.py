"""For the operator's monitoring: /healthz (alive), /readyz (accepts edits), /metrics (Prometheus)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from bot.errors import OutageError

log = structlog.get_logger()

UPDATE_FAILURES = Counter(
    "bot_metrics_update_failures_total", "How often the database did not answer for /metrics: the queue's are old then."
)

UPDATE_SECONDS = 2.0
"""How long /metrics waits for the database."""

NOT_CACHED = {"Cache-Control": "no-store"}


def no_warning() -> str | None:
    """Nothing to warn of."""
    return None


async def nothing_to_update() -> None:
    """All metrics are counted as they happen."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the health and metrics routes answer.

    Attributes:
        ready: Whether edits can be accepted; called at every /readyz.
        warning: A line for the operator, or None; called at every /readyz.
        update_metrics: Brings metrics up to date that are not counted as they happen; called at every /metrics. None:
            there is no /metrics here.
    """

    ready: Callable[[], bool]
    warning: Callable[[], str | None] = no_warning
    update_metrics: Callable[[], Awaitable[None]] | None = nothing_to_update

    def add_to(self, app: web.Application) -> None:
        """Add /healthz, /readyz and /metrics."""
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        if self.update_metrics is not None:
            app.router.add_get("/metrics", self._metrics)

    async def _healthz(self, _: web.Request) -> web.Response:
        """200 while the event loop runs."""
        return web.Response(text="ok\n", headers=NOT_CACHED)

    async def _readyz(self, _: web.Request) -> web.Response:
        """200 if edits can be accepted, else 503, so that a load balancer sends people to another machine.

        The second line warns of a disk that gets full, with either status.
        """
        found = self.warning()
        second = f"warning: {found}\n" if found else ""
        if self.ready():
            return web.Response(text=f"ready\n{second}", headers=NOT_CACHED)
        return web.Response(status=503, text=f"not ready\n{second}", headers={**NOT_CACHED, "Retry-After": "1"})

    async def _metrics(self, _: web.Request) -> web.Response:
        """The metrics in Prometheus' text format. They are served during an outage of the database, too."""
        assert self.update_metrics is not None
        try:
            async with asyncio.timeout(UPDATE_SECONDS):
                await self.update_metrics()
        except (TimeoutError, OutageError) as error:
            log.warning("metrics_not_updated", reason=type(error).__name__)
            UPDATE_FAILURES.inc()
        except Exception:  # monitoring must go on, whatever is broken
            log.exception("metrics_not_updated")
            UPDATE_FAILURES.inc()
        body = await asyncio.to_thread(generate_latest)
        return web.Response(body=body, headers={**NOT_CACHED, "Content-Type": CONTENT_TYPE_LATEST})
