"""The session token: bound to the person, short, renewed by use, and not for ever."""

from __future__ import annotations

import pytest

from tests.unit.webapp.signing import NOW, TOKEN
from webapp.init_data import Caller
from webapp.tokens import LIFE, LONGEST, RENEW_AFTER, Tokens

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


def test_a_token_says_who_holds_it(tokens: Tokens) -> None:
    token, seconds = tokens.begin(ADA)
    session = tokens.check(token)
    assert session is not None
    assert session.caller == ADA
    assert seconds == LIFE


def test_a_token_ends(tokens: Tokens, clock: Clock) -> None:
    token, seconds = tokens.begin(ADA)
    clock.now += seconds - 1
    assert tokens.check(token) is not None
    clock.now += 1
    assert tokens.check(token) is None


def test_no_letter_of_a_token_can_be_changed(tokens: Tokens) -> None:
    token, _ = tokens.begin(ADA)
    for place, letter in enumerate(token):
        for other in ("0", "9", "A", "."):
            if other != letter:
                assert tokens.check(token[:place] + other + token[place + 1 :]) is None


def test_the_last_letter_has_but_one_form(tokens: Tokens) -> None:
    """256 bits in 43 letters leave two bits over: a lenient decoder would take four last letters for the same."""
    token, _ = tokens.begin(ADA)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [letter for letter in letters if tokens.check(token[:-1] + letter)] == [token[-1]]


@pytest.mark.parametrize("token", ["", ".", "....", "42", "٤٢.1.9999999999.en." + "A" * 43, "42.1.2.en." + "A" * 9999])
def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    assert tokens.check(token) is None


def test_another_bots_token_is_worth_nothing(tokens: Tokens, clock: Clock) -> None:
    token, _ = Tokens("7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ", clock).begin(ADA)
    assert tokens.check(token) is None


def test_use_keeps_a_session_alive_but_not_for_ever(tokens: Tokens, clock: Clock) -> None:
    token, _ = tokens.begin(ADA)
    assert tokens.renew(tokens.check(token)) is None
    renewals = 0
    while (session := tokens.check(token)) is not None:
        fresh = tokens.renew(session)
        if fresh is not None:
            token, seconds = fresh
            assert 0 < seconds <= LIFE
            renewals += 1
        clock.now += RENEW_AFTER
    assert NOW + LONGEST - LIFE <= clock.now <= NOW + LONGEST + RENEW_AFTER
    assert renewals > 10


def test_a_language_that_would_break_the_form_is_left_out(tokens: Tokens) -> None:
    token, _ = tokens.begin(Caller(42, "en.9999999999"))
    session = tokens.check(token)
    assert session is not None
    assert session.caller == Caller(42, "")
