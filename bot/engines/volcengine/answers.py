"""The cloud's answers, parsed into data or a typed failure. Nothing here trusts the other side."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bot.engines.volcengine.codes import NOT_JSON, REDIRECT, SUCCESS, CallFailedError, judge, labelled
from bot.engines.volcengine.config import VolcConfig

_MOST_TEXT: Final = 200
_LOOKS_SECRET = re.compile(r"[A-Za-z0-9+/=_-]{32,}|AK(?:LT|TP)[A-Za-z0-9+/=_-]+|STS\d?[A-Za-z0-9+/=_-]{8,}")

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        data: The ability's own part; hidden from reprs, for it holds pictures.
        request_id: The cloud's name for the call.
        took: The cloud's own words about its time, such as ``2.17s`` or ``84.4µs``.
    """

    data: dict[str, Any] = field(repr=False)
    request_id: str
    took: str = ""

    @property
    def pictures(self) -> list[str]:
        """The base64 pictures, maybe none."""
        listed = self.data.get("binary_data_base64")
        if not isinstance(listed, list):
            return []
        return [item for item in listed if isinstance(item, str) and item]


def redactor(config: VolcConfig) -> Redact:
    """A function that makes a text of the cloud fit for logs: no keys, signatures or pictures, one short line.

    The gateway repeats the access key id in its message for 100009.
    """
    secrets = [word for word in (config.access_key, config.secret_key, config.session_token) if word]

    def redact(text: str) -> str:
        text = text[: _MOST_TEXT * 20]
        for secret in secrets:
            text = text.replace(secret, "…")
        text = _LOOKS_SECRET.sub("…", text)
        line = "".join(c if c.isprintable() else " " for c in text)
        return line[:_MOST_TEXT]

    return redact


def read_answer(http: int, body: bytes, redact: Redact) -> Answer:
    """Parse one answer of the API or its gateway.

    Args:
        http: Status of the answer.
        body: All its bytes. JSON is expected; anything may come.
        redact: Makes the cloud's words fit for logs.

    Raises:
        CallFailedError: The answer reports a failure, or is none of the API's.
    """
    if 300 <= http < 400:
        raise labelled(REDIRECT, http=http)
    try:
        # A wrong encoding must not hide the code: `time_elapsed` holds a µ, and not everybody on the way keeps it.
        envelope = json.loads(body.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        raise labelled(NOT_JSON, http=http) from None
    if not isinstance(envelope, dict):
        raise labelled(NOT_JSON, http=http)
    _raise_for_gateway(http, envelope, redact)
    request_id = _short(envelope.get("request_id"))
    code = _number(envelope.get("code"))
    if code is None:
        raise labelled(NOT_JSON, http=http, request_id=request_id)
    data = envelope.get("data")
    if isinstance(data, dict) and not request_id:
        request_id = _short(data.get("request_id"))
    text = redact(str(envelope.get("message", "")))
    if code != SUCCESS:
        raise CallFailedError(code, judge(code, http=http), http=http, request_id=request_id, text=text)
    if not isinstance(data, dict):
        raise labelled(NOT_JSON, http=http, request_id=request_id, text="success without data")
    # Where 201304 stands is not documented: at the top, or here.
    algorithm = data.get("algorithm_base_resp")
    status = _number(algorithm.get("status_code")) if isinstance(algorithm, dict) else 0
    if status not in (None, 0, SUCCESS):
        words = redact(str(algorithm.get("status_message", ""))) if isinstance(algorithm, dict) else ""
        raise CallFailedError(status, judge(status), http=http, request_id=request_id, text=words)
    if http != 200:
        raise labelled(NOT_JSON, http=http, request_id=request_id, text="success with an error status")
    return Answer(data=data, request_id=request_id, took=redact(str(envelope.get("time_elapsed", ""))))


def _raise_for_gateway(http: int, envelope: dict[str, Any], redact: Redact) -> None:
    """The gateway's own failures have another shape; where it is there, the rest is to be ignored (docs/6444/69728)."""
    metadata = envelope.get("ResponseMetadata")
    error = metadata.get("Error") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(error, dict):
        return
    name = _short(error.get("Code"))
    code = _number(error.get("CodeN"))
    raise CallFailedError(
        code if code is not None else redact(name) or NOT_JSON,
        judge(code if code is not None else name, http=http, name=name),
        http=http,
        request_id=_short(metadata.get("RequestId")),
        text=redact(f"{name}: {error.get('Message', '')}"),
    )


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    return None


def _short(value: object) -> str:
    """A request id or an error's name: short, printable, or nothing."""
    return value if isinstance(value, str) and len(value) <= 80 and value.isprintable() else ""
