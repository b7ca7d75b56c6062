"""Never too many calls at once, fair waiting, and a cloud that is down is left alone."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from structlog.typing import EventDict

from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine import LocalCallSlots, OperatorNotice
from bot.engines.volcengine.breaker import Breaker
from bot.engines.volcengine.codes import CallFailedError, judge
from bot.engines.volcengine.notices import Notices
from tests.cloud.conftest import World, hole, scene
from tests.cloud.standin import CloudStandIn


class Clock:
    """Seconds that a test moves."""

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


async def test_repetitions_do_not_slip_past_the_gate(world: World, cloud: CloudStandIn) -> None:
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


async def test_the_gate_lets_people_through_in_the_order_they_came() -> None:
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


async def test_waiting_is_visible_as_a_place_in_the_queue() -> None:
    call_slots = LocalCallSlots(1)
    seen: dict[int, list[int]] = {0: [], 1: [], 2: []}
    holders = [asyncio.Event() for _ in range(3)]

    async def person(number: int) -> None:
        async def told(position: int) -> None:
            seen[number].append(position)

        async with call_slots.slot(told):
            await holders[number].wait()

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(person(number))
        await settle()
        holders[0].set()
        await settle()
        holders[1].set()
        holders[2].set()
    assert seen == {0: [], 1: [0], 2: [1, 0]}


async def test_who_goes_away_while_waiting_leaves_no_gap() -> None:
    call_slots = LocalCallSlots(1)
    passed = asyncio.Event()

    async def wait_and_pass() -> None:
        async with call_slots.slot():
            passed.set()

    async with call_slots.slot():
        impatient = asyncio.create_task(wait_and_pass())
        patient = asyncio.create_task(wait_and_pass())
        await settle()
        assert call_slots.waiting == 2
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        assert call_slots.waiting == 1
    await patient
    assert passed.is_set()
    async with asyncio.timeout(1), call_slots.slot():
        pass


async def test_who_is_admitted_and_cancelled_at_once_gives_the_slot_back() -> None:
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
    async with asyncio.timeout(1), call_slots.slot():
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


async def test_a_dead_cloud_is_left_alone_after_five_edits(
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
    assert len(cloud.calls) == 10, "nobody hammers it"
    assert [line["event"] for line in logs].count("volcengine_left_alone") == 1
    assert REGISTRY.get_sample_value("volcengine_breaker_open", {"req_key": "saliency_seg"}) == 1


async def test_after_a_pause_one_call_finds_out_whether_the_cloud_is_back(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(breaker_threshold=1, breaker_pause=0.0)
    cloud.fail_next("drop", times=2)
    with pytest.raises(EngineUnavailableError):
        await engine.segmenter.segment(scene(160, 140))
    await engine.segmenter.segment(scene(160, 140))
    await engine.segmenter.segment(scene(160, 140))
    assert cloud.codes == ["drop", "drop", 10000, 10000]


async def test_an_answer_is_no_dead_cloud_however_unwelcome(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(breaker_threshold=1)
    for fault in (50411, 201304, 50207, 50400, 100009):
        cloud.fail_always(fault)
        with pytest.raises((EngineRefusedError, EngineUnavailableError)):
            await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)
    cloud.fail_always(None)
    await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)


def down() -> EngineUnavailableError:
    return EngineUnavailableError("cloud-busy", code=50430, down=True, operator_must_act=False)


def fail(breaker: Breaker) -> None:
    with pytest.raises(EngineUnavailableError), breaker.guard():
        raise down()


def test_only_one_trial_at_a_time_and_a_failed_one_waits_twice_as_long() -> None:
    clock = Clock()
    breaker = Breaker("x", threshold=2, pause=30, clock=clock)
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


def test_a_cancelled_trial_lets_the_next_one_try() -> None:
    clock = Clock()
    breaker = Breaker("x", threshold=1, pause=30, clock=clock)
    fail(breaker)
    clock.now += 31
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    with breaker.guard():
        pass


async def test_the_operator_is_told_once_an_hour_for_each_code(logs: list[EventDict]) -> None:
    clock = Clock()
    told: list[OperatorNotice] = []

    async def tell(notice: OperatorNotice) -> None:
        told.append(notice)

    notices = Notices(tell, clock=clock)

    async def happen(code: int) -> None:
        await notices.tell(CallFailedError(code, judge(code), request_id="R1"), "saliency_seg")

    for _ in range(5):
        await happen(50400)
        await happen(100009)
        await happen(50429)
        clock.now += 60
    assert [notice.code for notice in told] == [50400, 100009]
    clock.now += 3600
    await happen(50400)
    assert [notice.code for notice in told] == [50400, 100009, 50400]
    assert len([line for line in logs if line["log_level"] == "error"]) == 3
    assert "R1" in str(told[0])
    assert "console" in str(told[0])


async def test_a_notice_that_cannot_be_delivered_costs_nobody_the_answer(logs: list[EventDict]) -> None:
    async def tell(_: OperatorNotice) -> None:
        raise RuntimeError("Telegram is away")

    await Notices(tell).tell(CallFailedError(50400, judge(50400)), "saliency_seg")
    assert logs[-1]["event"] == "operator_not_told"


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
