"""A circuit breaker: after several failures in a row the cloud is left alone for a while, then tried with one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine.metrics import BREAKER_OPEN

log = structlog.get_logger()
_LONGEST_FACTOR: Final = 10


class Breaker:
    """Counts failures of one ability in this process.

    Args:
        req_key: The ability, for logs and metrics.
        threshold: Failures in a row that open it.
        pause: Seconds for which it stays open at first; doubles with each failed trial, up to ten times as long.
        clock: Seconds that only rise.
    """

    def __init__(
        self, req_key: str, *, threshold: int, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._req_key = req_key
        self._threshold = threshold
        self._first_pause = pause
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._trial = False
        self._reason: EngineUnavailableError | None = None

    def check(self) -> None:
        """Say at once that it is no use, before anybody queues for it.

        Raises:
            EngineUnavailableError: The breaker is open; with the message and the facts of the failure that opened it.
        """
        if self._open_until is not None and (self._trial or self._clock() < self._open_until):
            raise self._refusal()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around the calls of one edit's step. Failures that `is_down` names count; any answer closes the breaker.

        Raises:
            EngineUnavailableError: As `check`.
        """
        self.check()
        trial = self._open_until is not None
        self._trial = trial
        try:
            yield
        except EngineUnavailableError as error:
            if is_down(error):
                self._failed(error)
            else:
                self._answered()
            raise
        except EngineRefusedError:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            # A cancelled edit says nothing about the cloud: the next one may try.
            if trial:
                self._trial = False

    def _answered(self) -> None:
        if self._open_until is not None:
            log.info("volcengine_answers_again", req_key=self._req_key)
        self._failures = 0
        self._open_until = None
        self._pause = self._first_pause
        BREAKER_OPEN.labels(self._req_key).set(0)

    def _failed(self, error: EngineUnavailableError) -> None:
        self._failures += 1
        self._reason = error
        if self._open_until is not None:
            self._pause = min(self._pause * 2, self._first_pause * _LONGEST_FACTOR)
        elif self._failures < self._threshold:
            return
        self._open_until = self._clock() + self._pause
        BREAKER_OPEN.labels(self._req_key).set(1)
        log.warning(
            "volcengine_left_alone",
            req_key=self._req_key,
            seconds=self._pause,
            failures=self._failures,
            code=error.facts.get("code"),
        )

    def _refusal(self) -> EngineUnavailableError:
        reason = self._reason
        assert reason is not None, "an open breaker has seen a failure"
        facts = {**reason.facts, "calls": 0, "breaker": "open"}
        return EngineUnavailableError(reason.message_id, **facts)


def is_down(error: EngineUnavailableError) -> bool:
    """Whether a failure speaks of the cloud as a whole, rather than of one photo or one fill."""
    return bool(error.facts.get("down", False))
