"""The session token: bound to the person, short-lived, renewed by use, limited in total."""

from __future__ import annotations

import pytest

from tests.unit.webapp.signing import NOW, TOKEN
from webapp.init_data import Caller
from webapp.tokens import RENEW_AFTER, SESSION_SECONDS, TOKEN_SECONDS, Tokens

ADA = Caller(42, "zh-hans")


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(TOKEN, clock)


def test_a_token_names_its_person(tokens: Tokens) -> None:
    token, seconds = tokens.begin(ADA)
    session = tokens.check(token)
    assert session is not None
    assert session.caller == ADA
    assert seconds == TOKEN_SECONDS


def test_a_token_expires(tokens: Tokens, clock: Clock) -> None:
    token, seconds = tokens.begin(ADA)
    clock.now += seconds - 1
    assert tokens.check(token) is not None
    clock.now += 1
    assert tokens.check(token) is None


def test_a_token_with_a_changed_character_is_refused(tokens: Tokens) -> None:
    token, _ = tokens.begin(ADA)
    for place, letter in enumerate(token):
        for other in ("0", "9", "A", "."):
            if other != letter:
                assert tokens.check(token[:place] + other + token[place + 1 :]) is None


def test_the_last_character_has_one_valid_form(tokens: Tokens) -> None:
    """43 base64 characters hold 258 bits for 256: a lenient decoder would accept four last characters."""
    token, _ = tokens.begin(ADA)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [letter for letter in letters if tokens.check(token[:-1] + letter)] == [token[-1]]


@pytest.mark.parametrize("token", ["", ".", "....", "42", "٤٢.1.9999999999.en." + "A" * 43, "42.1.2.en." + "A" * 9999])
def test_malformed_tokens_are_refused(tokens: Tokens, token: str) -> None:
    assert tokens.check(token) is None


def test_a_token_of_another_bot_is_refused(tokens: Tokens, clock: Clock) -> None:
    token, _ = Tokens("7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ", clock).begin(ADA)
    assert tokens.check(token) is None


def test_use_renews_a_session_until_its_time_limit(tokens: Tokens, clock: Clock) -> None:
    token, _ = tokens.begin(ADA)
    assert tokens.renew(tokens.check(token)) is None
    renewals = 0
    while (session := tokens.check(token)) is not None:
        fresh = tokens.renew(session)
        if fresh is not None:
            token, seconds = fresh
            assert 0 < seconds <= TOKEN_SECONDS
            renewals += 1
        clock.now += RENEW_AFTER
    assert NOW + SESSION_SECONDS - TOKEN_SECONDS <= clock.now <= NOW + SESSION_SECONDS + RENEW_AFTER
    assert renewals > 10


def test_a_language_tag_that_does_not_fit_the_token_is_left_out(tokens: Tokens) -> None:
    token, _ = tokens.begin(Caller(42, "en.9999999999"))
    session = tokens.check(token)
    assert session is not None
    assert session.caller == Caller(42, "")
