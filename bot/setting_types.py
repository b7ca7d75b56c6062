"""The types of the settings: what a value must look like, and what is said if it does not."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from bot.operator_text import OperatorText
from bot.packs import Pack, read_packs
from bot.texts import first_supported


def _read_ids(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not all(re.fullmatch(r"-?\d{1,19}", part) for part in parts):
        raise ValueError(OperatorText("must be comma-separated numbers"))
    return frozenset(int(part) for part in parts)


def _read_networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return frozenset(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError(OperatorText("must be comma-separated addresses or networks")) from None


def _read_packs(value: object) -> object:
    return read_packs(value) if isinstance(value, str) else value


def _read_language(value: object) -> object:
    """Desktops set LANGUAGE for gettext, to a list of locales such as ``zh_CN:en``: the first that the bot speaks."""
    if not isinstance(value, str) or not re.search(r"[:_.@-]", value):
        return value
    return first_supported(value) or "en"


def _read_upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _check_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\d{1,20}:[A-Za-z0-9_-]{10,100}", value.get_secret_value()):
        raise ValueError(OperatorText("is not a bot token; @BotFather shows it by /token"))
    return value


def _check_webhook_secret(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise ValueError(OperatorText("must be 1–256 of A–Z a–z 0–9 _ -"))
    return value


def _check_https(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not _has_host(parts) or parts.username or parts.query or parts.fragment:
        raise ValueError(OperatorText("must be an https address"))
    return value.rstrip("/")


def _check_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not _has_host(parts):
        raise ValueError(OperatorText("must be an address that begins with http:// or https://"))
    return value.rstrip("/")


def _check_proxy(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        is_valid = parts.scheme in ("http", "https", "socks5") and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError(OperatorText("must be an address with a port that begins with http://, https:// or socks5://"))
    return value


def _check_mirror(value: str) -> str:
    parts = urlsplit(value)
    if not _has_host(parts) or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(OperatorText("must be an address without a password"))
    # Every file is checked by its SHA-256, so plain http only costs privacy; it is allowed in private networks.
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_private(parts.hostname or "")):
        raise ValueError(OperatorText("must be an https address (http only on this machine or a private network)"))
    return value.rstrip("/")


def _check_sentry(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://\w+@[\w.-]+(:\d{1,5})?(/[\w.-]+)*/\d+", value.get_secret_value(), re.ASCII):
        raise ValueError(OperatorText("must be the DSN that Sentry shows in the project's settings, under client keys"))
    return value


def _check_database(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://", "sqlite:///")):
        raise ValueError(OperatorText("must start with postgresql:// or sqlite:///"))
    if value.get_secret_value() in ("sqlite:///", "sqlite:///:memory:"):
        raise ValueError(
            OperatorText("must name a file: a database in memory is lost at the end"), "sqlite:///data/bot.sqlite"
        )
    return value


def _has_host(parts: SplitResult) -> bool:
    """Whether an address has a host, and a port that is a number or none."""
    try:
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    """Whether a host is on this machine or in a private network: an address of such a range, or a name without dots."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


UserIds = Annotated[frozenset[int], NoDecode, BeforeValidator(_read_ids)]
Networks = Annotated[frozenset[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_read_networks)]
Packs = Annotated[tuple[Pack, ...], NoDecode, BeforeValidator(_read_packs)]
Language = Annotated[Literal["en", "zh"], BeforeValidator(_read_language)]
UpperCase = BeforeValidator(_read_upper)
BotToken = Annotated[SecretStr, AfterValidator(_check_token)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_check_webhook_secret)]
HttpsAddress = Annotated[str, AfterValidator(_check_https)]
Address = Annotated[str, AfterValidator(_check_address)]
ProxyAddress = Annotated[SecretStr, AfterValidator(_check_proxy)]
MirrorAddress = Annotated[str, AfterValidator(_check_mirror)]
DatabaseAddress = Annotated[SecretStr, AfterValidator(_check_database)]
SentryAddress = Annotated[SecretStr, AfterValidator(_check_sentry)]
