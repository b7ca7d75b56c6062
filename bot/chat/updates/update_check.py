"""Checks an update that came by webhook, before anything is done with it.

Telegram sends no absurd values, but who knows the webhook's secret may. python-telegram-bot takes any type for any
field, so a wrong one would break a handler, or the database, much later.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_DEPTH = 40
"""Objects and lists within one another. A reply to a message with buttons has about ten."""

Id = Annotated[int, Field(gt=-(2**52), lt=2**52)]
"""Telegram's ids have at most 52 significant bits."""

Count = Annotated[int, Field(ge=0, lt=2**52)]
Time = Annotated[int, Field(ge=0, lt=2**37)]
"""Seconds since the epoch; later ones are no date to Python on every platform."""

Text = Annotated[str, Field(max_length=16_384)]
Token = Annotated[str, Field(max_length=512)]
"""An identifier such as a file_id."""


class NotAnUpdateError(ValueError):
    """The body is no update that Telegram sends."""


class _Part(BaseModel):
    """A part of an update; fields that the bot does not read may be anything."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Chat(_Part):
    id: Id
    type: Token
    title: Text | None = None


class _User(_Part):
    id: Id
    is_bot: bool
    first_name: Text
    username: Token | None = None
    language_code: Token | None = None


class _Entity(_Part):
    type: Token
    offset: Count
    length: Count


class _File(_Part):
    file_id: Token
    file_unique_id: Token
    file_size: Count | None = None
    file_name: Text | None = None
    mime_type: Token | None = None
    width: Count | None = None
    height: Count | None = None


class _Content(_Part):
    photo: list[_File] | None = None
    document: _File | None = None
    animation: _File | None = None
    sticker: _File | None = None
    video: _File | None = None
    video_note: _File | None = None
    has_media_spoiler: bool | None = None


class _Origin(_Part):
    type: Token
    sender_user: _User | None = None
    sender_chat: _Chat | None = None
    chat: _Chat | None = None


class _Payment(_Part):
    currency: Token
    total_amount: Count
    invoice_payload: Token


class _SuccessfulPayment(_Payment):
    telegram_payment_charge_id: Token
    provider_payment_charge_id: Token


class _RefundedPayment(_Payment):
    telegram_payment_charge_id: Token


class _PreCheckoutQuery(_Payment):
    id: Token
    sender: _User = Field(alias="from")


class _Message(_Content):
    message_id: Id
    date: Time
    chat: _Chat
    sender: _User | None = Field(None, alias="from")
    sender_chat: _Chat | None = None
    text: Text | None = None
    caption: Text | None = None
    entities: list[_Entity] | None = None
    caption_entities: list[_Entity] | None = None
    media_group_id: Token | None = None
    message_thread_id: Id | None = None
    is_topic_message: bool | None = None
    reply_to_message: _Message | None = None
    external_reply: _Content | None = None
    forward_origin: _Origin | None = None
    migrate_to_chat_id: Id | None = None
    migrate_from_chat_id: Id | None = None
    successful_payment: _SuccessfulPayment | None = None
    refunded_payment: _RefundedPayment | None = None


class _CallbackQuery(_Part):
    id: Token
    sender: _User = Field(alias="from")
    message: _Message | None = None
    chat_instance: Token
    data: Text | None = None


class _Update(_Part):
    update_id: Count
    message: _Message | None = None
    callback_query: _CallbackQuery | None = None
    pre_checkout_query: _PreCheckoutQuery | None = None


def read_update(body: bytes) -> dict[str, Any]:
    """The update in a webhook's body.

    Raises:
        json.JSONDecodeError, UnicodeDecodeError: It is no JSON; the body may have been damaged on its way.
        NotAnUpdateError: It is no JSON object, or has values that no update has.
    """
    try:
        data = json.loads(body)
        _check_values(data)
        _Update.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise NotAnUpdateError(f"{'.'.join(map(str, first['loc']))[:100]}: {first['type']}") from None
    except RecursionError:
        raise NotAnUpdateError("too deep") from None
    except (NotAnUpdateError, json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        raise NotAnUpdateError("a number of too many digits") from None
    assert isinstance(data, dict)
    return data


def _check_values(data: object) -> None:
    """Check every value, also those of fields that the bot does not read: the library reads them."""
    left: list[tuple[object, int]] = [(data, 0)]
    while left:
        value, depth = left.pop()
        if depth > MAX_DEPTH:
            raise NotAnUpdateError("too deep")
        if isinstance(value, dict):
            left.extend((part, depth + 1) for pair in value.items() for part in pair)
        elif isinstance(value, list):
            left.extend((part, depth + 1) for part in value)
        elif isinstance(value, str):
            if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
                raise NotAnUpdateError("a text that cannot be stored")
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise NotAnUpdateError("no number")
        elif isinstance(value, int) and abs(value) >= 2**63:
            raise NotAnUpdateError("a number of more than 63 bits")
