"""Configuration of the Volcengine engine, checked when it is built, and the names of the abilities."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from bot.cloud_parameters import (
    DEFAULT_ENDPOINT,
    DEFAULT_QUALITY,
    DEFAULT_REGION,
    DILATE_SIZE,
    SCALE,
    STEPS,
    STRENGTH,
)
from bot.errors import OperatorError
from bot.operator_text import OperatorText

SERVICE: Final = "cv"
API_VERSION: Final = "2022-08-31"

SALIENCY: Final = "saliency_seg"
"""Subject segmentation, https://volcengine.com/docs/6793/1330693; docs/volcengine.md#segment."""
ERASE: Final = "i2i_inpainting"
"""Erasing under a mask, https://volcengine.com/docs/6791/1223709; docs/volcengine.md#erase."""
DREAM_ERASE: Final = "jimeng_image2image_dream_inpaint"
"""The same with submit and poll, https://www.volcengine.com/docs/85621/1976207; docs/volcengine.md#jimeng."""
INPAINT_ABILITIES: Final = (ERASE, DREAM_ERASE)


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How often a failed call is repeated. `codes.ERROR_POLICIES` says which code falls under which rule.

    Attributes:
        when_busy: Maximum number of calls while the service is overloaded (50429, 50430).
        with_new_seed: Maximum number of calls while the service rejects its own picture (50511, 50519, 201304).
        after_fault: Maximum number of calls after a fault of the service or the network (50500, 50501, timeouts,
            broken connections).
        first_delay: Seconds before the first retry; doubles with each further one.
        longest_delay: Maximum pause in seconds.
    """

    when_busy: int = 5
    with_new_seed: int = 3
    after_fault: int = 2
    first_delay: float = 1.0
    longest_delay: float = 20.0


@dataclass(frozen=True, slots=True)
class VolcConfig:
    """How to reach Volcengine and with which parameters to call it.

    The defaults of the erase parameters are the documented ones (docs/volcengine.md#erase).

    Attributes:
        access_key: Access key id.
        secret_key: Secret access key as the console shows it (not decoded).
        session_token: STS token, or empty.
        endpoint: ``https://host[:port]``; plain http is accepted for loopback addresses only.
        region: Region in the signature.
        proxy: Proxy for all calls, as `bot.outbound_proxy.session_options` takes it; None: none.
        inpaint: One of `INPAINT_ABILITIES`.
        steps: Diffusion steps, 1 … 50; the time rises with them.
        strength: 0.1 … 1.0; how far the fill may differ from the original pixels.
        scale: Guidance scale, 1 … 20.
        dilate_size: Pixels of the sent picture by which Volcengine dilates the mask, 0 … 100
            (docs/volcengine.md#dilate-size).
        quality: ``H`` best, ``M``, ``L`` fastest.
        prompt: Prompt of `DREAM_ERASE`; 删除 is the documented word for erasing.
        refine_mask: 0 none, 1 matting lite, 2 matting large (best edges).
        longest_side: Maximum side in pixels of a picture sent for inpainting (the API's limit is 4095).
        max_picture_bytes: Maximum size of an encoded picture; its base64 must stay below 4.7 MB.
        connect_timeout: Seconds to connect.
        read_timeout: Seconds without a byte after which a call fails.
        total_timeout: Seconds for one call.
        max_answer_bytes: Maximum size of a response; reading a larger one stops.
        poll_interval: Seconds between two polls of a submitted task.
        task_timeout: Seconds for a submitted task.
        trust_environment: Whether to use proxy variables and netrc. Off, because a netrc entry would replace the
            signature.
        breaker_threshold: Number of consecutive failed edits that opens the circuit breaker.
        breaker_cooldown: Seconds before the first trial call; doubles up to ten times the value.
        retry: How failed calls are repeated.

    Raises:
        OperatorError: ``wrong-setting``. Its fact ``text`` is one line with the setting, the problem and an example.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    endpoint: str = DEFAULT_ENDPOINT
    region: str = DEFAULT_REGION
    proxy: str | None = field(default=None, repr=False)
    inpaint: str = ERASE
    steps: int = int(STEPS.default)
    strength: float = STRENGTH.default
    scale: float = SCALE.default
    dilate_size: int = int(DILATE_SIZE.default)
    quality: str = DEFAULT_QUALITY
    prompt: str = "删除"
    refine_mask: int = 2
    longest_side: int = 2048
    max_picture_bytes: int = 3_500_000
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 120.0
    max_answer_bytes: int = 64 * 1024 * 1024
    poll_interval: float = 2.0
    task_timeout: float = 240.0
    trust_environment: bool = False
    breaker_threshold: int = 5
    breaker_cooldown: float = 30.0
    retry: RetryRules = RetryRules()

    def __post_init__(self) -> None:
        for name, value, example in (
            ("VOLC_ACCESSKEY", self.access_key, OperatorText("the access key id of the console, such as AKLT…")),
            ("VOLC_SECRETKEY", self.secret_key, OperatorText("the secret access key as the console shows it")),
        ):
            if not value or not value.isascii() or any(c.isspace() or not c.isprintable() for c in value):
                problem = OperatorText("is missing, or has spaces or characters that a key never has")
                raise _wrong_setting(name, problem, example)
        if any(c.isspace() or not c.isprintable() for c in self.session_token):
            raise _wrong_setting(
                "VOLC_SESSION_TOKEN",
                OperatorText("has spaces or line breaks in it"),
                OperatorText("the token in one line, or nothing"),
            )
        _check_endpoint(self.endpoint)
        if self.inpaint not in INPAINT_ABILITIES:
            raise _wrong_setting(
                "VOLC_INPAINT", OperatorText("is {value}", value=repr(self.inpaint)), " or ".join(INPAINT_ABILITIES)
            )
        for name, number, least, most in (
            ("steps", self.steps, STEPS.least, STEPS.most),
            ("strength", self.strength, STRENGTH.least, STRENGTH.most),
            ("scale", self.scale, SCALE.least, SCALE.most),
            ("dilate_size", self.dilate_size, DILATE_SIZE.least, DILATE_SIZE.most),
            ("refine_mask", self.refine_mask, 0, 2),
            ("longest_side", self.longest_side, 256, 4095),
        ):
            if not least <= number <= most:
                raise _wrong_setting(name, OperatorText("is {value}", value=number), f"{least} to {most}")
        if self.quality not in ("H", "M", "L"):
            raise _wrong_setting("quality", OperatorText("is {value}", value=repr(self.quality)), "H, M or L")

    @property
    def scheme(self) -> str:
        """``https``, or ``http`` for a loopback address."""
        return urlsplit(self.endpoint).scheme

    @property
    def host(self) -> str:
        """The Host header: the host name, and the port if it is not the default one of the scheme."""
        parts = urlsplit(self.endpoint)
        name = parts.hostname or ""
        if ":" in name:
            name = f"[{name}]"
        default_port = {"https": 443, "http": 80}[parts.scheme]
        return name if parts.port in (None, default_port) else f"{name}:{parts.port}"


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    example = DEFAULT_ENDPOINT
    try:
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_is_valid:
        raise _wrong_setting("VOLC_ENDPOINT", OperatorText("is not an address"), example)
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username or parts.password:
        raise _wrong_setting("VOLC_ENDPOINT", OperatorText("has more in it than a scheme, a host and a port"), example)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        problem = OperatorText("is plain http: photos and signatures would travel in clear")
        raise _wrong_setting("VOLC_ENDPOINT", problem, example)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong_setting(setting: str, problem: OperatorText, example: str) -> OperatorError:
    text = OperatorText("{setting}: {problem}; such as {example}", setting=setting, problem=problem, example=example)
    return OperatorError("wrong-setting", text=text, setting=setting)
