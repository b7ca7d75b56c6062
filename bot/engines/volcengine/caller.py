"""One wish put to the cloud until it is granted or hopeless: the call_slots, the breaker, and repetition by code."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

import structlog

from bot.engines.volcengine import metrics
from bot.engines.volcengine.breaker import Breaker
from bot.engines.volcengine.call_slots import CallSlots, OnPosition
from bot.engines.volcengine.codes import Again, CallFailedError
from bot.engines.volcengine.config import RetryRules, VolcConfig
from bot.engines.volcengine.notices import Notices

log = structlog.get_logger()
Prepared = TypeVar("Prepared")
Granted = TypeVar("Granted")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How this try differs from the first one.

    Attributes:
        number: 1, 2, 3 …
        variant: Which seed is asked for: 0 is the wished one, each further number another one.
        smaller: Whether the picture is to be sent smaller than usual.
    """

    number: int = 1
    variant: int = 0
    smaller: bool = False


class Caller:
    """Puts wishes to the cloud under the house rules.

    A slot of the gate is held for the whole wish, its repetitions and their pauses included: who is told to be patient
    keeps the place, and a cloud that is overloaded gets fewer calls, not the next one in the queue.

    Args:
        config: Retry rules and the breaker's numbers.
        call_slots: Limits the wishes under way, over all processes.
        notices: Told about what only the operator can mend.
        on_position: Told about the place in the queue.
        sleep: Waits; tests hand in one that does not.
        dice: Jitter.
    """

    def __init__(
        self,
        config: VolcConfig,
        call_slots: CallSlots,
        notices: Notices,
        *,
        on_position: OnPosition | None = None,
        sleep: Sleep = asyncio.sleep,
        dice: random.Random | None = None,
    ) -> None:
        self._config = config
        self._call_slots = call_slots
        self._notices = notices
        self._on_position = on_position
        self._sleep = sleep
        self._dice = dice or random.Random()
        self._breakers: dict[str, Breaker] = {}

    async def grant(
        self,
        req_key: str,
        prepare: Callable[[Attempt], Awaitable[Prepared]],
        perform: Callable[[Prepared, Attempt], Awaitable[Granted]],
    ) -> Granted:
        """Prepare and perform, again and again as the codes allow.

        Args:
            req_key: The ability.
            prepare: Makes the body; first called before the queue, and again only where the attempt's variant or size
                changes.
            perform: Makes the call or calls and reads the answer. It may raise `CallFailedError`.

        Raises:
            EngineRefusedError: The photo or its result is judged unfit.
            EngineUnavailableError: Anything else that is not mended by repetition; or the cloud is left alone for now.
        """
        breaker = self._breaker(req_key)
        breaker.check()
        first = Attempt()
        prepared = await prepare(first)
        with _Waiting() as waiting:
            async with self._call_slots.slot(self._on_position):
                waiting.over()
                with breaker.guard():
                    return await self._repeat(req_key, first, prepared, prepare, perform)

    async def _repeat(
        self,
        req_key: str,
        attempt: Attempt,
        prepared: Prepared,
        prepare: Callable[[Attempt], Awaitable[Prepared]],
        perform: Callable[[Prepared, Attempt], Awaitable[Granted]],
    ) -> Granted:
        tried: Counter[Again] = Counter()
        while True:
            try:
                return await perform(prepared, attempt)
            except CallFailedError as failure:
                again = failure.verdict.again
                tried[again] += 1
                if tried[again] >= _most_calls(again, self._config.retry):
                    await self._notices.tell(failure, req_key)
                    raise failure.for_caller(req_key, attempt.number) from failure
                metrics.RETRIES.labels(req_key, metrics.code_label(failure.code)).inc()
            before = attempt
            attempt = Attempt(
                number=attempt.number + 1,
                variant=attempt.variant + (again is Again.PICTURE),
                smaller=attempt.smaller or again is Again.SMALLER,
            )
            if again is not Again.SMALLER:
                await self._sleep(self._delay(tried[again]))
            if replace(attempt, number=before.number) != before:
                prepared = await prepare(attempt)

    def _delay(self, failures: int) -> float:
        """Exponential with jitter: half of it is sure, half is dice, so that many waiters do not come back together."""
        rules = self._config.retry
        ceiling: float = min(rules.first_delay * 2 ** (failures - 1), rules.longest_delay)
        return ceiling * (0.5 + 0.5 * self._dice.random())

    def _breaker(self, req_key: str) -> Breaker:
        if req_key not in self._breakers:
            config = self._config
            self._breakers[req_key] = Breaker(req_key, threshold=config.breaker_threshold, pause=config.breaker_pause)
        return self._breakers[req_key]


_MOST_SHRINKING: Final = 2


def _most_calls(again: Again, rules: RetryRules) -> int:
    """Failures of one kind, the first included, after which there is no further call."""
    return {
        Again.NEVER: 1,
        Again.SMALLER: _MOST_SHRINKING,
        Again.FAULT: rules.fault,
        Again.BUSY: rules.busy,
        Again.PICTURE: rules.picture,
    }[again]


class _Waiting:
    """Counts one waiter, until its turn comes or it goes away."""

    def __init__(self) -> None:
        self._counted = False

    def __enter__(self) -> Self:
        metrics.WAITING.inc()
        self._counted = True
        return self

    def over(self) -> None:
        if self._counted:
            self._counted = False
            metrics.WAITING.dec()

    def __exit__(self, *_: object) -> None:
        self.over()
