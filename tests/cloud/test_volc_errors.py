"""Every row of the error table: how many calls were made, what error comes out, what the log says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from structlog.typing import EventDict

from bot.engines import Engine, EngineRefusedError, EngineUnavailableError
from bot.engines.volcengine import DREAM_ERASE, probe
from bot.engines.volcengine.codes import LABELLED, VERDICTS
from bot.errors import BotError
from tests.cloud.conftest import World, calls_logged, hole, scene
from tests.cloud.standin import CloudStandIn


@dataclass(frozen=True)
class Row:
    """One row: the fault, the calls made before giving up, and the error that comes out."""

    fault: int | str
    calls: int
    error: type[BotError]
    message: str
    operator: bool = False
    code: int | str | None = None

    @property
    def logged(self) -> int | str:
        return self.fault if self.code is None else self.code


REFUSED, DOWN = EngineRefusedError, EngineUnavailableError
TABLE = [
    Row(201304, 3, DOWN, "cloud-ghost-face"),
    Row("algorithm-201304", 3, DOWN, "cloud-ghost-face", code=201304),
    Row(50411, 1, REFUSED, "cloud-refused"),
    Row(50412, 1, REFUSED, "cloud-refused"),
    Row(50413, 1, REFUSED, "cloud-refused"),
    Row(50512, 1, REFUSED, "cloud-refused"),
    Row(60208, 1, REFUSED, "cloud-refused"),
    Row(50518, 1, REFUSED, "cloud-copyright"),
    Row(50511, 3, REFUSED, "cloud-refused-result"),
    Row(50519, 3, REFUSED, "cloud-copyright"),
    Row(50520, 1, DOWN, "cloud-unavailable"),
    Row(50521, 1, DOWN, "cloud-unavailable"),
    Row(50522, 1, DOWN, "cloud-unavailable"),
    Row(50429, 5, DOWN, "cloud-busy"),
    Row(50430, 5, DOWN, "cloud-busy"),
    Row(50500, 2, DOWN, "cloud-unavailable"),
    Row(50501, 2, DOWN, "cloud-unavailable"),
    Row(50200, 1, DOWN, "cloud-unavailable"),
    Row(50201, 1, DOWN, "cloud-unavailable"),
    Row(50204, 1, DOWN, "cloud-unavailable"),
    Row(50205, 2, DOWN, "cloud-unavailable"),
    Row(50206, 1, DOWN, "cloud-unavailable"),
    Row(50207, 1, DOWN, "cloud-unavailable"),
    Row(50213, 2, DOWN, "cloud-unavailable"),
    Row(50215, 1, DOWN, "cloud-unavailable"),
    Row(50400, 1, DOWN, "cloud-unavailable", operator=True),
    Row(50402, 1, DOWN, "cloud-unavailable", operator=True),
    Row(100006, 1, DOWN, "cloud-unavailable", operator=True),
    Row(100009, 1, DOWN, "cloud-unavailable", operator=True),
    Row(100010, 1, DOWN, "cloud-unavailable", operator=True),
    Row(100012, 1, DOWN, "cloud-unavailable", operator=True),
    Row(100013, 1, DOWN, "cloud-unavailable", operator=True),
    Row(100014, 2, DOWN, "cloud-unavailable"),
    Row(100016, 2, DOWN, "cloud-unavailable"),
    Row(100018, 5, DOWN, "cloud-busy"),
    Row(59999, 1, DOWN, "cloud-unavailable"),
    Row("hang", 2, DOWN, "cloud-unavailable", code="timeout"),
    Row("trickle", 2, DOWN, "cloud-unavailable", code="timeout"),
    Row("drop", 2, DOWN, "cloud-unavailable", code="connection"),
    Row("drop-half", 2, DOWN, "cloud-unavailable", code="connection"),
    Row("html-502", 2, DOWN, "cloud-unavailable", code="not-json"),
    Row("html-200", 2, DOWN, "cloud-unavailable", code="not-json"),
    Row("truncated", 2, DOWN, "cloud-unavailable", code="not-json"),
    Row("null-data", 2, DOWN, "cloud-unavailable", code="not-json"),
    Row("no-code", 2, DOWN, "cloud-unavailable", code="not-json"),
    Row("list", 2, DOWN, "cloud-unavailable", code="not-json"),
    Row("huge", 1, DOWN, "cloud-unavailable", code="too-large"),
    Row("redirect", 1, DOWN, "cloud-unavailable", operator=True, code="redirect"),
    Row("latin-1", 2, DOWN, "cloud-unavailable", code=50500),
]
ROWS = [pytest.param(row, id=str(row.fault)) for row in TABLE]


async def wish(engine: Engine, ability: str) -> None:
    photo = scene(160, 140)
    if ability == "segment":
        await engine.segmenter.segment(photo)
    else:
        await engine.inpainter.inpaint(photo, hole(160, 140), seed=3)


def test_every_code_of_the_table_has_a_row() -> None:
    rows = {row.logged for row in TABLE} | {row.fault for row in TABLE}
    gateway_twins = {100002, 100003, 100004, 100005, 100007, 100008, 100015, 100019}
    others = {"no-picture", "task-lost", "task-timeout"}  # have tests of their own below
    assert (set(VERDICTS) | set(LABELLED)) - rows == gateway_twins | others


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("ability", ["segment", "inpaint"])
async def test_a_failing_cloud_is_called_as_often_as_its_code_allows_and_no_more(
    world: World, cloud: CloudStandIn, logs: list[EventDict], row: Row, ability: str
) -> None:
    # Long enough for an answer on a busy machine; only the rows that hang wait for it.
    seconds = 0.8 if row.logged == "timeout" else 30
    engine = await world.engine(read_timeout=seconds, total_timeout=seconds, max_answer_bytes=1 << 20)
    cloud.fail_always(row.fault)

    with pytest.raises(row.error) as raised:
        await wish(engine, ability)

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
async def test_trouble_that_passes_is_never_seen(
    world: World, cloud: CloudStandIn, logs: list[EventDict], fault: int | str
) -> None:
    engine = await world.engine()
    cloud.fail_next(fault)
    await wish(engine, "inpaint")
    assert len(cloud.calls) == 2
    assert [attempt for _, attempt in calls_logged(logs)] == [1, 2]
    assert calls_logged(logs)[-1] == (10000, 2)
    assert not world.notices


async def test_slow_bytes_are_waited_for(world: World, cloud: CloudStandIn) -> None:
    cloud.fail_next("slow")
    await wish(await world.engine(), "inpaint")
    assert len(cloud.calls) == 1


async def test_waits_grow_and_are_jittered(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_always(50429)
    with pytest.raises(EngineUnavailableError):
        await wish(engine, "segment")
    assert len(world.waits) == 4
    for number, wait in enumerate(world.waits):
        assert 0.5 * 2**number <= wait <= 2**number


@pytest.mark.parametrize("fault", [201304, "algorithm-201304", 50511, 50519])
async def test_a_fill_that_went_wrong_is_asked_for_with_another_seed(
    world: World, cloud: CloudStandIn, fault: int | str
) -> None:
    engine = await world.engine()
    cloud.fail_next(fault, times=2)
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=3)
    seeds = [call.body["seed"] for call in cloud.calls]
    assert seeds[0] == 3
    assert len(set(seeds)) == 3


async def test_a_busy_cloud_is_asked_for_the_same_seed_again(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next(50430, times=2)
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=3)
    assert [call.body["seed"] for call in cloud.calls] == [3, 3, 3]


async def test_too_large_a_picture_is_sent_again_smaller(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next(50205)
    await engine.segmenter.segment(scene(3000, 2000, noisy=False))
    sizes = [call.pictures[0].size for call in cloud.calls if call.pictures]
    assert sizes == [(1024, 683)]
    assert cloud.codes == [50205, 10000]


async def test_a_picture_that_cannot_be_opened_is_asked_for_once_more(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_next("bad-picture")
    await wish(engine, "inpaint")
    cloud.fail_always("bad-picture")
    with pytest.raises(EngineUnavailableError) as raised:
        await wish(engine, "inpaint")
    assert raised.value.facts["code"] == "no-picture"
    assert len(cloud.calls) == 4


async def test_a_fill_without_a_picture_is_asked_for_once_more(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    cloud.fail_always("no-picture")
    with pytest.raises(EngineUnavailableError) as raised:
        await wish(engine, "inpaint")
    assert raised.value.facts["code"] == "no-picture"
    assert len(cloud.calls) == 2


async def test_a_task_that_never_ends_is_given_up(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE, task_timeout=0.0)
    with pytest.raises(EngineUnavailableError) as raised:
        await wish(engine, "inpaint")
    assert raised.value.facts["code"] == "task-timeout"
    assert [call.action for call in cloud.calls] == ["CVSync2AsyncSubmitTask", "CVSync2AsyncGetResult"]


async def test_a_blocked_task_is_a_refusal(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE)
    cloud.script(None, None, 50411)
    with pytest.raises(EngineRefusedError) as raised:
        await wish(engine, "inpaint")
    assert raised.value.message_id == "cloud-refused"
    assert len(cloud.calls) == 3


@pytest.mark.parametrize(
    "changes", [{"access_key": "AKLTwrong"}, {"secret_key": "wrong"}, {"session_token": "STS2old"}]
)
async def test_wrong_keys_are_the_operators_turn(
    world: World, cloud: CloudStandIn, logs: list[EventDict], changes: dict[str, str]
) -> None:
    engine = await world.engine(**changes)
    with pytest.raises(EngineUnavailableError) as raised:
        await wish(engine, "segment")
    assert raised.value.operator_must_act
    assert len(cloud.calls) == 1
    (notice,) = world.notices
    assert "VOLC_SECRETKEY" in notice.advice
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["advice"] == notice.advice


async def test_a_wrong_clock_is_named_with_its_seconds(world: World, cloud: CloudStandIn) -> None:
    cloud.clock_ahead = timedelta(hours=2)
    with pytest.raises(EngineUnavailableError):
        await wish(await world.engine(), "segment")
    (notice,) = world.notices
    assert notice.code == 100006
    assert "s behind the cloud's" in notice.advice


async def test_a_cloud_that_is_not_there_is_unavailable(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine()
    await cloud.stop()
    with pytest.raises(EngineUnavailableError) as raised:
        await wish(engine, "segment")
    assert raised.value.facts["code"] == "connection"
    assert raised.value.facts["calls"] == 2


async def test_doctor_calls_each_ability_once_and_is_content(world: World, cloud: CloudStandIn) -> None:
    results = await probe(world.config())
    assert [(result.ability, result.ok) for result in results] == [("saliency_seg", True), ("i2i_inpainting", True)]
    assert cloud.codes == [10000, 10000]
    assert all(result.request_id for result in results)


async def test_doctor_looks_at_a_submitted_task_once(world: World, cloud: CloudStandIn) -> None:
    results = await probe(world.config(inpaint=DREAM_ERASE))
    assert [result.ok for result in results] == [True, True]
    assert len(cloud.calls) == 3


@pytest.mark.parametrize(
    ("fault", "ok", "word"),
    [
        (50400, False, "Open the ability"),
        (100009, False, "VOLC_ACCESSKEY"),
        (100012, False, "policy"),
        (50402, False, "VOLC_INPAINT"),
        (50430, True, "VOLC_CONCURRENCY"),
        (50411, True, "did not like the drawing"),
        (50500, False, "request id"),
        ("drop", False, "VOLC_ENDPOINT"),
        ("html-502", False, "network"),
    ],
)
async def test_doctor_explains_what_is_wrong(
    world: World, cloud: CloudStandIn, fault: int | str, ok: bool, word: str
) -> None:
    cloud.fail_always(fault)
    results = await probe(world.config())
    assert len(cloud.calls) == 2, "doctor does not repeat"
    for result in results:
        assert result.ok is ok
        assert word in result.text
        assert "\n" not in result.text


async def test_errors_travel_between_processes(world: World, cloud: CloudStandIn) -> None:
    import pickle

    cloud.fail_always(50400)
    with pytest.raises(EngineUnavailableError) as raised:
        await wish(await world.engine(), "segment")
    again: Any = pickle.loads(pickle.dumps(raised.value))
    assert again.facts == raised.value.facts
    assert again.operator_must_act
