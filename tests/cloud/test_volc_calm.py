"""Call slots, the circuit breaker, and notices to the operator."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from structlog.typing import EventDict

from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine import LocalCallSlots, OperatorNotice
from bot.engines.volcengine.breaker import CircuitBreaker
from bot.engines.volcengine.call_slots import OnPosition
from bot.engines.volcengine.codes import CallFailedError, policy_for
from bot.engines.volcengine.notices import OperatorNotifier
from tests.cloud.conftest import World, hole, scene
from tests.cloud.standin import WAIT_SECONDS, CloudStandIn


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_twenty_photos_at_once_are_never_more_than_two_in_flight(world: World, cloud: CloudStandIn) -> None:
    cloud.latency = 0.01
    engine = await world.engine(call_slots=LocalCallSlots(2))
    photo, mask = scene(160, 140), hole(160, 140)

    async def erase(number: int) -> None:
        await engine.segmenter.segment(photo)
        await engine.inpainter.inpaint(photo, mask, seed=number)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(erase(number))

    assert cloud.most_in_flight == 2
    assert cloud.codes == [10000] * 40
    assert {call.body["seed"] for call in cloud.calls if "seed" in call.body} == set(range(20))


async def test_retries_stay_within_the_call_slots(world: World, cloud: CloudStandIn) -> None:
    cloud.latency = 0.01
    engine = await world.engine(call_slots=LocalCallSlots(2))
    for fault in (50430, 50500, 50429, 50430):
        cloud.fail_next(fault)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(engine.segmenter.segment(scene(160, 140)))
    assert cloud.most_in_flight == 2
    assert len(cloud.calls) == 12


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(30):
        await asyncio.sleep(0)


async def test_slots_are_given_in_the_order_of_arrival() -> None:
    call_slots = LocalCallSlots(1)
    order: list[int] = []
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def first() -> None:
        async with call_slots.slot():
            entered.set()
            await leave.wait()

    async def later(number: int) -> None:
        async with call_slots.slot():
            order.append(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        await entered.wait()
        for number in range(5):
            group.create_task(later(number))
        await settle()
        leave.set()
    assert order == [0, 1, 2, 3, 4]


async def test_a_waiter_is_told_its_position_in_the_queue() -> None:
    call_slots = LocalCallSlots(1)
    seen: dict[int, list[int]] = {0: [], 1: [], 2: []}
    holders = [asyncio.Event() for _ in range(3)]

    async def use_slot(number: int) -> None:
        async def record(position: int) -> None:
            seen[number].append(position)

        async with call_slots.slot(record):
            await holders[number].wait()

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(use_slot(number))
        await settle()
        holders[0].set()
        await settle()
        holders[1].set()
        holders[2].set()
    assert seen == {0: [], 1: [0], 2: [1, 0]}


async def test_a_cancelled_waiter_leaves_the_queue() -> None:
    call_slots = LocalCallSlots(1)
    positions: list[int] = []

    async def record(position: int) -> None:
        positions.append(position)

    async def pass_through(on_position: OnPosition | None = None) -> None:
        async with call_slots.slot(on_position):
            pass

    async with call_slots.slot():
        cancelled = asyncio.create_task(pass_through())
        behind = asyncio.create_task(pass_through(record))
        await settle()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await settle()
        assert positions == [1, 0]
    await behind
    async with asyncio.timeout(WAIT_SECONDS), call_slots.slot():
        pass


async def test_a_waiter_cancelled_right_after_admission_frees_its_slot() -> None:
    call_slots = LocalCallSlots(1)

    async def pass_through() -> None:
        async with call_slots.slot():
            pass

    async with call_slots.slot():
        waiter = asyncio.create_task(pass_through())
        await settle()
    waiter.cancel()  # admitted when the slot above was left, but not yet awake
    with pytest.raises(asyncio.CancelledError):
        await waiter
    async with asyncio.timeout(WAIT_SECONDS), call_slots.slot():
        pass


async def test_a_cancelled_edit_frees_its_slot(world: World, cloud: CloudStandIn) -> None:
    call_slots = LocalCallSlots(1)
    engine = await world.engine(call_slots=call_slots)
    with cloud.holding():
        edit = asyncio.create_task(engine.segmenter.segment(scene(160, 140)))
        await cloud.wait_for_calls(1)
        edit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await edit
    await engine.segmenter.segment(scene(160, 140))
    assert len(cloud.calls) == 2


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
