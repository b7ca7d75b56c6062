"""Parses the API's HTTP responses into data or a `CallFailedError`. No part of a response is trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bot.engines.volcengine.codes import NOT_JSON, REDIRECT, SUCCESS, CallFailedError, policy_for
from bot.engines.volcengine.config import VolcConfig

_MAX_TEXT: Final = 200
_SECRET_PATTERN = re.compile(r"[A-Za-z0-9+/=_-]{32,}|AK(?:LT|TP)[A-Za-z0-9+/=_-]+|STS\d?[A-Za-z0-9+/=_-]{8,}")

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A successful response.

    Attributes:
        data: The envelope's ``data``; hidden from reprs because it holds pictures.
        request_id: Volcengine's id of the call.
        elapsed: The API's ``time_elapsed`` as sent, such as ``2.17s`` or ``84.4µs``.
    """

    data: dict[str, Any] = field(repr=False)
    request_id: str
    elapsed: str = ""

    @property
    def pictures(self) -> list[str]:
        """The base64 pictures; may be empty."""
        listed = self.data.get("binary_data_base64")
        if not isinstance(listed, list):
            return []
        return [item for item in listed if isinstance(item, str) and item]


def redactor(config: VolcConfig) -> Redact:
    """Return a function that makes a text of the API safe to log: one short line without keys, signatures or pictures.

    The gateway repeats the access key id in its message for code 100009.
    """
    secrets = [secret for secret in (config.access_key, config.secret_key, config.session_token) if secret]

    def redact(text: str) -> str:
        text = text[: _MAX_TEXT * 20]
        for secret in secrets:
            text = text.replace(secret, "…")
        text = _SECRET_PATTERN.sub("…", text)
        line = "".join(c if c.isprintable() else " " for c in text)
        return line[:_MAX_TEXT]

    return redact


def parse_response(status: int, body: bytes, redact: Redact, *, clock_skew: float | None = None) -> ApiResponse:
    """Parse one response of the API or of its gateway (docs/volcengine.md#answers).

    Args:
        status: HTTP status.
        body: The whole body; expected to be JSON, but may be anything.
        redact: Makes the API's texts safe to log.
        clock_skew: Seconds by which the server's clock is ahead; recorded in the error.

    Raises:
        CallFailedError: The response reports a failure, or is not a response of the API.
    """
    if 300 <= status < 400:
        raise CallFailedError.without_code(REDIRECT, http=status, clock_skew=clock_skew)
    try:
        # Decode leniently: `time_elapsed` holds a µ, and a proxy that breaks its encoding must not hide the code.
        envelope = json.loads(body.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        raise CallFailedError.without_code(NOT_JSON, http=status, clock_skew=clock_skew) from None
    if not isinstance(envelope, dict):
        raise CallFailedError.without_code(NOT_JSON, http=status, clock_skew=clock_skew)
    _raise_gateway_error(status, envelope, redact, clock_skew)
    return _parse_envelope(status, envelope, redact, clock_skew)


def _raise_gateway_error(status: int, envelope: dict[str, Any], redact: Redact, clock_skew: float | None) -> None:
    """Raise if the gateway answered instead of the API; the rest of such an envelope does not count.

    See docs/volcengine.md#gateway-errors.
    """
    metadata = envelope.get("ResponseMetadata")
    error = metadata.get("Error") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(error, dict):
        return
    name = _short_text(error.get("Code"))
    code = _integer(error.get("CodeN"))
    raise CallFailedError(
        code if code is not None else redact(name) or NOT_JSON,
        policy_for(code if code is not None else name, http=status, name=name),
        http=status,
        request_id=_short_text(metadata.get("RequestId")),
        text=redact(f"{name}: {error.get('Message', '')}"),
        clock_skew=clock_skew,
    )


def _parse_envelope(status: int, envelope: dict[str, Any], redact: Redact, clock_skew: float | None) -> ApiResponse:
    data = envelope.get("data")
    request_id = _short_text(envelope.get("request_id"))
    code = _integer(envelope.get("code"))

    def malformed(text: str = "") -> CallFailedError:
        return CallFailedError.without_code(
            NOT_JSON, http=status, request_id=request_id, text=text, clock_skew=clock_skew
        )

    if code is None:
        raise malformed()
    if isinstance(data, dict) and not request_id:
        request_id = _short_text(data.get("request_id"))
    if code != SUCCESS:
        text = redact(str(envelope.get("message", "")))
        policy = policy_for(code, http=status)
        raise CallFailedError(code, policy, http=status, request_id=request_id, text=text, clock_skew=clock_skew)
    if not isinstance(data, dict):
        raise malformed("success without data")
    # Volcengine does not document where 201304 appears: as the envelope's code, or here.
    algorithm = data.get("algorithm_base_resp")
    inner_code = _integer(algorithm.get("status_code")) if isinstance(algorithm, dict) else 0
    if inner_code not in (None, 0, SUCCESS):
        text = redact(str(algorithm.get("status_message", ""))) if isinstance(algorithm, dict) else ""
        policy = policy_for(inner_code)
        raise CallFailedError(inner_code, policy, http=status, request_id=request_id, text=text, clock_skew=clock_skew)
    if status != 200:
        raise malformed("success with an error status")
    return ApiResponse(data=data, request_id=request_id, elapsed=redact(str(envelope.get("time_elapsed", ""))))


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    return None


def _short_text(value: object) -> str:
    """Return a request id or an error name; empty if it is not short printable text."""
    return value if isinstance(value, str) and len(value) <= 80 and value.isprintable() else ""
