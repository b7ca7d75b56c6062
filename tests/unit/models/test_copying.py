"""What set-up has fetched is copied into the models folder, where the program looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.models.files import copy_missing
from bot.models.registry import MODELS

CONTENT = bytes(range(256)) * 4000
FILE = MODELS["u2netp"].file


@pytest.fixture
def brought(tmp_path: Path, publish: Callable[..., None]) -> Path:
    """Set-up's folder, with the published file."""
    publish("u2netp", CONTENT)
    folder = tmp_path / ".models"
    folder.mkdir()
    (folder / FILE).write_bytes(CONTENT)
    return folder


def test_a_missing_file_is_copied_once(brought: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models"
    assert copy_missing(brought, folder) == (folder / FILE,)
    changed = (folder / FILE).stat().st_mtime_ns
    assert copy_missing(brought, folder) == ()
    assert (folder / FILE).stat().st_mtime_ns == changed
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert (folder / FILE).read_bytes() == CONTENT


def test_a_damaged_file_is_replaced(brought: Path, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(CONTENT[:-1] + b"!")
    copy_missing(brought, tmp_path)
    assert (tmp_path / FILE).read_bytes() == CONTENT


def test_a_damaged_file_of_set_up_is_not_copied(brought: Path, tmp_path: Path) -> None:
    (brought / FILE).write_bytes(CONTENT[:-1] + b"!")
    assert copy_missing(brought, tmp_path) == ()
    assert not (tmp_path / FILE).exists()


def test_without_set_ups_folder_nothing_happens(tmp_path: Path) -> None:
    assert copy_missing(tmp_path / "nothing", tmp_path / "models") == ()
    assert not (tmp_path / "models").exists()


def test_several_at_once_leave_one_whole_file_and_readers_never_see_half(brought: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    start, done = threading.Barrier(5, timeout=60), threading.Event()
    sizes: set[int] = set()
    failures: list[OSError] = []

    def read() -> None:
        start.wait()
        while not done.is_set():
            if (folder / FILE).exists():
                sizes.add(len((folder / FILE).read_bytes()))

    def copy() -> None:
        start.wait()
        try:
            copy_missing(brought, folder)
        except OSError as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    copiers = [threading.Thread(target=copy) for _ in range(4)]
    for thread in (reader, *copiers):
        thread.start()
    for thread in copiers:
        thread.join(60)
    done.set()
    reader.join(60)
    assert failures == []
    assert sizes <= {len(CONTENT)}
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_a_folder_that_cannot_be_made_is_an_error(brought: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(NotADirectoryError):
        copy_missing(brought, tmp_path / "data" / "models")
