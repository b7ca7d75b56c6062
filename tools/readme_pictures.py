"""Paint the README's picture: `.venv/bin/python tools/readme_pictures.py` writes docs/before-after.jpg.

One row for each sample picture: as it was, without its subject, without its background; both answers by the local
engine without learned models, through the same editor as in the chat.
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

from bot.edits.editor import Editor
from bot.edits.job import Job
from bot.edits.model import Operation
from bot.engines.local import local_engine
from bot.imaging.encoding import encode
from bot.imaging.opening import open_photo
from bot.imaging.photo import Photo, Pixels
from bot.imaging.pool import PixelPool
from bot.playground import samples

TARGET = ROOT / "docs" / "before-after.jpg"
SHOWN = ("balloon", "boat", "mug")
CELL = (420, 315)
"""Width and height of one picture, in pixels."""
GUTTER = 8
MAX_BYTES = 300_000


async def rows() -> list[list[Pixels]]:
    """Before, without subject, without background, for each sample shown."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        async with PixelPool(workers=1, scratch=scratch / "pool") as pool:
            editor = Editor([local_engine(pool)], pool, max_megapixels=50)
            made = []
            for name in SHOWN:
                source = scratch / f"{name}.jpg"
                source.write_bytes(samples.jpeg(name))
                row = [source]
                for operation in (Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND):
                    row.append(scratch / f"{name}-{operation.value}.jpg")
                    await editor.edit(source, Job(operation=operation), row[-1])
                made.append([open_photo(path, max_megapixels=50).pixels for path in row])
                print(f"· {name}", flush=True)
    return made


def side_by_side(pictures: list[list[Pixels]]) -> Pixels:
    """All pictures on white, a row each: (H, W, 3) uint8."""
    across, down = CELL[0] + GUTTER, CELL[1] + GUTTER
    sheet = np.full((len(pictures) * down - GUTTER, len(pictures[0]) * across - GUTTER, 3), 255, np.uint8)
    for row, line in enumerate(pictures):
        for column, picture in enumerate(line):
            small = cv2.resize(picture, CELL, interpolation=cv2.INTER_AREA)
            top, left = row * down, column * across
            sheet[top : top + CELL[1], left : left + CELL[0]] = small
    return sheet


def smallest_loss(sheet: Pixels) -> bytes:
    """The sheet as the best JPEG that the README can afford."""
    for quality in range(92, 50, -3):
        data = encode(Photo(sheet), "JPEG", quality=quality)
        if len(data) <= MAX_BYTES:
            return data
    raise SystemExit(f"{TARGET.name}: more than {MAX_BYTES} bytes at any quality worth showing")


def main() -> None:
    data = smallest_loss(side_by_side(asyncio.run(rows())))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(data)
    print(f"{TARGET.relative_to(ROOT)}: {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
