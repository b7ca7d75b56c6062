"""Secrets that have a shape are hidden wherever a line holds them, also in a raw request."""

from __future__ import annotations

import logging

import pytest

from bot.engine_wiring import secrets_in, webhook_secret
from bot.logs import RedactingFormatter
from bot.settings import Settings
from webapp.init_data import Caller
from webapp.tokens import Tokens

HASH = "0123456789abcdef" * 4


def _line(message: str) -> str:
    record = logging.LogRecord("aiohttp.server", logging.ERROR, __file__, 1, message, None, None)
    return RedactingFormatter(logging.Formatter(), ()).format(record)


def test_a_session_token_is_hidden_in_a_malformed_request() -> None:
    token, _ = Tokens("12345:" + "a" * 35).begin(Caller(7, "zh-hans"))
    assert token not in _line(f"Invalid header: b'Authorization: Bearer {token}'")


@pytest.mark.parametrize("gap", ["", " "])
def test_the_webhooks_secret_is_hidden_in_a_malformed_request(gap: str) -> None:
    assert "s3cr3t-of-it" not in _line(f"b'X-Telegram-Bot-Api-Secret-Token:{gap}s3cr3t-of-it'")


@pytest.mark.parametrize("proof", [f"hash={HASH}", f"hash%3D{HASH}"])
def test_the_hash_of_init_data_is_hidden(proof: str) -> None:
    assert HASH not in _line(f"auth_date=1&{proof}&more")


def test_other_numbers_stay() -> None:
    assert _line("version 1.2.3, 10.0.0.1, hash=ab") == "version 1.2.3, 10.0.0.1, hash=ab"


def test_derived_secrets_and_the_databases_password_are_known() -> None:
    token = "12345:" + "a" * 35
    address = "postgresql://bot:pass%40word@db/bot"
    settings = Settings(_env_file=None, telegram_bot_token=token, database_url=address)
    found = secrets_in(settings)
    assert {webhook_secret(settings, token), "pass%40word", "pass@word"} <= set(found)
