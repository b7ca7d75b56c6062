"""Telling the operator what only the operator can mend: in the log and by message, once an hour for each code."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from bot.engines.volcengine.codes import CallFailedError

log = structlog.get_logger()
NOTICE_INTERVAL: Final = 3600.0
_SKEW_WORTH_TELLING: Final = 60.0


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """What the operator is told.

    Attributes:
        code: The cloud's code or a label.
        req_key: The ability that was called.
        request_id: The cloud's name for the call; empty if unknown.
        meaning: What happened, English.
        advice: What to do, English.
    """

    code: int | str
    req_key: str
    request_id: str
    meaning: str
    advice: str

    def __str__(self) -> str:
        """The whole notice as a text of a few lines."""
        where = f"{self.req_key}, request {self.request_id}" if self.request_id else self.req_key
        return f"Volcengine: {self.meaning} (code {self.code}, {where}).\n{self.advice}"


OnOperatorError = Callable[[OperatorNotice], Awaitable[None]]


def explain(failure: CallFailedError, req_key: str) -> OperatorNotice:
    """A notice about a failure; measured clock skew is named, for it looks like a wrong key."""
    advice = failure.verdict.advice
    skew = failure.clock_skew
    if skew is not None and abs(skew) >= _SKEW_WORTH_TELLING:
        direction = "behind" if skew > 0 else "ahead of"
        advice = f"This machine's clock is {abs(skew):.0f} s {direction} the cloud's: set it (NTP). {advice}"
    return OperatorNotice(failure.code, req_key, failure.request_id, failure.verdict.meaning, advice)


class Notices:
    """Passes notices on, at most one an hour for each code.

    Args:
        on_error: Who carries the message; None for the log alone.
        clock: Seconds that only rise.
    """

    def __init__(self, on_error: OnOperatorError | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_error = on_error
        self._clock = clock
        self._told: dict[int | str, float] = {}

    async def tell(self, failure: CallFailedError, req_key: str) -> None:
        """Tell about a failure if it is the operator's turn and the hour is over. Never raises."""
        if not failure.verdict.advice:
            return
        now = self._clock()
        last = self._told.get(failure.code)
        if last is not None and now - last < NOTICE_INTERVAL:
            return
        self._told[failure.code] = now
        notice = explain(failure, req_key)
        log.error(
            "volcengine_operator_must_act",
            req_key=req_key,
            code=notice.code,
            request_id=notice.request_id,
            meaning=notice.meaning,
            advice=notice.advice,
        )
        if self._on_error is None:
            return
        try:
            await self._on_error(notice)
        except Exception:
            # A boundary to foreign code: news that cannot be delivered must not cost the person the edit.
            log.exception("operator_not_told", code=notice.code)
