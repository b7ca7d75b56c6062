"""What the repository may hold: a file that is right on one machine only breaks the set-up on every other."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REGULAR_FILE = ("100644", "100755")  # git's modes; a link is 120000, another repository 160000


def test_every_tracked_file_is_a_regular_file() -> None:
    """A link to a folder outside the checkout was committed once: set-up failed wherever that folder was not."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        # An archive of the files, or the copy for another Python version: only git knows which files are tracked.
        pytest.skip("no git here to list the tracked files")
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    entries = [entry.split(maxsplit=3) for entry in listed.split("\0") if entry]
    assert entries
    assert [path for mode, _object, _stage, path in entries if mode not in REGULAR_FILE] == []
