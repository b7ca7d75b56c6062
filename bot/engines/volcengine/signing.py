"""Signs requests with the SDK's signer. The signed bytes are sent unchanged.

The SDK does not send them: its service classes block, default to plain http and lose errors
(docs/volcengine.md#sdk-pitfalls).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from volcengine.auth.SignerV4 import SignerV4
from volcengine.auth.SignParam import SignParam
from volcengine.Credentials import Credentials

from bot.engines.volcengine.config import API_VERSION, SERVICE, VolcConfig


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A POST request, to be sent unchanged.

    Attributes:
        url: With the query exactly as signed.
        headers: All signed headers and Authorization; hidden from reprs because a signature is a credential.
        body: The signed bytes; hidden from reprs because they hold pictures.
    """

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def sign(config: VolcConfig, action: str, body: bytes, *, now: datetime | None = None) -> SignedRequest:
    """Sign a call of the visual API (docs/volcengine.md#signing, https://www.volcengine.com/docs/6369/67269).

    Hashes the body, which may have megabytes: run it outside the event loop.

    Args:
        config: Keys, endpoint and region.
        action: ``CVProcess``, ``CVSync2AsyncSubmitTask`` or ``CVSync2AsyncGetResult``.
        body: JSON, UTF-8.
        now: Time of signing in UTC; the current time by default. Volcengine accepts a signature for 900 s.

    Returns:
        The request. The signature covers host, x-date, content-type, x-content-sha256 and, with a token,
        x-security-token.
    """
    param = SignParam()
    param.method = "POST"
    param.path = "/"
    param.host = config.host
    param.query = OrderedDict(Action=action, Version=API_VERSION)
    param.body = body
    param.date = now or datetime.now(UTC)
    # The signer adds X-Date, X-Content-Sha256 and X-Security-Token to this mapping, and signs a header only if its name
    # is written in this case.
    param.header_list = OrderedDict({"Content-Type": "application/json", "Host": config.host})
    keys = Credentials(config.access_key, config.secret_key, SERVICE, config.region, config.session_token)
    signature = SignerV4.sign_only(param, keys)
    return SignedRequest(
        url=f"{config.scheme}://{config.host}/?Action={action}&Version={API_VERSION}",
        headers={**param.header_list, "Authorization": signature.authorization},
        body=body,
    )
