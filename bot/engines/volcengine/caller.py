"""Calls the API with all its rules: the call slots, the circuit breaker, and retries by error code."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from bot.engines.volcengine import metrics
from bot.engines.volcengine.breaker import CircuitBreaker
from bot.engines.volcengine.call_slots import CallSlots, OnPosition
from bot.engines.volcengine.codes import CallFailedError, Retry
from bot.engines.volcengine.config import RetryRules, VolcConfig
from bot.engines.volcengine.notices import OperatorNotifier

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How this attempt differs from the first one.

    Attributes:
        number: 1, 2, 3 …
        variant: 0 uses the requested seed; each higher number uses another one.
        smaller: Whether to send the picture smaller than usual.
    """

    number: int = 1
    variant: int = 0
    smaller: bool = False


class RetryingCaller:
    """Makes calls within the slots, behind the breaker, and repeats them as their error codes allow.

    A slot is held during all attempts and the pauses between them: an edit whose call failed keeps its place, and an
    overloaded service gets fewer calls instead of the next one from the queue.

    Args:
        config: Retry rules and the breaker's numbers.
        call_slots: Limits the edits that call at once, across all processes.
        notifier: Gets the failures that only the operator can fix.
        on_position: Called with the position in the queue.
        sleep: Waits between attempts.
        rng: Source of the jitter.
    """

    def __init__(
        self,
        config: VolcConfig,
        call_slots: CallSlots,
        notifier: OperatorNotifier,
        *,
        on_position: OnPosition | None = None,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._config = config
        self._call_slots = call_slots
        self._notifier = notifier
        self._on_position = on_position
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._breakers: dict[str, CircuitBreaker] = {}

    async def call_with_retries(
        self,
        req_key: str,
        build: Callable[[Attempt], Awaitable[BodyT]],
        send: Callable[[BodyT, Attempt], Awaitable[ResultT]],
    ) -> ResultT:
        """Build a request and send it, repeatedly if the error codes allow it.

        Args:
            req_key: The ability.
            build: Builds the request body. Called before waiting for a slot, and again only if the attempt's variant
                or size changes.
            send: Makes the call or calls and reads the response. May raise `CallFailedError`.

        Returns:
            What `send` returned.

        Raises:
            EngineRefusedError: The service judged the photo or its own result unfit.
            EngineUnavailableError: The last attempt failed for another reason, or the breaker is open.
        """
        breaker = self._breaker(req_key)
        breaker.check()
        first = Attempt()
        body = await build(first)
        with _count_waiting() as stop_counting:
            async with self._call_slots.slot(self._on_position):
                stop_counting()
                with breaker.guard():
                    return await self._send_with_retries(req_key, first, body, build, send)

    async def _send_with_retries(
        self,
        req_key: str,
        attempt: Attempt,
        body: BodyT,
        build: Callable[[Attempt], Awaitable[BodyT]],
        send: Callable[[BodyT, Attempt], Awaitable[ResultT]],
    ) -> ResultT:
        failures: Counter[Retry] = Counter()
        while True:
            try:
                return await send(body, attempt)
            except CallFailedError as failure:
                retry = failure.policy.retry
                failures[retry] += 1
                if failures[retry] >= _max_calls(retry, self._config.retry):
                    await self._notifier.notify(failure, req_key)
                    raise failure.as_engine_error(req_key, attempt.number) from failure
                metrics.RETRIES.labels(req_key, metrics.code_label(failure.code)).inc()
            previous = attempt
            attempt = Attempt(
                number=attempt.number + 1,
                variant=attempt.variant + (retry is Retry.WITH_NEW_SEED),
                smaller=attempt.smaller or retry is Retry.WITH_SMALLER_PICTURE,
            )
            if retry is not Retry.WITH_SMALLER_PICTURE:
                await self._sleep(self._backoff(failures[retry]))
            if replace(attempt, number=previous.number) != previous:
                body = await build(attempt)

    def _backoff(self, failures: int) -> float:
        """Exponential backoff in seconds. Half of it is random so that several waiters do not retry together."""
        rules = self._config.retry
        ceiling: float = min(rules.first_delay * 2 ** (failures - 1), rules.longest_delay)
        return ceiling * (0.5 + 0.5 * self._rng.random())

    def _breaker(self, req_key: str) -> CircuitBreaker:
        if req_key not in self._breakers:
            self._breakers[req_key] = CircuitBreaker(
                req_key, threshold=self._config.breaker_threshold, cooldown=self._config.breaker_cooldown
            )
        return self._breakers[req_key]


_CALLS_WITH_SMALLER_PICTURE: Final = 2


def _max_calls(retry: Retry, rules: RetryRules) -> int:
    """Number of failures of one kind, the first included, after which no further call is made."""
    return {
        Retry.NEVER: 1,
        Retry.WITH_SMALLER_PICTURE: _CALLS_WITH_SMALLER_PICTURE,
        Retry.AFTER_FAULT: rules.after_fault,
        Retry.WHEN_BUSY: rules.when_busy,
        Retry.WITH_NEW_SEED: rules.with_new_seed,
    }[retry]


@contextmanager
def _count_waiting() -> Iterator[Callable[[], None]]:
    """Count one edit in the gauge of waiting edits, until the yielded function is called or the block ends."""
    waiting = True

    def stop_counting() -> None:
        nonlocal waiting
        if waiting:
            waiting = False
            metrics.WAITING.dec()

    metrics.WAITING.inc()
    try:
        yield stop_counting
    finally:
        stop_counting()
