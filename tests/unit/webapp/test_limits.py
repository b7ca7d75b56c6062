"""Rate limits of callers, and the address that identifies a caller."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from webapp.limits import RateLimiter, TrustedProxies


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 10), max_size=200), st.floats(0.1, 20), st.integers(1, 50))
def test_no_more_is_allowed_than_the_burst_and_the_refilled_tokens(
    pauses: list[float], rate: float, burst: int
) -> None:
    clock = Clock()
    limiter = RateLimiter(rate, burst, clock=clock)
    allowed = 0
    for pause in pauses:
        clock.now += pause
        allowed += limiter.try_take("ada") == 0
        assert allowed <= burst + (clock.now - 100) * rate + 1e-6


def test_a_caller_that_waits_as_told_is_allowed() -> None:
    clock = Clock()
    limiter = RateLimiter(0.5, 2, clock=clock)
    assert [limiter.try_take("ada") for _ in range(2)] == [0, 0]
    wait = limiter.try_take("ada")
    assert wait == pytest.approx(2)
    assert limiter.try_take("ben") == 0
    clock.now += wait - 0.01
    assert limiter.try_take("ada") > 0
    clock.now += 0.02
    assert limiter.try_take("ada") == 0


def test_memory_is_bounded_and_busy_callers_are_not_forgotten() -> None:
    limiter = RateLimiter(0.001, 1, max_keys=10, clock=Clock())
    assert limiter.try_take("busy") == 0
    for stranger in range(1000):
        assert limiter.try_take(stranger) == 0
        assert limiter.try_take("busy") > 0
    assert len(limiter) == 10


PROXIES = TrustedProxies([ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("::1")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("8.8.4.4", [], "8.8.4.4"),
        ("8.8.4.4", ["198.51.100.7"], "8.8.4.4"),
        ("192.168.1.9", ["198.51.100.7"], "192.168.1.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["6.6.6.6", "198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        ("127.0.0.1", ["10.1.1.1"], "10.1.1.1"),
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("::ffff:8.8.4.4", [], "8.8.4.4"),
        ("127.0.0.1", ["hello"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("", ["198.51.100.7"], "?"),
    ],
)
def test_the_address_is_the_one_that_the_outermost_trusted_proxy_has_seen(
    peer: str, forwarded: list[str], expected: str
) -> None:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert PROXIES.client_address(request) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("192.168.3.4", True),
        ("fd00::1", True),
        ("8.8.4.4", False),
        ("198.18.0.9", True),
        ("?", False),
    ],
)
def test_an_address_of_this_network_may_be_a_proxy_that_was_not_named(address: str, expected: bool) -> None:
    assert TrustedProxies().may_be_proxy(address) is expected


def test_without_named_proxies_no_header_is_believed() -> None:
    headers = CIMultiDict([("X-Forwarded-For", "198.51.100.7")])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="127.0.0.1")
    assert TrustedProxies().client_address(request) == "127.0.0.1"
