"""Whether the database answers: for the log, for /readyz and for /metrics."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from prometheus_client import Gauge

log = structlog.get_logger()

DOWN_SINCE = Gauge("bot_database_down_since_seconds", "When the database stopped answering (Unix time); 0: it answers.")

REPEAT_SECONDS = 60.0
"""How often the log says that the database still does not answer."""


class Outage:
    """Follows whether the database answers, and logs when that changes.

    Args:
        database: Its name and address, for the log.
        clock: Seconds, monotonic.
    """

    def __init__(self, database: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._since: float | None = None
        self._logged = 0.0

    @property
    def seconds(self) -> float | None:
        """How long the database has not answered; None: it answers."""
        return None if self._since is None else self._clock() - self._since

    def warning(self) -> str | None:
        """One line for the operator; None while the database answers."""
        return None if self.seconds is None else f"the database has not answered for {self.seconds:.0f} s"

    def failed(self, reason: str) -> None:
        """The database did not answer.

        Args:
            reason: The driver's error, in one word: its text may hold the address with the password.
        """
        now = self._clock()
        if self._since is None:
            self._since = now
            DOWN_SINCE.set(time.time())
        elif now - self._logged < REPEAT_SECONDS:
            return
        self._logged = now
        log.error("database_does_not_answer", database=self._database, reason=reason, seconds=round(now - self._since))

    def ended(self) -> None:
        """The database has answered."""
        if self._since is not None:
            log.warning("database_answers_again", database=self._database, seconds=round(self._clock() - self._since))
            self._since = None
            DOWN_SINCE.set(0)
