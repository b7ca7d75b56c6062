"""Notifies the operator of failures that only the operator can fix: by log and message, once an hour per code."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from bot.engines.volcengine.codes import CallFailedError
from bot.operator_text import OperatorText

log = structlog.get_logger()
NOTICE_INTERVAL: Final = 3600.0
"""Minimum seconds between two notices of the same code."""
_MIN_REPORTED_SKEW: Final = 60.0


@dataclass(frozen=True, slots=True)
class OperatorNotice:
    """A message for the operator.

    Attributes:
        code: The API's code, or a key of `codes.POLICIES_WITHOUT_CODE`.
        req_key: The ability that was called.
        request_id: Volcengine's id of the call; empty if unknown.
        meaning: What happened, in English.
        advice: What to do, in English.
    """

    code: int | str
    req_key: str
    request_id: str
    meaning: OperatorText
    advice: OperatorText

    def __str__(self) -> str:
        """The notice as text of two lines."""
        call = f"{self.req_key}, request {self.request_id}" if self.request_id else self.req_key
        return f"Volcengine: {self.meaning} (code {self.code}, {call}).\n{self.advice}"


OnOperatorError = Callable[[OperatorNotice], Awaitable[None]]


def build_notice(failure: CallFailedError, req_key: str) -> OperatorNotice:
    """Return the notice of a failure. A clock skew of a minute or more is named, because it looks like a wrong key."""
    advice = failure.policy.advice
    skew = failure.clock_skew
    if skew is not None and abs(skew) >= _MIN_REPORTED_SKEW:
        seconds = f"{abs(skew):.0f}"
        if skew > 0:
            clock = OperatorText(
                "This machine's clock is {seconds} s behind the cloud's: set it (NTP).", seconds=seconds
            )
        else:
            clock = OperatorText(
                "This machine's clock is {seconds} s ahead of the cloud's: set it (NTP).", seconds=seconds
            )
        advice = OperatorText("{first} {second}", first=clock, second=advice)
    return OperatorNotice(failure.code, req_key, failure.request_id, failure.policy.meaning, advice)


class OperatorNotifier:
    """Logs and sends notices, at most one an hour per code.

    Args:
        on_error: Sends the notice; None to only log it.
        clock: Returns monotonic seconds.
    """

    def __init__(self, on_error: OnOperatorError | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_error = on_error
        self._clock = clock
        self._notified_at: dict[int | str, float] = {}

    async def notify(self, failure: CallFailedError, req_key: str) -> None:
        """Notify the operator if the operator can fix the failure and the last notice of its code is an hour old.

        Never raises: an undelivered notice is logged.
        """
        if not failure.policy.advice:
            return
        now = self._clock()
        last = self._notified_at.get(failure.code)
        if last is not None and now - last < NOTICE_INTERVAL:
            return
        self._notified_at[failure.code] = now
        notice = build_notice(failure, req_key)
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
            # The callback is foreign code: a notice that cannot be delivered must not fail the edit.
            log.exception("operator_notice_failed", code=notice.code)
