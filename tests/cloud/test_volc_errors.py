"""Every row of the error table: the number of calls, the error raised, and the log."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from structlog.typing import EventDict

from bot.engines import Engine, EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine import DREAM_ERASE
from bot.engines.volcengine.codes import ERROR_POLICIES, POLICIES_WITHOUT_CODE, TASK_LOST, CallFailedError, policy_for
from bot.errors import BotError
from tests.cloud.conftest import World, calls_logged, hole, scene
from tests.cloud.standin import CloudStandIn


@dataclass(frozen=True)
class Row:
    """One row: the fault, the number of calls made, and the error raised."""

    fault: int | str
    calls: int
    error: type[BotError]
    message: str
    operator: bool = False
    code: int | str | None = None

    @property
    def logged(self) -> int | str:
        return self.fault if self.code is None else self.code


REFUSED, UNAVAILABLE = EngineRefusedError, EngineUnavailableError
TABLE = [
    Row(201304, 3, UNAVAILABLE, "cloud-ghost-face"),
    Row("algorithm-201304", 3, UNAVAILABLE, "cloud-ghost-face", code=201304),
    Row(50411, 1, REFUSED, "cloud-refused"),
    Row(50412, 1, REFUSED, "cloud-refused"),
    Row(50413, 1, REFUSED, "cloud-refused"),
    Row(50512, 1, REFUSED, "cloud-refused"),
    Row(60208, 1, REFUSED, "cloud-refused"),
    Row(50518, 1, REFUSED, "cloud-copyright"),
    Row(50511, 3, REFUSED, "cloud-refused-result"),
    Row(50519, 3, REFUSED, "cloud-copyright"),
    Row(50520, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50521, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50522, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50429, 5, UNAVAILABLE, "cloud-busy"),
    Row(50430, 5, UNAVAILABLE, "cloud-busy"),
    Row(50500, 2, UNAVAILABLE, "cloud-unavailable"),
    Row(50501, 2, UNAVAILABLE, "cloud-unavailable"),
    Row(50200, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50201, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50204, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50205, 2, UNAVAILABLE, "cloud-unavailable"),
    Row(50206, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50207, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50213, 2, UNAVAILABLE, "cloud-unavailable"),
    Row(50215, 1, UNAVAILABLE, "cloud-unavailable"),
    Row(50400, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(50402, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(100006, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(100009, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(100010, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(100012, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(100013, 1, UNAVAILABLE, "cloud-unavailable", operator=True),
    Row(100014, 2, UNAVAILABLE, "cloud-unavailable"),
    Row(100016, 2, UNAVAILABLE, "cloud-unavailable"),
    Row(100018, 5, UNAVAILABLE, "cloud-busy"),
    Row(59999, 1, UNAVAILABLE, "cloud-unavailable"),
    Row("hang", 2, UNAVAILABLE, "cloud-unavailable", code="timeout"),
    Row("trickle", 2, UNAVAILABLE, "cloud-unavailable", code="timeout"),
    Row("drop", 2, UNAVAILABLE, "cloud-unavailable", code="connection"),
    Row("drop-half", 2, UNAVAILABLE, "cloud-unavailable", code="connection"),
    Row("html-502", 2, UNAVAILABLE, "cloud-unavailable", code="not-json"),
    Row("html-200", 2, UNAVAILABLE, "cloud-unavailable", code="not-json"),
    Row("truncated", 2, UNAVAILABLE, "cloud-unavailable", code="not-json"),
    Row("null-data", 2, UNAVAILABLE, "cloud-unavailable", code="not-json"),
    Row("no-code", 2, UNAVAILABLE, "cloud-unavailable", code="not-json"),
    Row("list", 2, UNAVAILABLE, "cloud-unavailable", code="not-json"),
    Row("huge", 1, UNAVAILABLE, "cloud-unavailable", code="too-large"),
    Row("redirect", 1, UNAVAILABLE, "cloud-unavailable", operator=True, code="redirect"),
    Row("latin-1", 2, UNAVAILABLE, "cloud-unavailable", code=50500),
]
ROWS = [pytest.param(row, id=str(row.fault)) for row in TABLE]


async def call(engine: Engine, ability: str) -> None:
    photo = scene(160, 140)
    if ability == "segment":
        await engine.segmenter.segment(photo)
    else:
        await engine.inpainter.inpaint(photo, hole(160, 140), seed=3)


def test_every_code_of_the_table_has_a_row() -> None:
    rows = {row.logged for row in TABLE} | {row.fault for row in TABLE}
    gateway_twins = {100002, 100003, 100004, 100005, 100007, 100008, 100015, 100019}
    others = {"no-picture", "task-lost", "task-timeout"}  # tested separately below
    assert (set(ERROR_POLICIES) | set(POLICIES_WITHOUT_CODE)) - rows == gateway_twins | others


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("ability", ["segment", "inpaint"])
async def test_a_failing_call_is_repeated_exactly_as_often_as_its_code_allows(
    world: World, cloud: CloudStandIn, logs: list[EventDict], row: Row, ability: str
) -> None:
    # 30 s suffice for a response on a busy machine; only the rows that hang wait for the whole timeout.
    seconds = 0.8 if row.logged == "timeout" else 30
    engine = await world.engine(read_timeout=seconds, total_timeout=seconds, max_answer_bytes=1 << 20)
    cloud.fail_always(row.fault)

    with pytest.raises(row.error) as raised:
        await call(engine, ability)

    assert type(raised.value) is row.error
    assert raised.value.message_id == row.message
    assert raised.value.facts["code"] == row.logged
    assert raised.value.facts["calls"] == row.calls == len(cloud.calls)
    assert calls_logged(logs) == [(row.logged, attempt) for attempt in range(1, row.calls + 1)]
    for line in logs:
        assert line["req_key"] in ("saliency_seg", "i2i_inpainting")
    failed = [line for line in logs if line["event"] == "volcengine_call_failed"]
    assert all(line["log_level"] == "warning" and line["ms"] >= 0 and "request_id" in line for line in failed)
    if isinstance(row.fault, int):
        assert all(line["request_id"] for line in failed)
    if isinstance(raised.value, EngineUnavailableError):
        assert raised.value.operator_must_act is row.operator
    assert bool(world.notices) is row.operator
    assert [line["code"] for line in logs if line["log_level"] == "error"] == [row.logged] * row.operator


@pytest.mark.parametrize(
    "fault", [50429, 50430, 50500, 50501, 50205, "drop", "drop-half", "html-502", "truncated", "latin-1"]
)
async def test_a_fault_that_passes_raises_nothing(
    world: World, cloud: CloudStandIn, logs: list[EventDict], fault: int | str
) -> None:
    engine = await world.engine()
    cloud.fail_next(fault)
    await call(engine, "inpaint")
    assert len(cloud.calls) == 2
    assert [attempt for _, attempt in calls_logged(logs)] == [1, 2]
    assert calls_logged(logs)[-1] == (10000, 2)
    assert not world.notices


async def test_a_slow_response_is_read_to_its_end(world: World, cloud: CloudStandIn) -> None:
    cloud.fail_next("slow")
    await call(await world.engine(), "inpaint")
    assert len(cloud.calls) == 1


async def test_retry_pauses_grow_and_have_jitter(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_always(50429)
    with pytest.raises(EngineUnavailableError):
        await call(engine, "segment")
    assert len(world.waits) == 4
    for number, wait in enumerate(world.waits):
        assert 0.5 * 2**number <= wait <= 2**number


@pytest.mark.parametrize("fault", [201304, "algorithm-201304", 50511, 50519])
async def test_a_rejected_fill_is_retried_with_another_seed(
    world: World, cloud: CloudStandIn, fault: int | str
) -> None:
    engine = await world.engine()
    cloud.fail_next(fault, times=2)
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=3)
    seeds = [call.body["seed"] for call in cloud.calls]
    assert seeds[0] == 3
    assert len(set(seeds)) == 3


async def test_a_busy_service_is_retried_with_the_same_seed(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next(50430, times=2)
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=3)
    assert [call.body["seed"] for call in cloud.calls] == [3, 3, 3]


async def test_a_picture_found_too_large_is_sent_smaller(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next(50205)
    await engine.segmenter.segment(scene(3000, 2000, noisy=False))
    sizes = [call.pictures[0].size for call in cloud.calls if call.pictures]
    assert sizes == [(1024, 683)]
    assert cloud.codes == [50205, 10000]


async def test_a_picture_that_cannot_be_opened_is_retried_once(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next("bad-picture")
    await call(engine, "inpaint")
    cloud.fail_always("bad-picture")
    with pytest.raises(EngineUnavailableError) as raised:
        await call(engine, "inpaint")
    assert raised.value.facts["code"] == "no-picture"
    assert len(cloud.calls) == 4


async def test_a_fill_without_a_picture_is_retried_once(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_always("no-picture")
    with pytest.raises(EngineUnavailableError) as raised:
        await call(engine, "inpaint")
    assert raised.value.facts["code"] == "no-picture"
    assert len(cloud.calls) == 2


async def test_a_task_that_does_not_finish_in_time_fails(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE, task_timeout=0.0)
    with pytest.raises(EngineUnavailableError) as raised:
        await call(engine, "inpaint")
    assert raised.value.facts["code"] == "task-timeout"
    assert [call.action for call in cloud.calls] == ["CVSync2AsyncSubmitTask", "CVSync2AsyncGetResult"]


async def test_a_blocked_task_is_a_refusal(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE)
    cloud.script(None, None, 50411)
    with pytest.raises(EngineRefusedError) as raised:
        await call(engine, "inpaint")
    assert raised.value.message_id == "cloud-refused"
    assert len(cloud.calls) == 3


@pytest.mark.parametrize(
    "changes", [{"access_key": "AKLTwrong"}, {"secret_key": "wrong"}, {"session_token": "STS2old"}]
)
async def test_wrong_keys_are_reported_to_the_operator(
    world: World, cloud: CloudStandIn, logs: list[EventDict], changes: dict[str, str]
) -> None:
    engine = await world.engine(**changes)
    with pytest.raises(EngineUnavailableError) as raised:
        await call(engine, "segment")
    assert raised.value.operator_must_act
    assert len(cloud.calls) == 1
    (notice,) = world.notices
    assert "VOLC_SECRETKEY" in notice.advice
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["advice"] == notice.advice


async def test_a_wrong_clock_is_reported_with_its_seconds(world: World, cloud: CloudStandIn) -> None:
    cloud.clock_ahead = timedelta(hours=2)
    with pytest.raises(EngineUnavailableError):
        await call(await world.engine(), "segment")
    (notice,) = world.notices
    assert notice.code == 100006
    assert "s behind the cloud's" in notice.advice


async def test_a_refused_connection_means_unavailable(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    await cloud.stop()
    with pytest.raises(EngineUnavailableError) as raised:
        await call(engine, "segment")
    assert raised.value.facts["code"] == "connection"
    assert raised.value.facts["calls"] == 2


async def test_engine_errors_can_be_pickled(world: World, cloud: CloudStandIn) -> None:
    cloud.fail_always(50400)
    with pytest.raises(EngineUnavailableError) as raised:
        await call(await world.engine(), "segment")
    copy: Any = pickle.loads(pickle.dumps(raised.value))
    assert copy.facts == raised.value.facts
    assert copy.operator_must_act


def test_call_errors_can_be_pickled() -> None:
    policy = policy_for(TASK_LOST)
    error = CallFailedError(TASK_LOST, policy, http=200, request_id="R1", text="gone", clock_skew=-3.5)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is CallFailedError
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
