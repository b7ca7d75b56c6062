"""`doctor` calls each ability once and explains the result."""

from __future__ import annotations

import pytest

from bot.engines.volcengine import DREAM_ERASE, probe
from tests.cloud.conftest import World
from tests.cloud.standin import CloudStandIn


async def test_doctor_calls_each_ability_once(world: World, cloud: CloudStandIn) -> None:
    results = await probe(world.config())
    assert [(result.ability, result.ok) for result in results] == [("saliency_seg", True), ("i2i_inpainting", True)]
    assert cloud.codes == [10000, 10000]
    assert all(result.request_id for result in results)


async def test_doctor_polls_a_submitted_task_once(world: World, cloud: CloudStandIn) -> None:
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
