"""A process that is forked from a prepared one is what a new process would be."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.cli.conftest import environment

SURROUNDINGS = "tests.cli.surroundings"


async def forked_one(folder: Path, values: dict[str, str]) -> tuple[int, dict[str, Any]]:
    process = forked.start("x y", "3", module=SURROUNDINGS, folder=folder, environment=values, new_session=True)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output)


async def new_one(folder: Path, values: dict[str, str]) -> tuple[int, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", SURROUNDINGS, "x y", "3", cwd=folder, env=values, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output)


@pytest.mark.parametrize("settings", [{}, {"PYTHONWARNINGS": "default", "SSL_CERT_FILE": "/none", "PORT": "1"}])
async def test_a_forked_process_has_what_a_new_one_has(tmp_path: Path, settings: dict[str, str]) -> None:
    values = environment(**settings)
    assert await forked_one(tmp_path, values) == await new_one(tmp_path, values)


async def test_what_it_started_before_leaves_no_trace_in_the_next_one(tmp_path: Path) -> None:
    await forked_one(tmp_path, environment(PORT="1"))
    _, found = await forked_one(tmp_path, environment())
    assert "PORT" not in found["environment"]


async def test_a_killed_process_says_so(tmp_path: Path) -> None:
    process = forked.start("run", folder=tmp_path, environment=environment())
    process.kill()
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    process.kill()  # its number may be another process's by now: nothing is sent


def test_an_option_of_the_interpreter_needs_a_new_process(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="PYTHONIOENCODING"):
        forked.start("--help", folder=tmp_path, environment=environment(PYTHONIOENCODING="ascii"))
