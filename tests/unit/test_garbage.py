"""Garbage is not looked for while the program is imported, and again from then on."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import garbage
from tests.cli.conftest import environment
from tests.support import scene


class Ring:
    """Garbage that only a collection finds: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collecting() -> Iterator[None]:
    """Collects as before after the test."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collecting")
def test_what_exists_when_it_resumes_is_never_collected_and_later_garbage_is() -> None:
    garbage.pause()
    early = weakref.ref(Ring())
    assert not gc.isenabled()
    garbage.resume()
    late = weakref.ref(Ring())
    gc.collect()
    assert gc.isenabled()
    assert (early() is None, late() is None) == (False, True)


@pytest.mark.usefixtures("collecting")
def test_resuming_what_was_not_paused_changes_nothing() -> None:
    ring = weakref.ref(Ring())
    garbage.resume()
    gc.collect()
    assert ring() is None


@pytest.mark.parametrize("words", ["doctor", "models", "sweep", "edit remove-background photo.png -o out.png", "run"])
def test_each_command_collects_once_its_modules_are_imported(words: str, tmp_path: Path) -> None:
    scene().save(tmp_path / "photo.png")
    code = (
        "import asyncio, gc, sys, bot.__main__\n"
        "def run(main, *_):\n    main.close()\n    print('paused before:', paused, 'collects:', gc.isenabled())\n"
        "    return 0\n"
        "asyncio.run = run\nasyncio.Runner.run = lambda _runner, main: run(main)\n"
        f"paused = not gc.isenabled()\nsys.exit(bot.__main__.main({words.split()!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "paused before: True collects: True\n", done.stderr


def test_numpy_starts_no_threads() -> None:
    """Its products of matrices are too small for them; each pixel process would have as many as there are cores."""
    code = "import os, bot, numpy; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
