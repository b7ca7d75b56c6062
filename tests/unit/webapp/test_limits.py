"""How much one caller may ask for, and who that caller is."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from webapp.limits import Buckets, address


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 10), max_size=200), st.floats(0.1, 20), st.integers(1, 50))
def test_in_no_time_more_is_allowed_than_the_burst_and_what_came_back(
    pauses: list[float], rate: float, burst: int
) -> None:
    clock = Clock()
    buckets = Buckets(rate, burst, clock=clock)
    allowed = 0
    for pause in pauses:
        clock.now += pause
        allowed += buckets.take("ada") == 0
        assert allowed <= burst + (clock.now - 100) * rate + 1e-6


def test_who_waits_as_told_is_let_in() -> None:
    clock = Clock()
    buckets = Buckets(0.5, 2, clock=clock)
    assert [buckets.take("ada") for _ in range(2)] == [0, 0]
    wait = buckets.take("ada")
    assert wait == pytest.approx(2)
    assert buckets.take("ben") == 0
    clock.now += wait - 0.01
    assert buckets.take("ada") > 0
    clock.now += 0.02
    assert buckets.take("ada") == 0


def test_memory_is_bounded_and_the_busy_are_not_forgotten() -> None:
    buckets = Buckets(0.001, 1, max_keys=10, clock=Clock())
    assert buckets.take("busy") == 0
    for stranger in range(1000):
        assert buckets.take(stranger) == 0
        assert buckets.take("busy") > 0
    assert len(buckets) == 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("8.8.4.4", [], "8.8.4.4"),
        ("8.8.4.4", ["198.51.100.7"], "8.8.4.4"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["6.6.6.6", "198.51.100.7"], "198.51.100.7"),
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("::ffff:8.8.4.4", [], "8.8.4.4"),
        ("127.0.0.1", ["hello"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("", ["198.51.100.7"], "?"),
    ],
)
def test_an_address_is_what_the_last_proxy_has_seen(peer: str, forwarded: list[str], expected: str) -> None:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert address(request) == expected
