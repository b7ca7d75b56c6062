"""Scratch folders of ended processes are removed, whatever their process ids are."""

from __future__ import annotations

import os
from pathlib import Path

from bot.imaging.scratch import ScratchFolder


def test_folders_in_use_stay_and_those_of_ended_processes_go(tmp_path: Path) -> None:
    used = ScratchFolder(tmp_path)
    left, older, other = tmp_path / "run-x", tmp_path / f"run-{os.getpid()}-x", tmp_path / "else"
    for folder in (left, older, other):
        folder.mkdir()
        (folder / "arrays-1").write_bytes(b"x")
    (left / "lock").touch()  # a killed process: its lock is gone, its id may be another's now
    mine = ScratchFolder(tmp_path)
    assert (left.exists(), older.exists()) == (False, False)
    assert (used.path.exists(), mine.path.exists(), other.exists()) == (True, True, True)
    used.remove()
    assert not used.path.exists()
    mine.remove()


def test_a_folder_in_the_systems_temporary_folder_removes_no_other(tmp_path: Path) -> None:
    first, second = ScratchFolder(None), ScratchFolder(None)
    assert first.path.exists()
    for folder in (first, second):
        folder.remove()
        assert not folder.path.exists()
