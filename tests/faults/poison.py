"""A photo that kills the process that opens it, as a flaw in an image library might."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from bot.edits.pictures import pixels
from bot.imaging.photo import Photo

MARK = b"this one kills"
_load = pixels.load


def load(path: Path, max_megapixels: float, max_bytes: int | None) -> Photo:
    """Replaces `pixels.load`; runs in a pixel process."""
    if path.read_bytes().endswith(MARK):
        with (path.parent.parent / "deaths").open("a") as deaths:
            deaths.write("x")
        os.kill(os.getpid(), signal.SIGSEGV)
    return _load(path, max_megapixels, max_bytes)
