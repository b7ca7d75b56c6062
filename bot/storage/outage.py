"""Whether the database answers: for the log, for /readyz and for /metrics."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import structlog
from prometheus_client import Gauge

log = structlog.get_logger()

DOWN_SINCE = Gauge("bot_database_down_since_seconds", "When the database stopped answering (Unix time); 0: it answers.")

REPEAT_SECONDS = 60.0
"""Seconds between two lines that say so, also if the database answers in between."""


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
        self._answered = -math.inf
        self._logged = -math.inf
        self._is_logged = False

    @property
    def seconds(self) -> float | None:
        """How long the database has not answered; None: it answers."""
        return None if self._since is None else self._clock() - self._since

    def warning(self) -> str | None:
        """One line for the operator; None while the database answers."""
        return None if self.seconds is None else f"the database has not answered for {self.seconds:.0f} s"

    def begin(self) -> float:
        """A try begins; returns what `failed` needs."""
        return self._clock()

    def failed(self, began: float, reason: str) -> None:
        """The database did not answer.

        Args:
            began: When the try began, see `begin`. One that began before the last answer says nothing new.
            reason: The driver's error, in one word: its text may hold the address with the password.
        """
        now = self._clock()
        if began < self._answered:
            return
        if self._since is None:
            self._since, self._is_logged = now, False
            DOWN_SINCE.set(time.time())
        if now - self._logged >= REPEAT_SECONDS:
            self._logged, self._is_logged = now, True
            log.error(
                "database_does_not_answer", database=self._database, reason=reason, seconds=round(now - self._since)
            )

    def answered(self) -> None:
        """The database has answered."""
        self._answered = self._clock()
        if self._since is None:
            return
        if self._is_logged:
            log.warning("database_answers_again", database=self._database, seconds=round(self._answered - self._since))
        self._since = None
        DOWN_SINCE.set(0)
