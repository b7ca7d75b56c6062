"""A disk that a test can fill."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk in memory at a new folder until the block ends.

    Args:
        folder: Where; it does not exist yet.
        size: As `mount` reads it, such as ``1m``.
    """
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    if subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=False).returncode != 0:
        pytest.skip("this machine cannot mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
