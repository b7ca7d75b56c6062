"""initData is accepted if and only if Telegram signed it for this bot."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import init_data_py
import pytest

from tests.unit.webapp.signing import NOW, TOKEN, VLADISLAV, check_hash, query, signed
from webapp.init_data import MAX_AGE, MAX_CLOCK_LAG, Caller, InitDataError, check_init_data

# Published with their bots' tokens in the documentation and the tests of tma.js, for this purpose.
PUBLISHED = {
    "without signature": (
        "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8",
        (
            "query_id=AAHdF6IQAAAAAN0XohDhrOrc&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%22%2C%22last_"
            "name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%"
            "3Atrue%7D&auth_date=1662771648&hash=c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"
        ),
        1662771648,
    ),
    "with signature": (
        "7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ",
        (
            "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3"
            "A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C"
            "%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5"
            "C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&"
            "auth_date=1733584787&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6&signature=zL-ucjNyR"
            "EiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ"
        ),
        1733584787,
    ),
    "with signature, another": (
        "7342037359:AAHI25ES9xCOMPokpYoz-p8XVrZUdygo2J4",
        (
            "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3"
            "A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C"
            "%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5"
            "C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&"
            "auth_date=1733509682&signature=TYJxVcisqbWjtodPepiJ6ghziUL94-KNpG8Pau-X7oNNLNBM72APCpi_RKiUlBvcqo5L-LAxIc3dnTz"
            "cZX_PDg&hash=a433d8f9847bd6addcc563bff7cc82c89e97ea0d90c11fe5729cae6796a36d73"
        ),
        1733509682,
    ),
}


GENUINE = signed()
AT = float(NOW)


def accepted(init_data: str, token: str, now: float) -> bool:
    try:
        check_init_data(init_data, token, now=now)
    except InitDataError:
        return False
    return True


def library_accepts(init_data: str, token: str, now: float) -> bool:
    """The verdict of an independent implementation, by the same clock and age."""
    moment = datetime.fromtimestamp(now, UTC)
    return init_data_py.is_valid_by_hash(init_data, token, expires_in=MAX_AGE, now=moment)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vectors_are_accepted(name: str) -> None:
    token, init_data, opened = PUBLISHED[name]
    assert check_init_data(init_data, token, now=opened + 5.0).caller == Caller(279058397, "ru")
    assert library_accepts(init_data, token, opened + 5.0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_vector_with_one_changed_character_is_refused(name: str) -> None:
    token, init_data, opened = PUBLISHED[name]
    for place in range(0, len(init_data), 7):
        letter = "b" if init_data[place] != "b" else "c"
        changed = init_data[:place] + letter + init_data[place + 1 :]
        if parse_qsl(changed, keep_blank_values=True) == parse_qsl(init_data, keep_blank_values=True):
            continue  # another spelling of the same data: %2f for %2F
        assert not accepted(changed, token, opened + 5.0), changed
        assert not library_accepts(changed, token, opened + 5.0), changed


@pytest.mark.parametrize("name", ["with signature", "with signature, another"])
def test_the_signature_field_is_part_of_the_check_string(name: str) -> None:
    token, init_data, opened = PUBLISHED[name]
    without = "&".join(pair for pair in init_data.split("&") if not pair.startswith("signature="))
    assert not accepted(without, token, opened + 5.0)
    assert not library_accepts(without, token, opened + 5.0)


FORGED = {
    "another's id": GENUINE.replace("279058397", "279058398"),
    "a field more": GENUINE + "&chat_type=private",
    "a field less": GENUINE.replace("query_id=AAHdF6IQAAAAAN0XohDhrOrc&", ""),
    "a later date": GENUINE.replace(f"auth_date={NOW}", f"auth_date={NOW + 1}"),
    "another bot's": signed(token="7342037359:AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ"),
    "a second user": GENUINE + "&user=%7B%22id%22%3A1%7D",
    "a second user first": "user=%7B%22id%22%3A1%7D&" + GENUINE,
    "the same user twice": GENUINE + "&" + next(pair for pair in GENUINE.split("&") if pair.startswith("user=")),
    "a second hash": GENUINE + "&hash=" + "0" * 64,
    "no hash": GENUINE.partition("&hash=")[0],
    "an empty hash": GENUINE.partition("&hash=")[0] + "&hash=",
    "a short hash": GENUINE[:-1],
    "a hash of other letters": GENUINE[:-64] + "g" * 64,
    "not a query": "hello",
    "nothing": "",
    "an ampersand too many": GENUINE + "&",
    "a pair without =": GENUINE + "&x",
    "not UTF-8": GENUINE + "&x=%ff",
    "no date": query([("user", "{}"), ("hash", check_hash([("user", "{}")]))]),
    "a date of words": signed(auth_date="yesterday"),
    "a negative date": signed(auth_date="-1"),
    "digits of another script": signed(auth_date="١٧٩٠٠٠٠٠٠٠"),
    "one second too old": signed(auth_date=NOW - MAX_AGE - 1),
    "two days old": signed(auth_date=NOW - 2 * 86400),
    "user is not JSON": signed("hello"),
    "user is a list": signed("[279058397]"),
    "user has no id": signed({"first_name": "Vladislav"}),
    "user's id is a text": signed({**VLADISLAV, "id": "279058397"}),
    "user's id is true": signed({**VLADISLAV, "id": True}),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_old_and_ambiguous_data_is_refused_and_the_library_agrees(name: str) -> None:
    assert not accepted(FORGED[name], TOKEN, AT)
    assert not library_accepts(FORGED[name], TOKEN, AT)


STRICTER = {
    "from the future": signed(auth_date=NOW + MAX_CLOCK_LAG + 1),
    "from far in the future": signed(auth_date="99999999999"),
    "an upper-case hash": GENUINE[:-64] + GENUINE[-64:].upper(),
    "no user": signed(None),
    "user's id is zero": signed({**VLADISLAV, "id": 0}),
    "user's id is negative": signed({**VLADISLAV, "id": -5}),
    "user's id is beyond Telegram's": signed({**VLADISLAV, "id": 2**52}),
    "a bot": signed({**VLADISLAV, "is_bot": True}),
    "a field's name with a line break": signed(more=[("a=1\nb", "2")]),
    "letters that are not escaped": signed().replace("Vladislav", "Владислав"),
}


@pytest.mark.parametrize("name", STRICTER)
def test_data_that_names_no_real_person_is_refused(name: str) -> None:
    """The library does not check these."""
    assert not accepted(STRICTER[name], TOKEN, AT)


GOOD = {
    "just opened": (GENUINE, AT),
    "a day ago, as Telegram Desktop hands it again": (GENUINE, AT + MAX_AGE),
    "by a clock a little behind": (GENUINE, AT - 60),
    "by a clock a day behind": (GENUINE, AT - MAX_CLOCK_LAG),
    "in another order": ("&".join(reversed(GENUINE.split("&"))), AT),
    "with fields to come": (signed(more=[("start_param", "a=b&c"), ("invented_later", "")]), AT),
    "with a plus for a space": (signed(more=[("start_param", "a b")]).replace("a%20b", "a+b"), AT),
    "with Chinese names": (signed({**VLADISLAV, "first_name": "小明"}), AT),
    "with a signature": (signed(more=[("signature", "TYJxVcisqbWjtodPepiJ6g")]), AT),
}


@pytest.mark.parametrize("name", GOOD)
def test_data_signed_by_telegram_is_accepted_and_the_library_agrees(name: str) -> None:
    init_data, now = GOOD[name]
    checked = check_init_data(init_data, TOKEN, now=now)
    assert (checked.caller, checked.age) == (Caller(279058397, "ru"), now - NOW)
    assert library_accepts(init_data, TOKEN, now)


def test_data_signed_by_the_library_is_accepted() -> None:
    user = {"id": 7, "first_name": "Ada & Co = 100 %", "language_code": "zh-hans"}
    made = init_data_py.sign({"user": json.dumps(user), "query_id": "AAH"}, TOKEN, auth_date=NOW)
    assert check_init_data(made, TOKEN, now=AT).caller == Caller(7, "zh-hans")
    assert not accepted(made, TOKEN[:-1] + "x", AT)


def test_the_age_limit_can_be_shorter() -> None:
    assert check_init_data(GENUINE, TOKEN, now=AT + 3600, max_age=3600).age == 3600
    with pytest.raises(InitDataError, match="hours old"):
        check_init_data(GENUINE, TOKEN, now=AT + 3601, max_age=3600)
