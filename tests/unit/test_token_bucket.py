"""The token bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.token_bucket import TokenBucket


def test_reservations_get_a_burst_and_then_wait_in_order() -> None:
    bucket = TokenBucket(rate=1, burst=3)
    assert [bucket.reserve(0) for _ in range(5)] == [0, 0, 0, 1, 2]
    assert bucket.reserve(100) == 0


def test_a_refused_take_costs_nothing() -> None:
    bucket = TokenBucket(rate=0.5, burst=2)
    assert [bucket.try_take(10) for _ in range(4)] == [0, 0, 2, 2]
    assert bucket.try_take(11) == pytest.approx(1)
    assert bucket.try_take(12) == 0


def test_a_paused_bucket_gives_no_token_before_the_pause_ends() -> None:
    bucket = TokenBucket(rate=1, burst=3)
    bucket.pause(0, seconds=10)
    assert bucket.reserve(0) == pytest.approx(10)
    bucket.pause(0, seconds=1)
    assert bucket.reserve(0) == pytest.approx(11), "a shorter pause does not end a longer one"


def test_a_bucket_is_full_again_after_its_tokens_have_come_back() -> None:
    bucket = TokenBucket(rate=2, burst=4)
    assert bucket.is_full(0)
    for _ in range(6):
        bucket.reserve(0)
    assert not bucket.is_full(2.9)
    assert bucket.is_full(3)


@given(st.lists(st.floats(0, 10), max_size=200), st.floats(0.1, 20), st.integers(1, 50))
def test_reserved_tokens_never_exceed_the_burst_and_the_rate(pauses: list[float], rate: float, burst: int) -> None:
    bucket, now, times = TokenBucket(rate, burst), 0.0, []
    for pause in pauses:
        now += pause
        times.append(now + bucket.reserve(now))
    for count, time in enumerate(sorted(times), start=1):
        assert count <= burst + time * rate + 1e-6
