"""Checks signatures as Volcengine does. Written from the documented rules, not from the SDK.

Rules: https://www.volcengine.com/docs/6369/67269 (the method), https://volcengine.com/docs/6369/68677 (the codes).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

LIFETIME_SECONDS = 900
"""Documented lifetime of a signature without X-Expires; taken as the tolerated skew in both directions."""

_AUTHORIZATION = re.compile(
    r"HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), "
    r"SignedHeaders=(?P<names>[^,]+), Signature=(?P<hex>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Keys:
    """The keys of the stand-in's only customer."""

    access_key: str = "AKLTexampleexampleexampleexample01"
    secret_key: str = "U0tleGFtcGxlLW5vdC1hLXJlYWwta2V5LTAwMDA="
    session_token: str = ""
    region: str = "cn-north-1"
    service: str = "cv"


class DeniedError(Exception):
    """The gateway denies the request; carries its code, name, message and HTTP status."""

    def __init__(self, code: int, name: str, message: str, http: int) -> None:
        super().__init__(code, name, message, http)
        self.code, self.name, self.message, self.http = code, name, message, http


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive the signing key: secret → date → region → service → ``request``, each the key of the next HMAC."""
    key = secret.encode()
    for part in (date, region, service, "request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def canonical_request(
    method: str, path: str, raw_query: str, headers: Mapping[str, str], names: list[str], body: bytes
) -> str:
    """Return the text whose hash is signed; `headers` has lower-case names."""
    pairs = sorted(parse_qsl(raw_query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    lines = []
    for name in names:
        value = headers[name].strip()
        if name == "host":
            value = re.sub(r":(80|443)$", "", value)
        lines.append(f"{name}:{value}\n")
    return "\n".join(
        [method, quote(path, safe="/-_.~"), query, "".join(lines), ";".join(names), hashlib.sha256(body).hexdigest()]
    )


def signature(keys: Keys, date_time: str, canonical: str) -> str:
    """Return the signature of a canonical request at a time."""
    scope = f"{date_time[:8]}/{keys.region}/{keys.service}/request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"HMAC-SHA256\n{date_time}\n{scope}\n{hashed}"
    key = signing_key(keys.secret_key, date_time[:8], keys.region, keys.service)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def verify(
    keys: Keys,
    *,
    method: str,
    path: str,
    raw_query: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime | None = None,
) -> None:
    """Check a request as it arrived; `headers` has lower-case names. Raises `DeniedError`."""
    authorization = headers.get("authorization", "")
    if not authorization:
        raise DeniedError(100003, "MissingAuthenticationToken", "Request is missing Authentication Token.", 401)
    parsed = _AUTHORIZATION.fullmatch(authorization)
    if parsed is None:
        raise DeniedError(100005, "MissingSignature", "The request is missing signature.", 401)
    names = parsed["names"].split(";")
    date_time = headers.get("x-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", date_time):
        raise DeniedError(100004, "MissingRequestInfo", "The request is missing X-Date information.", 400)
    signed_at = datetime.strptime(date_time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(((now or datetime.now(UTC)) - signed_at).total_seconds()) > LIFETIME_SECONDS:
        raise DeniedError(100006, "InvalidTimestamp", "The Signature of the request is expired.", 400)
    if parsed["key"] != keys.access_key or headers.get("x-security-token", "") != keys.session_token:
        message = f"The accesskey [{parsed['key']}] included in the request is invalid."
        raise DeniedError(100009, "InvalidAccessKey", message, 401)
    mismatch = DeniedError(
        100010, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature.", 401
    )
    must_sign = {"host", "x-date"} | ({"x-security-token"} if keys.session_token else set())
    if names != sorted(names) or not must_sign <= set(names) or not set(names) <= set(headers):
        raise mismatch
    if headers.get("x-content-sha256", hashlib.sha256(body).hexdigest()) != hashlib.sha256(body).hexdigest():
        raise mismatch
    if parsed["scope"] != f"{date_time[:8]}/{keys.region}/{keys.service}/request":
        raise mismatch
    expected = signature(keys, date_time, canonical_request(method, path, raw_query, headers, names, body))
    if not hmac.compare_digest(expected, parsed["hex"]):
        raise mismatch
