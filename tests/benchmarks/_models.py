"""The learned segmenters' files for the benchmarks: ours and rembg's sessions read the same ones."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from bot.models.files import is_intact
from bot.models.registry import MODELS
from tests.benchmarks._photos import ROOT

FOLDERS = (ROOT / ".models", ROOT / "data" / "models")
"""Where set-up and `python -m bot models download` put model files."""

SMALL = "u2netp"
REMBG = {SMALL: "u2netp", "isnet-general-use": "isnet-general-use", "birefnet-lite": "birefnet-general-lite"}
"""The models that are measured, by our name: what rembg calls them."""


def file(name: str) -> Path | None:
    """A model's file, with the published checksum; None if no folder has it."""
    paths = (folder / MODELS[name].file for folder in FOLDERS)
    return next((path for path in paths if is_intact(MODELS[name], path)), None)


@cache
def only(name: str) -> Path | None:
    """A folder that holds this one model, under our file name and under rembg's; None where its file is missing."""
    path = file(name)
    if path is None:
        return None
    folder = Path(_scratch().name) / name
    folder.mkdir()
    for link in {MODELS[name].file, f"{REMBG[name]}.onnx"}:
        (folder / link).symlink_to(path)
    return folder


def present() -> list[str]:
    """The models whose files are available."""
    return [name for name in REMBG if file(name) is not None]


def missing() -> list[str]:
    """One line about each missing model, for below a table."""
    where = " or ".join(str(folder.relative_to(ROOT)) for folder in FOLDERS)
    return [f"Not measured: {MODELS[name].file} is not in {where}." for name in REMBG if file(name) is None]


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder that exists as long as the process."""
    return tempfile.TemporaryDirectory(prefix="bench-models-")
