"""The doctor tells when DATA_DIR nears its bound, and what to do at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.doctor import Finding, findings
from bot.settings import Settings

ENOUGH = {"data_max_mb": 200}


async def disk_finding(folder: Path, **changes: object) -> Finding:
    settings = Settings(_env_file=None, data_dir=folder, **{**ENOUGH, **changes})
    return next(found for found in [finding async for finding in findings(settings)] if found.subject == "disk")


@pytest.mark.parametrize(
    ("size", "level", "words"),
    [
        (0, "ok", "DATA_DIR takes 0.0 of 0.2 GB"),
        (170_000_000, "warn", "raise DATA_MAX_MB"),
        (201_000_000, "fail", "no new photos are accepted"),
    ],
)
async def test_the_doctor_tells_how_full_the_folder_is(tmp_path: Path, size: int, level: str, words: str) -> None:
    with (tmp_path / "masks").open("wb") as file:
        file.truncate(size)
    found = await disk_finding(tmp_path)
    assert found.level == level
    assert words in found.text


async def test_the_doctor_warns_of_a_disk_that_is_smaller_than_the_bound(tmp_path: Path) -> None:
    found = await disk_finding(tmp_path, data_max_mb=10**9)
    assert found.level == "warn"
    assert "smaller than DATA_MAX_MB" in found.text
