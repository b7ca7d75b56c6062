"""Make the README's picture: `.venv/bin/python tools/readme_pictures.py` writes docs/before-after.jpg.

One row per sample picture: the original, without subject, without background. The results are those of the local engine
without learned models, made by the same editor as in the chat.
"""

# ruff: noqa: E402 - the repository is not installed, so its folder is put on the path before its imports

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.edits.model import Operation
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import Job
from bot.engines.local import local_engine
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo, Pixels
from bot.imaging.pool import PixelPool
from bot.playground import samples

TARGET = ROOT / "docs" / "before-after.jpg"
SAMPLES = ("balloon", "boat", "mug")
CELL = (420, 315)
"""Width and height of one picture, in pixels."""
GUTTER = 8
MAX_BYTES = 300_000


async def make_rows() -> list[list[Pixels]]:
    """Return a row per sample: original, without subject, without background."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        async with PixelPool(workers=1, scratch=scratch / "pool") as pool:
            editor = Editor([local_engine(pool)], pool, max_megapixels=50)
            result = []
            for name in SAMPLES:
                source = scratch / f"{name}.jpg"
                source.write_bytes(samples.jpeg(name))
                row = [source]
                for operation in (Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND):
                    row.append(scratch / f"{name}-{operation.value}.jpg")
                    await editor.edit(source, Job(operation=operation), row[-1])
                result.append([open_photo(path, max_megapixels=50).pixels for path in row])
                print(f"· {name}", flush=True)
    return result


def side_by_side(pictures: list[list[Pixels]]) -> Pixels:
    """Return all pictures on white, one row per sample: (H, W, 3) uint8."""
    across, down = CELL[0] + GUTTER, CELL[1] + GUTTER
    sheet = np.full((len(pictures) * down - GUTTER, len(pictures[0]) * across - GUTTER, 3), 255, np.uint8)
    for row, line in enumerate(pictures):
        for column, picture in enumerate(line):
            small = cv2.resize(picture, CELL, interpolation=cv2.INTER_AREA)
            top, left = row * down, column * across
            sheet[top : top + CELL[1], left : left + CELL[0]] = small
    return sheet


def encode_within_limit(sheet: Pixels) -> bytes:
    """Return the JPEG of the highest quality within `MAX_BYTES`."""
    for quality in range(92, 50, -3):
        data = encode(Photo(sheet), "JPEG", quality=quality)
        if len(data) <= MAX_BYTES:
            return data
    raise SystemExit(f"{TARGET.name}: more than {MAX_BYTES} bytes at every acceptable quality")


def main() -> None:
    data = encode_within_limit(side_by_side(asyncio.run(make_rows())))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(data)
    print(f"{TARGET.relative_to(ROOT)}: {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
