"""Call slots: a limited number of calls at once, first come, first served."""

from __future__ import annotations

import asyncio

import pytest

from bot.engines.volcengine import LocalCallSlots
from bot.engines.volcengine.call_slots import OnPosition
from tests.cloud.conftest import World, hole, scene
from tests.cloud.standin import WAIT_SECONDS, CloudStandIn


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
