"""Checks model files against their published checksums, and copies those that set-up has fetched."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from bot.models.registry import MODELS, Model

SETUP_FOLDER = Path(__file__).resolve().parents[2] / ".models"
"""Where ``tools/bootstrap.py`` puts files. Not in DATA_DIR: that may be a volume, which an image cannot fill."""


def is_intact(model: Model, path: Path) -> bool:
    """Whether the file exists and has the published size and SHA-256.

    Reads a file once per process (0.1 s for MI-GAN's 28 MB); a file that changed is read again.
    """
    try:
        facts = path.stat()
    except OSError:
        return False
    return facts.st_size == model.size and _has_sha256(path, model.sha256, facts.st_size, facts.st_mtime_ns)


def copy_missing(source: Path, folder: Path) -> tuple[Path, ...]:
    """Copy the models that set-up has fetched into the models folder, where they are missing or damaged.

    Each file appears atomically, so that several processes may do this at once and no reader sees copy a file.

    Args:
        source: Folder of set-up's files; it may not exist.
        folder: The models folder; created when there is a file to copy.

    Returns:
        The files that were copied.

    Raises:
        OSError: The folder cannot be written.
    """
    copied = []
    for model in MODELS.values():
        source_file, target = source / model.file, folder / model.file
        if not source_file.is_file() or is_intact(model, target) or not is_intact(model, source_file):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".copy-") as scratch:
            copy = shutil.copyfile(source_file, Path(scratch) / model.file)
            os.replace(copy, target)
        copied.append(target)
    return tuple(copied)


@lru_cache(maxsize=64)
def _has_sha256(path: Path, expected: str, _size: int, _changed: int) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == expected
    except OSError:
        return False
