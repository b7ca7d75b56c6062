"""What each code of the cloud means, whether to call again, and whose turn it is: the whole error handling as a table.

Sources: the visual API's codes https://www.volcengine.com/docs/6444/69728 and
https://www.volcengine.com/docs/85621/1976207, the gateway's (``ResponseMetadata.Error.CodeN``) https://volcengine.com/docs/6369/68677.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.engines import EngineRefusedError, EngineUnavailableError

SUCCESS: Final = 10000


class Again(StrEnum):
    """Whether the same wish is put to the cloud once more."""

    NEVER = "never"
    FAULT = "fault"
    """Once, after a moment: a fault that passes, or not."""
    BUSY = "busy"
    """Several times, waiting longer each time: the cloud asked for patience."""
    PICTURE = "picture"
    """A few times, each with another seed: the picture that the cloud made was at fault, not the request."""
    SMALLER = "smaller"
    """Once, with a smaller picture."""


class Outcome(StrEnum):
    """What is left when it is not tried again; the value is the message id of the text that the person reads."""

    BUSY = "cloud-busy"
    UNAVAILABLE = "cloud-unavailable"
    GHOST_FACE = "cloud-ghost-face"
    REFUSED = "cloud-refused"
    RESULT_REFUSED = "cloud-refused-result"
    COPYRIGHT = "cloud-copyright"


REFUSALS: Final = frozenset({Outcome.REFUSED, Outcome.RESULT_REFUSED, Outcome.COPYRIGHT})
"""A judgement about the photo: another engine must not be used to get round it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one code means.

    Attributes:
        meaning: What happened, in English, for logs and `doctor`.
        again: Whether to call again.
        outcome: What is raised in the end.
        advice: What the operator should do; empty where nobody has to do anything.
        down: Whether this counts towards leaving the cloud alone for a while.
    """

    meaning: str
    again: Again = Again.NEVER
    outcome: Outcome = Outcome.UNAVAILABLE
    advice: str = ""
    down: bool = False


def _fault(meaning: str) -> Verdict:
    return Verdict(meaning, Again.FAULT, down=True)


def _busy(meaning: str) -> Verdict:
    return Verdict(meaning, Again.BUSY, Outcome.BUSY, down=True)


def _operator(meaning: str, advice: str) -> Verdict:
    # Not `down`: a refusal costs one quick call, and what the operator mends in the console should work at once.
    return Verdict(meaning, advice=advice)


_CLOCK = "Set this machine's clock (NTP): a signature is valid for 15 minutes around its time."
_KEYS = "Check VOLC_ACCESSKEY, VOLC_SECRETKEY and VOLC_SESSION_TOKEN: whole, no spaces, not expired, not disabled."
_POLICY = "Give the key's IAM user the policy for the visual service (such as CVFullAccess) in the Volcengine console."
_OPEN = (
    "Open the ability in the Volcengine console (visual intelligence), check that the account owes nothing, and that "
    "the key's IAM user may call it (a policy such as CVFullAccess). The same code is given for an ability that does "
    "not exist any more: then set VOLC_INPAINT to the other one."
)
_GONE = "The cloud does not offer this call (any more): set VOLC_INPAINT to the other ability, or update the bot."

VERDICTS: Final[dict[int, Verdict]] = {
    # The visual service's own.
    201304: Verdict("the fill shows a ghost face", Again.PICTURE, Outcome.GHOST_FACE),
    50411: Verdict("the photo did not pass the content check", outcome=Outcome.REFUSED),
    50412: Verdict("the text did not pass the content check", outcome=Outcome.REFUSED),
    50413: Verdict("the text did not pass the second content check", outcome=Outcome.REFUSED),
    50511: Verdict("the result did not pass the content check", Again.PICTURE, Outcome.RESULT_REFUSED),
    50512: Verdict("the resulting text did not pass the content check", outcome=Outcome.REFUSED),
    50518: Verdict("the photo did not pass the copyright check", outcome=Outcome.COPYRIGHT),
    50519: Verdict("the result did not pass the copyright check", Again.PICTURE, Outcome.COPYRIGHT),
    50520: Verdict("the content check itself failed", down=True),
    50521: Verdict("the content check itself failed (antidirt)", down=True),
    50522: Verdict("the copyright check itself failed", down=True),
    60208: Verdict("the photo is judged sensitive", outcome=Outcome.REFUSED),
    50429: _busy("too many calls a second"),
    50430: _busy("too many calls at once"),
    50500: _fault("internal error of the cloud"),
    50501: _fault("internal error of the algorithm"),
    50200: Verdict("bad arguments"),
    50201: Verdict("an argument is missing"),
    50204: Verdict("unreadable arguments"),
    50205: Verdict("the picture is too large", Again.SMALLER),
    50206: Verdict("no picture in the request"),
    50207: Verdict("the picture cannot be decoded"),
    50213: Verdict("the request is too large", Again.SMALLER),
    50215: Verdict("the algorithm does not take this picture"),
    50400: _operator("access denied: not opened, no permission, arrears, or an unknown ability", _OPEN),
    50402: _operator("there is no such action", _GONE),
    # The gateway's.
    100002: Verdict("the gateway misses a parameter"),
    100003: _operator("the gateway misses the credentials", _KEYS),
    100004: Verdict("the gateway misses a part of the request"),
    100005: _operator("the gateway misses the signature", _KEYS),
    100006: _operator("the signature is expired, or from the future", _CLOCK),
    100007: _operator("the gateway knows no such service", "Check VOLC_ENDPOINT and VOLC_REGION."),
    100008: _operator("the gateway knows no such action", _GONE),
    100009: _operator("the access key is not valid", _KEYS),
    100010: _operator("the signature does not match", f"{_KEYS} {_CLOCK}"),
    100012: _operator("the key lacks a policy", _POLICY),
    100013: _operator("the key's user may not do this", _POLICY),
    100014: _fault("internal error of the gateway"),
    100015: _fault("the gateway does not reach the service"),
    100016: _fault("the gateway waited in vain for the service"),
    100018: _busy("too many calls of this account"),
    100019: _busy("too many calls of this service"),
}

# What is no code, but happens; the label stands where else the code would.
TIMEOUT: Final = "timeout"
CONNECTION: Final = "connection"
NOT_JSON: Final = "not-json"
TOO_LARGE: Final = "too-large"
NO_PICTURE: Final = "no-picture"
TASK_LOST: Final = "task-lost"
TASK_TIMEOUT: Final = "task-timeout"
REDIRECT: Final = "redirect"
LABELLED: Final[dict[str, Verdict]] = {
    TIMEOUT: _fault("no answer in time"),
    CONNECTION: _fault("the connection broke"),
    NOT_JSON: _fault("the answer is not one of the API's"),
    TOO_LARGE: Verdict("the answer is larger than any picture could be", down=True),
    NO_PICTURE: _fault("success, but no picture that can be opened"),
    TASK_LOST: _fault("the cloud forgot the task"),
    TASK_TIMEOUT: Verdict("the task did not finish in time", down=True),
    REDIRECT: _operator("the address answers with a redirect, which is not followed", "Check VOLC_ENDPOINT."),
}

_OVERLOAD_NAMES = ("FlowLimitExceeded", "Throttling", "RequestLimit", "QuotaExceeded")


def judge(code: int | str, *, http: int = 200, name: str = "") -> Verdict:
    """What to make of a code.

    Args:
        code: A number of the API or the gateway, or one of this module's labels.
        http: The status of the answer; decides where the code is unknown.
        name: The gateway's name for the error, such as ``AccountFlowLimitExceeded``.
    """
    known = VERDICTS.get(code) if isinstance(code, int) else LABELLED.get(code)
    if known is not None and not (code == NOT_JSON and http in (401, 403, 404, 413, 429)):
        return known
    if http == 429 or any(part in name for part in _OVERLOAD_NAMES):
        return _busy("too many calls")
    if http in (401, 403):
        return _operator("access denied", f"{_KEYS} {_POLICY}")
    if http == 404:
        return _operator("there is no such address", "Check VOLC_ENDPOINT.")
    if http == 413:
        return Verdict("the request is too large", Again.SMALLER)
    if http >= 500:
        return _fault("a fault of the cloud")
    return Verdict("an error that this bot does not know")


class CallFailedError(Exception):
    """One call failed. Stays inside this package: callers get the errors of `bot.engines`.

    Attributes:
        code: The cloud's number or a label of this module.
        verdict: What it means.
        http: Status of the answer, 0 if there was none.
        request_id: The cloud's name for the call, for its support; empty if unknown.
        text: The cloud's own words, redacted and short.
        clock_skew: Seconds by which the cloud's clock is ahead of ours, if its answer said so.
    """

    def __init__(
        self,
        code: int | str,
        verdict: Verdict,
        *,
        http: int = 0,
        request_id: str = "",
        text: str = "",
        clock_skew: float | None = None,
    ) -> None:
        super().__init__(code, verdict.meaning)
        self.code = code
        self.verdict = verdict
        self.http = http
        self.request_id = request_id
        self.text = text
        self.clock_skew = clock_skew

    def for_caller(self, req_key: str, calls: int) -> EngineRefusedError | EngineUnavailableError:
        """The error that leaves this package, with the facts for the log."""
        facts = {
            "req_key": req_key,
            "code": self.code,
            "http": self.http,
            "request_id": self.request_id,
            "calls": calls,
        }
        if self.verdict.outcome in REFUSALS:
            return EngineRefusedError(self.verdict.outcome.value, **facts)
        return EngineUnavailableError(
            self.verdict.outcome.value,
            operator_must_act=bool(self.verdict.advice),
            down=self.verdict.down,
            **facts,
        )


def labelled(label: str, *, http: int = 0, request_id: str = "", text: str = "") -> CallFailedError:
    """A failure that has a label of this module instead of a code."""
    return CallFailedError(label, judge(label, http=http), http=http, request_id=request_id, text=text)
