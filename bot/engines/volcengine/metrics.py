"""Prometheus metrics of the engine. Label values are bounded: unknown codes count as ``other``."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from bot.engines.volcengine.codes import ERROR_POLICIES, POLICIES_WITHOUT_CODE, SUCCESS

CALLS: Final = Counter("volcengine_calls", "Calls of Volcengine's API.", ["req_key", "code"])
RETRIES: Final = Counter("volcengine_retries", "Calls that repeat a failed one.", ["req_key", "code"])
SECONDS: Final = Histogram(
    "volcengine_call_seconds",
    "Time of one call, from the first byte sent to the last one read.",
    ["req_key"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120),
)
IN_FLIGHT: Final = Gauge("volcengine_calls_in_flight", "Calls under way in this process.")
WAITING: Final = Gauge("volcengine_waiting_for_slot", "Edits of this process that wait for a call slot.")
BREAKER_OPEN: Final = Gauge("volcengine_breaker_open", "1 while the circuit breaker is open.", ["req_key"])


def code_label(code: int | str) -> str:
    """Return a code as a label value."""
    is_known = code in ERROR_POLICIES or code in POLICIES_WITHOUT_CODE or code == SUCCESS
    return str(code) if is_known else "other"
