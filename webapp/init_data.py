"""Checks initData: Telegram's signed statement about the person who opened the page.

The algorithm is core.telegram.org/bots/webapps, "Validating data received via the Mini App". Only ``hash`` is left out
of the check string; ``signature`` stays in, else the published vectors fail. See docs/telegram.md#init-data.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

MAX_LENGTH = 8192
"""Characters; real initData has under a thousand."""

MAX_AGE = 24 * 3600
"""Seconds. Telegram Desktop hands the same initData again when a page is reopened; libraries accept a day, too."""

MAX_CLOCK_LAG = 24 * 3600
"""Seconds by which Telegram's clock may be ahead of this machine's. Only Telegram can sign a date, so a date in the
future means that this machine's clock is slow: the person is let in, and the operator is warned."""

PERSON_LIMIT = 2**52
"""Telegram user ids have at most 52 significant bits (core.telegram.org/bots/api, User)."""

HASH = re.compile(r"[0-9a-f]{64}")
SECONDS = re.compile(r"[1-9][0-9]{0,11}")


class InitDataError(Exception):
    """The initData is not valid. The reason goes to the log only; the caller learns no more than 401."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The person who opened the page, according to Telegram.

    Attributes:
        person: Telegram user id.
        language: Language code of the person's client, as Telegram sends it; "" if there is none.
    """

    person: int
    language: str


class _User(BaseModel):
    """The part of WebAppUser that is used; Telegram may add fields at any time."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[StrictInt, Field(gt=0, lt=PERSON_LIMIT)]
    is_bot: StrictBool = False
    language_code: Annotated[StrictStr, Field(max_length=35)] = ""


@dataclass(frozen=True, slots=True)
class CheckedInitData:
    """What valid initData says.

    Attributes:
        caller: The person.
        age: Seconds since Telegram made it; negative: this machine's clock is behind Telegram's.
    """

    caller: Caller
    age: float


def check_init_data(init_data: str, bot_token: str, *, now: float, max_age: float = MAX_AGE) -> CheckedInitData:
    """Check initData and return the person it names.

    Args:
        init_data: ``Telegram.WebApp.initData``, byte for byte.
        bot_token: The bot whose page was opened.
        now: Seconds since 1970, UTC.
        max_age: Seconds for which initData is valid.

    Raises:
        InitDataError: It is not signed by Telegram for this bot, is older than `max_age`, is from the far future, or
            names no person.
    """
    fields = _parse(init_data)
    given = fields.pop("hash", "")
    if not HASH.fullmatch(given):
        raise InitDataError("no hash")
    text = "\n".join(f"{key}={fields[key]}" for key in sorted(fields))
    secret = hmac.digest(b"WebAppData", bot_token.encode(), hashlib.sha256)
    expected = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, given):
        raise InitDataError("wrong hash")
    age = _age(fields.get("auth_date", ""), now, max_age)
    return CheckedInitData(_caller(fields.get("user", "")), age)


def _parse(init_data: str) -> dict[str, str]:
    """The decoded fields; data that two parsers could read differently is refused."""
    if len(init_data) > MAX_LENGTH or not init_data.isascii():  # all other characters are percent-encoded
        raise InitDataError("too long, or not a query string")
    try:
        pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:  # UnicodeDecodeError among them
        raise InitDataError("not a query string") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InitDataError("a field twice")
    if any("\n" in key or "=" in key for key in fields):
        raise InitDataError("a field's name would break the check string")
    return fields


def _age(auth_date: str, now: float, max_age: float) -> float:
    if not SECONDS.fullmatch(auth_date):
        raise InitDataError("no date")
    age = now - int(auth_date)
    if age > max_age:
        raise InitDataError(f"{age / 3600:.1f} hours old")
    if age < -MAX_CLOCK_LAG:
        raise InitDataError(f"{-age / 3600:.1f} hours in the future")
    return age


def _caller(user: str) -> Caller:
    try:
        known = _User.model_validate_json(user)
    except ValidationError:
        raise InitDataError("no user") from None
    if known.is_bot:
        raise InitDataError("a bot")
    return Caller(known.id, known.language_code)
