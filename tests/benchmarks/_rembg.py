"""rembg as it is usually used: a session, and `remove` with its switches."""

from __future__ import annotations

import importlib.util
import os
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bot.imaging.photo import Matte, Photo
from tests.benchmarks import _models

SCRIPT = """
import sys
from pathlib import Path
from rembg import new_session, remove
model, folder, *photos = sys.argv[1:]
session = new_session(model)
for photo in map(Path, photos):
    (Path(folder) / photo.stem).with_suffix(".png").write_bytes(remove(photo.read_bytes(), session=session))
"""
"""The script that rembg's documentation gives for a folder of photos."""

TINY = 64


def missing() -> str | None:
    """One line about what is missing, or None."""
    if importlib.util.find_spec("rembg") is None:
        return "Not measured: rembg is not installed."
    return None


def environment(folder: Path) -> dict[str, str]:
    """Set the folder of rembg's files; it would download a missing one."""
    return {"U2NET_HOME": str(folder)}


@cache
def session(model: str, folder: Path) -> Any:
    """A session.

    Args:
        model: Our name of the model.
        folder: Holds its file under rembg's name.
    """
    os.environ.update(environment(folder))
    from rembg import new_session

    return new_session(_models.REMBG[model])


def matte(photo: Photo, model: str, folder: Path, *, post_process: bool = False, alpha_matting: bool = False) -> Matte:
    """The matte that rembg gives a photo; `model` and `folder` as for `session`."""
    from rembg import remove

    image = Image.fromarray(photo.pixels)
    if alpha_matting:
        cut = remove(image, session=session(model, folder), alpha_matting=True, post_process_mask=post_process)
        return np.array(cut.getchannel("A"), np.uint8)
    seen = remove(image, session=session(model, folder), only_mask=True, post_process_mask=post_process)
    return np.array(seen.convert("L"), np.uint8)


def seconds_per_photo(model: str, folder: str, sources: list[str], target: str, switches: dict[str, bool]) -> float:
    """Cut photos out one after the other, file to file; a tiny picture before pays for imports and first calls."""
    held = session(model, Path(folder))
    from rembg import remove

    # Noise, for its matting fails on a flat picture and would compile its loops only afterwards.
    noise = np.random.default_rng(0).integers(0, 256, (TINY, TINY, 3), dtype=np.uint8)
    remove(Image.fromarray(noise), session=held, **switches)
    begun = time.perf_counter()
    for source in sources:
        (Path(target) / "rembg.png").write_bytes(remove(Path(source).read_bytes(), session=held, **switches))
    return (time.perf_counter() - begun) / len(sources)
