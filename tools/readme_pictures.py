"""Make the README's picture: `.venv/bin/python tools/readme_pictures.py` writes docs/before-after.jpg.

Three real photos above, what the bot made of each below: without its subject, without its background, without what was
painted over. The results are those of the local engine with the learned segmenter that set-up brings, made by the same
editor as in the chat. Needs the photos of scikit-image and scikit-learn (`tools/bootstrap.py bench`) and the lemur that
`tests/benchmarks/_plain.py` names.
"""

# ruff: noqa: E402 - the repository is not installed, so its folder is put on the path before its imports

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.edits.model import Operation
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import Job
from bot.engines.local import local_engine
from bot.imaging.encoding import encode, encode_mask
from bot.imaging.opening import open_photo
from bot.imaging.photo import Mask, Photo, Pixels
from bot.imaging.pool import PixelPool
from bot.models.files import SETUP_FOLDER
from tests.benchmarks import _plain

TARGET = ROOT / "docs" / "before-after.jpg"
CELL = (480, 320)
"""Width and height of one picture, in pixels."""
GUTTER = 8
MAX_BYTES = 300_000

Stroke = tuple[tuple[int, int], ...]
"""The corners of a stroke, px of the photo."""

TOWERS: tuple[Stroke, ...] = (
    ((200, 122), (198, 200), (192, 270), (186, 330), (184, 376)),
    ((447, 122), (452, 200), (458, 270), (464, 330), (470, 400)),
)
"""Two strokes over the towers beside the rocket."""

BRUSH = 42
"""Their width, px of the photo."""

PAINT = (255, 59, 48)


@dataclass(frozen=True, slots=True)
class Example:
    """A photo, and what is done with it.

    Attributes:
        photo: Its name in `_plain`.
        job: The edit.
        painted: The strokes that are painted over it.
    """

    photo: str
    job: Job
    painted: tuple[Stroke, ...] = ()

    @property
    def mask(self) -> Mask:
        """The painted mask, 255 = erased."""
        mask = np.zeros(_plain.photo(self.photo).shape[:2], np.uint8)
        lines = [np.array(stroke, np.int32) for stroke in self.painted]
        cv2.polylines(mask, lines, isClosed=False, color=255, thickness=BRUSH)
        return mask


EXAMPLES = (
    Example("dahlia", Job(Operation.REMOVE_SUBJECT)),
    Example("lemur", Job(Operation.REMOVE_BACKGROUND, finish="#7fb2e5")),
    Example("rocket", Job(Operation.ERASE), TOWERS),
)


async def make() -> list[tuple[Pixels, Pixels]]:
    """Return each photo, with what is painted on it, and its result."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        async with PixelPool(workers=1, scratch=scratch / "pool") as pool:
            editor = Editor([local_engine(pool, models=SETUP_FOLDER)], pool, max_megapixels=50)
            return [await edited(editor, example, scratch) for example in EXAMPLES]


async def edited(editor: Editor, example: Example, folder: Path) -> tuple[Pixels, Pixels]:
    """Return one photo, with what is painted on it, and its result."""
    before = _plain.photo(example.photo)
    source, target, job = folder / f"{example.photo}.png", folder / f"{example.photo}-clean.png", example.job
    cv2.imwrite(str(source), before[..., ::-1])
    if example.painted:
        job = Job(job.operation, mask=encode_mask(example.mask))
        before = np.where(example.mask[..., None] > 0, before * 0.45 + np.array(PAINT) * 0.55, before).astype(np.uint8)
    await editor.edit(source, job, target)
    print(f"· {example.photo}", flush=True)
    return before, open_photo(target, max_megapixels=50).pixels


def filling_a_cell(picture: Pixels) -> Pixels:
    """Scale a picture to fill a cell; what is too much at its sides is cut off."""
    scale = max(CELL[0] / picture.shape[1], CELL[1] / picture.shape[0])
    size = max(CELL[0], round(picture.shape[1] * scale)), max(CELL[1], round(picture.shape[0] * scale))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - CELL[0]) // 2, (size[1] - CELL[1]) // 2
    return np.asarray(scaled[top : top + CELL[1], left : left + CELL[0]], np.uint8)


def before_above_after(pairs: list[tuple[Pixels, Pixels]]) -> Pixels:
    """Return all pictures on white, the photos above their results: (H, W, 3) uint8."""
    across, down = CELL[0] + GUTTER, CELL[1] + GUTTER
    sheet = np.full((2 * down - GUTTER, len(pairs) * across - GUTTER, 3), 255, np.uint8)
    for column, pair in enumerate(pairs):
        for row, picture in enumerate(pair):
            top, left = row * down, column * across
            sheet[top : top + CELL[1], left : left + CELL[0]] = filling_a_cell(picture)
    return sheet


def encode_within_limit(sheet: Pixels) -> bytes:
    """Return the JPEG of the highest quality within `MAX_BYTES`."""
    for quality in range(92, 50, -3):
        data = encode(Photo(sheet), "JPEG", quality=quality)
        if len(data) <= MAX_BYTES:
            return data
    raise SystemExit(f"{TARGET.name}: more than {MAX_BYTES} bytes at every acceptable quality")


def main() -> None:
    if absent := {example.photo for example in EXAMPLES} - set(_plain.names()):
        raise SystemExit(f"not here: {', '.join(sorted(absent))}; see tests/benchmarks/plain/README.md")
    data = encode_within_limit(before_above_after(asyncio.run(make())))
    TARGET.write_bytes(data)
    print(f"{TARGET.relative_to(ROOT)}: {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
