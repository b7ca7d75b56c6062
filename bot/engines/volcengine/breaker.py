"""A circuit breaker: after several failures in a row, calls fail fast until a trial call succeeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine.metrics import BREAKER_OPEN

log = structlog.get_logger()
_MAX_COOLDOWN_FACTOR: Final = 10


class CircuitBreaker:
    """Counts the consecutive failures of one ability in this process.

    Args:
        req_key: The ability, for logs and metrics.
        threshold: Number of consecutive failures that opens the breaker.
        cooldown: Seconds before the first trial call. Doubles with each failed trial, up to ten times the value.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self, req_key: str, *, threshold: int, cooldown: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._req_key = req_key
        self._threshold = threshold
        self._initial_cooldown = cooldown
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._trial_running = False
        self._last_failure: EngineUnavailableError | None = None

    def check(self) -> None:
        """Fail fast while the breaker is open; after the cooldown, pass unless a trial call is under way.

        Raises:
            EngineUnavailableError: The breaker is open; carries the message and the facts of the last failure.
        """
        if self._open_until is not None and (self._trial_running or self._clock() < self._open_until):
            raise self._open_error()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Watch the calls made inside the block.

        Failures for which `is_down` is true count. Every other answer of the service closes the breaker.

        Raises:
            EngineUnavailableError: As `check`.
        """
        self.check()
        is_trial = self._open_until is not None
        self._trial_running = is_trial
        try:
            yield
        except EngineUnavailableError as error:
            if is_down(error):
                self._record_failure(error)
            else:
                self._close()
            raise
        except EngineRefusedError:
            self._close()
            raise
        else:
            self._close()
        finally:
            # A cancelled trial says nothing about the service: the next call becomes the trial.
            if is_trial:
                self._trial_running = False

    def _close(self) -> None:
        if self._open_until is not None:
            log.info("volcengine_breaker_closed", req_key=self._req_key)
        self._failures = 0
        self._open_until = None
        self._cooldown = self._initial_cooldown
        BREAKER_OPEN.labels(self._req_key).set(0)

    def _record_failure(self, error: EngineUnavailableError) -> None:
        self._failures += 1
        self._last_failure = error
        if self._open_until is not None:
            self._cooldown = min(self._cooldown * 2, self._initial_cooldown * _MAX_COOLDOWN_FACTOR)
        elif self._failures < self._threshold:
            return
        self._open_until = self._clock() + self._cooldown
        BREAKER_OPEN.labels(self._req_key).set(1)
        log.warning(
            "volcengine_breaker_opened",
            req_key=self._req_key,
            seconds=self._cooldown,
            failures=self._failures,
            code=error.facts.get("code"),
        )

    def _open_error(self) -> EngineUnavailableError:
        failure = self._last_failure
        assert failure is not None, "a breaker opens after a failure"
        facts = {**failure.facts, "calls": 0, "breaker": "open"}
        return EngineUnavailableError(failure.message_id, **facts)


def is_down(error: EngineUnavailableError) -> bool:
    """Whether an error means that the service as a whole is down, not that one photo or one fill failed."""
    return bool(error.facts.get("down", False))
