"""Mutated files are opened or refused in words. `make fuzz` tries more of them; this is its short form."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from bot.errors import UnusableInputError
from tests.fuzz import judging
from tests.fuzz.judging import judge_all, pixel_pool
from tests.fuzz.mutations import mutated
from tests.fuzz.originals import originals

SEED, COUNT = 1, 300
FINDS = Path(__file__).parents[2] / "fuzz" / "finds"


async def test_mutated_files_are_opened_or_refused_in_words(tmp_path: Path) -> None:
    files = ((f"{number} of {name}", data) for number, (name, data) in ((n, mutated(SEED, n)) for n in range(COUNT)))
    outcomes: dict[str, int] = {}
    async with pixel_pool(tmp_path) as pool:
        async for name, _, judgement in judge_all(pool, files):
            assert not judgement.fault, f"{name}: {judgement.fault}"
            outcomes[judgement.outcome] = outcomes.get(judgement.outcome, 0) + 1
    assert sum(outcomes.values()) == COUNT
    assert outcomes["opened"] > COUNT / 10, "most mutations break the file at its start: nothing deep is reached"
    assert outcomes["photo-broken"] > COUNT / 10


async def test_files_that_were_a_fault_once_are_none_now(tmp_path: Path) -> None:
    files = [(path.name, path.read_bytes()) for path in sorted(FINDS.glob("*.bin"))]
    async with pixel_pool(tmp_path) as pool:
        async for name, _, judgement in judge_all(pool, files):
            assert not judgement.fault, f"{name}: {judgement.fault}"


async def test_the_pictures_that_are_mutated_are_themselves_opened(tmp_path: Path) -> None:
    made = [(name, data) for name, data in originals().items() if " " in name or name.isalpha()]
    assert len(made) > 30
    async with pixel_pool(tmp_path) as pool:
        async for name, _, judgement in judge_all(pool, made):
            assert (judgement.outcome, judgement.fault) == ("opened", ""), name


def test_a_mutation_is_the_same_each_time_and_another_for_each_number() -> None:
    assert mutated(5, 6) == mutated(5, 6)
    assert len({mutated(5, number)[1] for number in range(50)}) == 50


@pytest.mark.parametrize(
    ("where", "value", "fault"),
    [
        ("open_photo", Mock(side_effect=ValueError("deep inside")), "ValueError: deep inside"),
        ("open_photo", Mock(side_effect=UnusableInputError("photo-odd")), "unknown code"),
        ("open_photo", Mock(side_effect=UnusableInputError("photo-too-large")), "no text in"),
        ("open_photo", Mock(side_effect=UnusableInputError("photo-broken", why="MemoryError")), "out of memory"),
        ("encode", Mock(side_effect=OSError("no encoder")), "OSError: no encoder"),
        ("MAX_SECONDS", -1.0, "took 0."),
        ("MAX_MEGABYTES", 1, "MB"),
    ],
)
def test_each_kind_of_fault_is_seen(monkeypatch: pytest.MonkeyPatch, where: str, value: object, fault: str) -> None:
    data = originals()["png"]
    assert judging.judge(data).fault == ""
    monkeypatch.setattr(judging, where, value)
    assert fault in judging.judge(data).fault


async def test_a_file_that_kills_its_process_is_told_from_those_beside_it(tmp_path: Path) -> None:
    killer = b"kill"
    files = [("one", originals()["png"]), ("two", killer), ("three", originals()["jpeg"])]
    async with pixel_pool(tmp_path) as pool:
        run = pool.run

        async def crash_at_killer(function: object, given: object, **options: object) -> object:
            if given == killer or (isinstance(given, list) and killer in given):
                return await run(os.abort, **options)
            return await run(function, given, **options)  # type: ignore[arg-type]

        pool.run = crash_at_killer  # type: ignore[method-assign, assignment]
        outcomes = {name: judgement.outcome async for name, _, judgement in judge_all(pool, files)}
    assert outcomes == {"one": "opened", "two": "killed", "three": "opened"}
