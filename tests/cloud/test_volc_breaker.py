"""The circuit breaker, notices to the operator, and the metrics."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from structlog.typing import EventDict

from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine import DREAM_ERASE, OperatorNotice
from bot.engines.volcengine.breaker import CircuitBreaker
from bot.engines.volcengine.codes import CallFailedError, policy_for
from bot.engines.volcengine.notices import OperatorNotifier
from tests.cloud.conftest import World, hole, scene
from tests.cloud.standin import CloudStandIn


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_the_breaker_opens_after_five_failed_edits(
    world: World, cloud: CloudStandIn, logs: list[EventDict]
) -> None:
    engine = await world.engine()
    cloud.fail_always("drop")
    for _ in range(5):
        with pytest.raises(EngineUnavailableError):
            await engine.segmenter.segment(scene(160, 140))
    assert len(cloud.calls) == 10

    for _ in range(5):
        with pytest.raises(EngineUnavailableError) as raised:
            await engine.segmenter.segment(scene(160, 140))
        assert raised.value.message_id == "cloud-unavailable"
        assert raised.value.facts["calls"] == 0
        assert raised.value.facts["breaker"] == "open"
    assert len(cloud.calls) == 10, "no calls while the breaker is open"
    assert [line["event"] for line in logs].count("volcengine_breaker_opened") == 1
    assert REGISTRY.get_sample_value("volcengine_breaker_open", {"req_key": "saliency_seg"}) == 1


async def test_after_the_cooldown_a_successful_call_closes_the_breaker(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(breaker_threshold=1, breaker_cooldown=0.0)
    cloud.fail_next("drop", times=2)
    with pytest.raises(EngineUnavailableError):
        await engine.segmenter.segment(scene(160, 140))
    await engine.segmenter.segment(scene(160, 140))
    await engine.segmenter.segment(scene(160, 140))
    assert cloud.codes == ["drop", "drop", 10000, 10000]


async def test_refusals_and_bad_requests_do_not_open_the_breaker(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(breaker_threshold=1)
    for fault in (50411, 201304, 50207, 50400, 100009):
        cloud.fail_always(fault)
        with pytest.raises((EngineRefusedError, EngineUnavailableError)):
            await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)
    cloud.fail_always(None)
    await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)


def down() -> EngineUnavailableError:
    return EngineUnavailableError("cloud-busy", code=50430, down=True, operator_must_act=False)


def fail(breaker: CircuitBreaker) -> None:
    with pytest.raises(EngineUnavailableError), breaker.guard():
        raise down()


def test_one_trial_runs_at_a_time_and_a_failed_one_doubles_the_cooldown() -> None:
    clock = Clock()
    breaker = CircuitBreaker("x", threshold=2, cooldown=30, clock=clock)
    fail(breaker)
    fail(breaker)
    with pytest.raises(EngineUnavailableError) as refused:
        breaker.check()
    assert refused.value.message_id == "cloud-busy"

    clock.now += 30
    breaker.check()
    trial = breaker.guard()
    trial.__enter__()
    with pytest.raises(EngineUnavailableError):
        breaker.check()
    failure = down()
    assert not trial.__exit__(type(failure), failure, None)
    clock.now += 30
    with pytest.raises(EngineUnavailableError):
        breaker.check()
    clock.now += 30
    with breaker.guard():
        pass
    fail(breaker)
    breaker.check()


def test_after_a_cancelled_trial_the_next_call_is_the_trial() -> None:
    clock = Clock()
    breaker = CircuitBreaker("x", threshold=1, cooldown=30, clock=clock)
    fail(breaker)
    clock.now += 31
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    with breaker.guard():
        pass


async def test_the_operator_is_notified_once_an_hour_per_code(logs: list[EventDict]) -> None:
    clock = Clock()
    sent: list[OperatorNotice] = []

    async def send(notice: OperatorNotice) -> None:
        sent.append(notice)

    notifier = OperatorNotifier(send, clock=clock)

    async def fail_with(code: int) -> None:
        await notifier.notify(CallFailedError(code, policy_for(code), request_id="R1"), "saliency_seg")

    for _ in range(5):
        await fail_with(50400)
        await fail_with(100009)
        await fail_with(50429)
        clock.now += 60
    assert [notice.code for notice in sent] == [50400, 100009]
    clock.now += 3600
    await fail_with(50400)
    assert [notice.code for notice in sent] == [50400, 100009, 50400]
    assert len([line for line in logs if line["log_level"] == "error"]) == 3
    assert "R1" in str(sent[0])
    assert "console" in str(sent[0])


async def test_a_notice_that_cannot_be_sent_raises_nothing(logs: list[EventDict]) -> None:
    async def send(_: OperatorNotice) -> None:
        raise RuntimeError("Telegram is down")

    await OperatorNotifier(send).notify(CallFailedError(50400, policy_for(50400)), "saliency_seg")
    assert logs[-1]["event"] == "operator_notice_failed"


async def test_calls_and_retries_are_counted(world: World, cloud: CloudStandIn) -> None:
    def value(name: str, code: str) -> float:
        return REGISTRY.get_sample_value(name, {"req_key": "i2i_inpainting", "code": code}) or 0.0

    before = {code: value("volcengine_calls_total", code) for code in ("50430", "10000", "other")}
    retries = value("volcengine_retries_total", "50430")
    engine = await world.engine()
    cloud.fail_next(50430, times=2)
    await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)
    cloud.fail_next(51234)
    with pytest.raises(EngineUnavailableError):
        await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)

    assert value("volcengine_calls_total", "50430") == before["50430"] + 2
    assert value("volcengine_calls_total", "10000") == before["10000"] + 1
    assert value("volcengine_calls_total", "other") == before["other"] + 1
    assert value("volcengine_retries_total", "50430") == retries + 2
    assert REGISTRY.get_sample_value("volcengine_calls_in_flight") == 0
    assert REGISTRY.get_sample_value("volcengine_waiting_for_slot") == 0


async def test_each_call_is_counted_and_no_poll(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE)
    cloud.fail_next("drop")
    await engine.segmenter.segment(scene(160, 140))
    await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=1)
    assert world.counted == [("saliency_seg", False), ("saliency_seg", True), (DREAM_ERASE, True)]
    assert len(cloud.calls) > len(world.counted), "the polls for the result"
