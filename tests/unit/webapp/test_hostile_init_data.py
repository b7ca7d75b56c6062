"""Any initData is accepted as Telegram signed it, or refused; nothing in it breaks the check."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.unit.webapp.signing import NOW, TOKEN, VLADISLAV, check_hash, query, signed
from webapp.init_data import PERSON_LIMIT, Caller, InitDataError, check_init_data

GENUINE = signed()

any_text = st.text(st.characters(exclude_categories=()), max_size=60)
signable = st.text(max_size=60)
"""Text that can be encoded: Telegram can sign nothing else."""

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | signable,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(signable, inner, max_size=3),
    max_leaves=8,
)
users = st.dictionaries(
    st.sampled_from(["id", "is_bot", "language_code", "first_name"]) | signable, any_json, max_size=5
).map(json.dumps)


def caller(init_data: str) -> Caller | None:
    """Whom it names; None: it is refused. Any other exception fails the test."""
    try:
        return check_init_data(init_data, TOKEN, now=float(NOW)).caller
    except InitDataError:
        return None


@given(
    any_text | st.lists(st.sampled_from(["hash", "user", "=", "&", "%", "%7B", "%ff", "+", ";", "0" * 64])).map("".join)
)
@example("&" * 8192)
@example("hash=" + "0" * 64)
@example("a=\ud800")
def test_unsigned_text_is_refused(text: str) -> None:
    assert caller(text) is None


@given(st.integers(0, len(GENUINE)), st.integers(0, 3), any_text)
def test_changed_data_is_refused_unless_it_means_the_same(start: int, removed: int, added: str) -> None:
    changed = GENUINE[:start] + added + GENUINE[start + removed :]
    assume(changed != GENUINE)
    if caller(changed) is not None:
        assert dict(parse_qsl(changed)) == dict(parse_qsl(GENUINE)), "the same fields, written in another way"


@given(users | signable)
def test_a_signed_user_is_a_person_or_refused(user: str) -> None:
    found = caller(signed(user))
    if found is None:
        return
    told = json.loads(user)
    assert found.person == told["id"]
    assert 0 < found.person < PERSON_LIMIT
    assert not told.get("is_bot")
    assert found.language == told.get("language_code", "")


@given(st.dictionaries(signable, signable, max_size=5))
@example({"a\nuser": "x"})
@example({"a=b": "x"})
@example({"": ""})
def test_signed_fields_of_any_name_change_nothing_about_the_person(fields: dict[str, str]) -> None:
    assume(not fields.keys() & {"hash", "user", "auth_date", "query_id"})
    assert caller(signed(more=list(fields.items()))) in (None, Caller(VLADISLAV["id"], "ru"))  # type: ignore[arg-type]


@given(signable)
@example("١٢٣")
@example("1e9")
@example("-1")
@example("9" * 5000)
def test_a_date_of_any_form_is_taken_or_refused(date: str) -> None:
    if caller(signed(auth_date=date)) is not None:
        assert date.isascii()
        assert date.isdigit()


@given(st.permutations([("auth_date", str(NOW)), ("user", json.dumps(VLADISLAV)), ("user", '{"id": 1}')]))
def test_a_field_that_stands_twice_is_refused(fields: list[tuple[str, str]]) -> None:
    assert caller(query([*fields, ("hash", check_hash(fields))])) is None
