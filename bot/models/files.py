"""Which model files are in the folder, whether they are what their publishers published, and what set-up brought."""

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


def available(folder: Path) -> tuple[Model, ...]:
    """The models whose files lie in the folder, whole and with the published checksum.

    Reads every file once a process (0.1 s for MI-GAN's 28 MB); a file that changed is read again.
    """
    return tuple(model for model in MODELS.values() if is_sound(model, folder / model.file))


def is_sound(model: Model, path: Path) -> bool:
    """Whether the file is there, of the published size and with the published SHA-256."""
    try:
        facts = path.stat()
    except OSError:
        return False
    return facts.st_size == model.size and _has_sha256(path, model.sha256, facts.st_size, facts.st_mtime_ns)


def copy_missing(source: Path, folder: Path) -> tuple[Path, ...]:
    """Copy the models that set-up brought into the models folder, where it lacks them or holds damaged ones.

    Each file appears in one step, so that several processes may do this at once and no reader sees half a file.

    Args:
        source: Folder of set-up's files; it may be missing.
        folder: The models folder; made when there is something to copy.

    Returns:
        The files that were copied.

    Raises:
        OSError: The folder cannot be written.
    """
    copied = []
    for model in MODELS.values():
        brought, place = source / model.file, folder / model.file
        if not brought.is_file() or is_sound(model, place) or not is_sound(model, brought):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".copy-") as scratch:
            half = shutil.copyfile(brought, Path(scratch) / model.file)
            os.replace(half, place)
        copied.append(place)
    return tuple(copied)


@lru_cache(maxsize=64)
def _has_sha256(path: Path, wanted: str, _size: int, _changed: int) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == wanted
    except OSError:
        return False
