"""The API's error codes as one table: what each means, whether to call again, and who can fix it.

See docs/volcengine.md#error-codes and docs/volcengine.md#gateway-errors. Sources: the visual API's codes
https://www.volcengine.com/docs/6444/69728 and https://www.volcengine.com/docs/85621/1976207; the gateway's codes
(``ResponseMetadata.Error.CodeN``) https://volcengine.com/docs/6369/68677.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.operator_text import OperatorText

SUCCESS: Final = 10000
NOTHING: Final = OperatorText("")


class Retry(StrEnum):
    """Whether and how a failed call is repeated. `RetryRules` holds the number of calls of each kind."""

    NEVER = "never"
    AFTER_FAULT = "after-fault"
    """Once, after a pause: the fault may pass."""
    WHEN_BUSY = "when-busy"
    """Several times with growing pauses: the service is overloaded."""
    WITH_NEW_SEED = "with-new-seed"
    """A few times, each with another seed: the service rejected the picture that it generated."""
    WITH_SMALLER_PICTURE = "with-smaller-picture"
    """Once, at once, with a smaller picture."""


class Outcome(StrEnum):
    """The error that is raised after the last attempt; the value is the message id of its text."""

    BUSY = "cloud-busy"
    UNAVAILABLE = "cloud-unavailable"
    GHOST_FACE = "cloud-ghost-face"
    REFUSED = "cloud-refused"
    RESULT_REFUSED = "cloud-refused-result"
    COPYRIGHT = "cloud-copyright"


REFUSALS: Final = frozenset({Outcome.REFUSED, Outcome.RESULT_REFUSED, Outcome.COPYRIGHT})
"""Outcomes that judge the photo. The bot does not try another engine after them."""


@dataclass(frozen=True, slots=True)
class ErrorPolicy:
    """How one error code is handled.

    Attributes:
        meaning: What happened, for logs and `doctor`.
        retry: Whether and how to call again.
        outcome: What is raised after the last attempt.
        advice: What the operator should do; empty if the operator cannot fix it.
        down: Whether the failure counts towards opening the circuit breaker.
    """

    meaning: OperatorText
    retry: Retry = Retry.NEVER
    outcome: Outcome = Outcome.UNAVAILABLE
    advice: OperatorText = NOTHING
    down: bool = False


def _both(first: OperatorText, second: OperatorText) -> OperatorText:
    return OperatorText("{first} {second}", first=first, second=second)


def _server_fault(meaning: OperatorText) -> ErrorPolicy:
    return ErrorPolicy(meaning, Retry.AFTER_FAULT, down=True)


def _overload(meaning: OperatorText) -> ErrorPolicy:
    return ErrorPolicy(meaning, Retry.WHEN_BUSY, Outcome.BUSY, down=True)


def _operator_error(meaning: OperatorText, advice: OperatorText) -> ErrorPolicy:
    # Not `down`: the call fails fast and costs little, and a fix in the console should take effect at once.
    return ErrorPolicy(meaning, advice=advice)


_CLOCK_ADVICE = OperatorText("Set this machine's clock (NTP): a signature is valid for 15 minutes around its time.")
_KEYS_ADVICE = OperatorText(
    "Check VOLC_ACCESSKEY, VOLC_SECRETKEY and VOLC_SESSION_TOKEN: whole, no spaces, not expired, not disabled."
)
_PERMISSION_ADVICE = OperatorText(
    "Give the key's IAM user the policy for the visual service (such as CVFullAccess) in the Volcengine console."
)
_ACTIVATION_ADVICE = OperatorText(
    "Open the ability in the Volcengine console (visual intelligence), check that the account owes nothing, and that "
    "the key's IAM user may call it (a policy such as CVFullAccess). The same code is given for an ability that does "
    "not exist any more: then set VOLC_INPAINT to the other one."
)
_REMOVED_ADVICE = OperatorText(
    "The cloud does not offer this call (any more): set VOLC_INPAINT to the other ability, or update the bot."
)

ERROR_POLICIES: Final[dict[int, ErrorPolicy]] = {
    # Codes of the visual service.
    201304: ErrorPolicy(OperatorText("the fill shows a ghost face"), Retry.WITH_NEW_SEED, Outcome.GHOST_FACE),
    50411: ErrorPolicy(OperatorText("the photo did not pass the content check"), outcome=Outcome.REFUSED),
    50412: ErrorPolicy(OperatorText("the text did not pass the content check"), outcome=Outcome.REFUSED),
    50413: ErrorPolicy(OperatorText("the text did not pass the second content check"), outcome=Outcome.REFUSED),
    50511: ErrorPolicy(
        OperatorText("the result did not pass the content check"), Retry.WITH_NEW_SEED, Outcome.RESULT_REFUSED
    ),
    50512: ErrorPolicy(OperatorText("the resulting text did not pass the content check"), outcome=Outcome.REFUSED),
    50518: ErrorPolicy(OperatorText("the photo did not pass the copyright check"), outcome=Outcome.COPYRIGHT),
    50519: ErrorPolicy(
        OperatorText("the result did not pass the copyright check"), Retry.WITH_NEW_SEED, Outcome.COPYRIGHT
    ),
    50520: ErrorPolicy(OperatorText("the content check itself failed"), down=True),
    50521: ErrorPolicy(OperatorText("the content check itself failed (antidirt)"), down=True),
    50522: ErrorPolicy(OperatorText("the copyright check itself failed"), down=True),
    60208: ErrorPolicy(OperatorText("the photo is judged sensitive"), outcome=Outcome.REFUSED),
    50429: _overload(OperatorText("too many calls a second")),
    50430: _overload(OperatorText("too many calls at once")),
    50500: _server_fault(OperatorText("internal error of the cloud")),
    50501: _server_fault(OperatorText("internal error of the algorithm")),
    50200: ErrorPolicy(OperatorText("bad arguments")),
    50201: ErrorPolicy(OperatorText("an argument is missing")),
    50204: ErrorPolicy(OperatorText("unreadable arguments")),
    50205: ErrorPolicy(OperatorText("the picture is too large"), Retry.WITH_SMALLER_PICTURE),
    50206: ErrorPolicy(OperatorText("no picture in the request")),
    50207: ErrorPolicy(OperatorText("the picture cannot be decoded")),
    50213: ErrorPolicy(OperatorText("the request is too large"), Retry.WITH_SMALLER_PICTURE),
    50215: ErrorPolicy(OperatorText("the algorithm does not take this picture")),
    50400: _operator_error(
        OperatorText("access denied: not opened, no permission, arrears, or an unknown ability"), _ACTIVATION_ADVICE
    ),
    50402: _operator_error(OperatorText("there is no such action"), _REMOVED_ADVICE),
    # Codes of the gateway.
    100002: ErrorPolicy(OperatorText("the gateway misses a parameter")),
    100003: _operator_error(OperatorText("the gateway misses the credentials"), _KEYS_ADVICE),
    100004: ErrorPolicy(OperatorText("the gateway misses a part of the request")),
    100005: _operator_error(OperatorText("the gateway misses the signature"), _KEYS_ADVICE),
    100006: _operator_error(OperatorText("the signature is expired, or from the future"), _CLOCK_ADVICE),
    100007: _operator_error(
        OperatorText("the gateway knows no such service"), OperatorText("Check VOLC_ENDPOINT and VOLC_REGION.")
    ),
    100008: _operator_error(OperatorText("the gateway knows no such action"), _REMOVED_ADVICE),
    100009: _operator_error(OperatorText("the access key is not valid"), _KEYS_ADVICE),
    100010: _operator_error(OperatorText("the signature does not match"), _both(_KEYS_ADVICE, _CLOCK_ADVICE)),
    100012: _operator_error(OperatorText("the key lacks a policy"), _PERMISSION_ADVICE),
    100013: _operator_error(OperatorText("the key's user may not do this"), _PERMISSION_ADVICE),
    100014: _server_fault(OperatorText("internal error of the gateway")),
    100015: _server_fault(OperatorText("the gateway does not reach the service")),
    100016: _server_fault(OperatorText("the gateway timed out waiting for the service")),
    100018: _overload(OperatorText("too many calls of this account")),
    100019: _overload(OperatorText("too many calls of this service")),
}

# Failures without a code of the API. The name stands where otherwise the code would: in errors, logs and metrics.
TIMEOUT: Final = "timeout"
CONNECTION: Final = "connection"
NOT_JSON: Final = "not-json"
TOO_LARGE: Final = "too-large"
NO_PICTURE: Final = "no-picture"
TASK_LOST: Final = "task-lost"
TASK_TIMEOUT: Final = "task-timeout"
REDIRECT: Final = "redirect"
POLICIES_WITHOUT_CODE: Final[dict[str, ErrorPolicy]] = {
    TIMEOUT: _server_fault(OperatorText("no answer in time")),
    CONNECTION: _server_fault(OperatorText("the connection broke")),
    NOT_JSON: _server_fault(OperatorText("the answer is not one of the API's")),
    TOO_LARGE: ErrorPolicy(OperatorText("the answer is larger than any picture could be"), down=True),
    NO_PICTURE: _server_fault(OperatorText("success, but no picture that can be opened")),
    TASK_LOST: _server_fault(OperatorText("the cloud forgot the task")),
    TASK_TIMEOUT: ErrorPolicy(OperatorText("the task did not finish in time"), down=True),
    REDIRECT: _operator_error(
        OperatorText("the address answers with a redirect, which is not followed"), OperatorText("Check VOLC_ENDPOINT.")
    ),
}

_OVERLOAD_NAMES = ("FlowLimitExceeded", "Throttling", "RequestLimit", "QuotaExceeded")


def policy_for(code: int | str, *, http: int = 200, name: str = "") -> ErrorPolicy:
    """Return how to handle a code.

    Args:
        code: A number of the API or the gateway, or a key of `POLICIES_WITHOUT_CODE`.
        http: HTTP status of the response; decides if the code is unknown.
        name: The gateway's name of the error, such as ``AccountFlowLimitExceeded``.
    """
    known = ERROR_POLICIES.get(code) if isinstance(code, int) else POLICIES_WITHOUT_CODE.get(code)
    if known is not None and not (code == NOT_JSON and http in (401, 403, 404, 413, 429)):
        return known
    if http == 429 or any(part in name for part in _OVERLOAD_NAMES):
        return _overload(OperatorText("too many calls"))
    if http in (401, 403):
        return _operator_error(OperatorText("access denied"), _both(_KEYS_ADVICE, _PERMISSION_ADVICE))
    if http == 404:
        return _operator_error(OperatorText("there is no such address"), OperatorText("Check VOLC_ENDPOINT."))
    if http == 413:
        return ErrorPolicy(OperatorText("the request is too large"), Retry.WITH_SMALLER_PICTURE)
    if http >= 500:
        return _server_fault(OperatorText("a fault of the cloud"))
    return ErrorPolicy(OperatorText("an error that this bot does not know"))


class CallFailedError(Exception):
    """One call failed. Used inside this package only; callers get the errors of `bot.engines`.

    Attributes:
        code: The API's number, or a key of `POLICIES_WITHOUT_CODE`.
        policy: How the code is handled.
        http: HTTP status; 0 if there was no response.
        request_id: Volcengine's id of the call, for its support; empty if unknown.
        text: The API's own message, redacted and short.
        clock_skew: Seconds by which the server's clock is ahead of this machine's; None if unknown.
    """

    def __init__(
        self,
        code: int | str,
        policy: ErrorPolicy,
        *,
        http: int = 0,
        request_id: str = "",
        text: str = "",
        clock_skew: float | None = None,
    ) -> None:
        super().__init__(code, policy.meaning)
        self.code = code
        self.policy = policy
        self.http = http
        self.request_id = request_id
        self.text = text
        self.clock_skew = clock_skew

    @classmethod
    def without_code(
        cls, reason: str, *, http: int = 0, request_id: str = "", text: str = "", clock_skew: float | None = None
    ) -> Self:
        """Return the error of a failure that has no code of the API.

        Args:
            reason: A key of `POLICIES_WITHOUT_CODE`.
            http: As the attribute.
            request_id: As the attribute.
            text: As the attribute.
            clock_skew: As the attribute.
        """
        policy = policy_for(reason, http=http)
        return cls(reason, policy, http=http, request_id=request_id, text=text, clock_skew=clock_skew)

    def __reduce__(self) -> tuple[object, ...]:
        payload = {name: getattr(self, name) for name in ("http", "request_id", "text", "clock_skew")}
        return _rebuild, (type(self), self.code, self.policy, payload)

    def as_engine_error(self, req_key: str, calls: int) -> EngineRefusedError | EngineUnavailableError:
        """Return the error that leaves this package.

        Args:
            req_key: The ability that was called.
            calls: Number of calls made.
        """
        facts = {
            "req_key": req_key,
            "code": self.code,
            "http": self.http,
            "request_id": self.request_id,
            "calls": calls,
        }
        if self.policy.outcome in REFUSALS:
            return EngineRefusedError(self.policy.outcome.value, **facts)
        return EngineUnavailableError(
            self.policy.outcome.value,
            operator_must_act=bool(self.policy.advice),
            down=self.policy.down,
            **facts,
        )


def _rebuild(
    error_class: type[CallFailedError], code: int | str, policy: ErrorPolicy, payload: dict[str, Any]
) -> CallFailedError:
    return error_class(code, policy, **payload)
