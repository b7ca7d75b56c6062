"""What an operator may set about the cloud, checked when it is built, and the limits of the outside world."""

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

SERVICE: Final = "cv"
API_VERSION: Final = "2022-08-31"

SALIENCY: Final = "saliency_seg"
"""Subject segmentation, https://volcengine.com/docs/6793/1330693"""
ERASE: Final = "i2i_inpainting"
"""Erasing under a mask, https://volcengine.com/docs/6791/1223709"""
DREAM_ERASE: Final = "jimeng_image2image_dream_inpaint"
"""The same by submitting and polling, https://www.volcengine.com/docs/85621/1976207"""
INPAINT_ABILITIES: Final = (ERASE, DREAM_ERASE)


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How often and how patiently a call is repeated; which code falls under which rule stands in `codes`.

    Attributes:
        busy: Calls at most while the cloud says that it is overloaded (50429, 50430).
        picture: Calls at most while the cloud dislikes the picture that it made itself (50511, 50519, 201304).
        fault: Calls at most after a fault of the cloud or the network (50500, 50501, timeouts, broken connections).
        first_delay: Seconds before the first repetition; doubles with each further one.
        longest_delay: Seconds that no wait exceeds.
    """

    busy: int = 5
    picture: int = 3
    fault: int = 2
    first_delay: float = 1.0
    longest_delay: float = 20.0


@dataclass(frozen=True, slots=True)
class VolcConfig:
    """How to reach Volcengine and what to ask of it.

    Defaults of the ability's own parameters are the documented ones (facts and sources: the page behind `ERASE` and its
    resellers' copies).

    Attributes:
        access_key: Access key id.
        secret_key: Secret access key, as the console shows it (not decoded).
        session_token: STS token, or empty.
        endpoint: ``https://host[:port]``; plain http is accepted for this machine's own addresses only.
        region: Region in the signature.
        inpaint: One of `INPAINT_ABILITIES`.
        steps: Diffusion steps, 1 … 50; time rises with them.
        strength: 0.1 … 1.0; how far the fill may leave what was there.
        scale: 1 … 20; guidance.
        dilate_size: Pixels of the sent picture by which the cloud widens the mask, 0 … 100.
        quality: ``H`` best, ``M``, ``L`` fastest.
        prompt: What the prompted ability is told; 删除 is its documented word for erasing.
        refine_mask: 0 none, 1 matting lite, 2 matting large (best edges).
        longest_side: No side of a picture sent for inpainting is longer, pixels (the cloud's limit is 4095).
        max_picture_bytes: No encoded picture is larger: base64 of it must stay under 4.7 MB.
        connect_timeout: Seconds to get a connection.
        read_timeout: Seconds without a byte before giving up.
        total_timeout: Seconds for one call as a whole.
        max_answer_bytes: Larger answers are not read to their end.
        poll_interval: Seconds between two looks at a submitted task.
        task_timeout: Seconds for a submitted task as a whole.
        trust_environment: Obey proxy variables and netrc. Off: a netrc entry would replace the signature.
        breaker_threshold: Failed edits in a row after which the cloud is left alone.
        breaker_pause: Seconds for which it is left alone at first; doubles up to ten times as long.
        retry: How failed calls are repeated.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    endpoint: str = DEFAULT_ENDPOINT
    region: str = DEFAULT_REGION
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
    breaker_pause: float = 30.0
    retry: RetryRules = RetryRules()

    # Raises OperatorError `wrong-setting`, whose fact `text` is one line with the setting, its fault and an example.
    def __post_init__(self) -> None:
        for name, value, usual in (
            ("VOLC_ACCESSKEY", self.access_key, "the access key id of the console, such as AKLT…"),
            ("VOLC_SECRETKEY", self.secret_key, "the secret access key as the console shows it"),
        ):
            if not value or not value.isascii() or any(c.isspace() or not c.isprintable() for c in value):
                raise _wrong(name, "is missing, or has spaces or characters that a key never has", usual)
        if any(c.isspace() or not c.isprintable() for c in self.session_token):
            raise _wrong("VOLC_SESSION_TOKEN", "has spaces or line breaks in it", "the token in one line, or nothing")
        _check_endpoint(self.endpoint)
        if self.inpaint not in INPAINT_ABILITIES:
            raise _wrong("VOLC_INPAINT", f"is {self.inpaint!r}", " or ".join(INPAINT_ABILITIES))
        for name, number, least, most in (
            ("steps", self.steps, STEPS.least, STEPS.most),
            ("strength", self.strength, STRENGTH.least, STRENGTH.most),
            ("scale", self.scale, SCALE.least, SCALE.most),
            ("dilate_size", self.dilate_size, DILATE_SIZE.least, DILATE_SIZE.most),
            ("refine_mask", self.refine_mask, 0, 2),
            ("longest_side", self.longest_side, 256, 4095),
        ):
            if not least <= number <= most:
                raise _wrong(name, f"is {number}", f"{least} to {most}")
        if self.quality not in ("H", "M", "L"):
            raise _wrong("quality", f"is {self.quality!r}", "H, M or L")

    @property
    def scheme(self) -> str:
        """``https``, or ``http`` for this machine's own addresses."""
        return urlsplit(self.endpoint).scheme

    @property
    def host(self) -> str:
        """What the Host header says: the name, with the port where it is not the scheme's own."""
        parts = urlsplit(self.endpoint)
        name = parts.hostname or ""
        if ":" in name:
            name = f"[{name}]"
        usual = {"https": 443, "http": 80}[parts.scheme]
        return name if parts.port in (None, usual) else f"{name}:{parts.port}"


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    example = DEFAULT_ENDPOINT
    try:
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_is_fine:
        raise _wrong("VOLC_ENDPOINT", "is not an address", example)
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username or parts.password:
        raise _wrong("VOLC_ENDPOINT", "has more in it than a scheme, a host and a port", example)
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise _wrong("VOLC_ENDPOINT", "is plain http: photos and signatures would travel in clear", example)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(setting: str, problem: str, example: str) -> OperatorError:
    return OperatorError("wrong-setting", text=f"{setting}: {problem}; such as {example}", setting=setting)
