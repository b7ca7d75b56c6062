"""Fake engines that give known answers, and a photo to edit with them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from bot.edits.model import Operation, Stage
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import Job
from bot.edits.ports import ResultFile
from bot.engines import Engine, EngineUnavailableError
from bot.imaging import masks
from bot.imaging.photo import Mask, Matte, Photo
from bot.imaging.pool import PixelPool
from bot.segmentation import FoundObject
from tests.support import encoded, scene

WIDTH, HEIGHT = 320, 240
FILL = (1, 200, 99)


def subject() -> Matte:
    """Where `scene()` has its red block."""
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    matte[HEIGHT // 3 : HEIGHT * 2 // 3, WIDTH // 3 : WIDTH * 2 // 3] = 255
    return matte


@dataclass
class Fake:
    """An engine that answers with a known matte and a known colour, or with trouble."""

    name: str
    matte: Matte = field(default_factory=subject)
    fill: Callable[[Photo], Photo] = lambda photo: photo.with_pixels(np.full_like(photo.pixels, FILL))
    segment_trouble: Exception | None = None
    inpaint_trouble: Exception | None = None
    fills_backgrounds: bool = True
    coarse: bool = False
    sure: bool = True
    asked: list[str] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    keeping: list[bool] = field(default_factory=list)

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        self.asked.append("segment")
        if self.segment_trouble:
            raise self.segment_trouble
        return FoundObject(self.matte, self.sure)

    async def inpaint(self, photo: Photo, mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        self.asked.append("inpaint")
        self.masks.append(mask)
        self.seeds.append(seed)
        self.keeping.append(keeps_subject)
        if self.inpaint_trouble:
            raise self.inpaint_trouble
        return self.fill(photo)

    @property
    def engine(self) -> Engine:
        return Engine(self.name, self, self, self.coarse, self.fills_backgrounds)


class World:
    """Runs jobs on one photo."""

    def __init__(self, pool: PixelPool, folder: Path) -> None:
        self.pool = pool
        self.source = folder / "photo"
        self.target = folder / "answer"
        self.stages: list[Stage] = []
        self.source.write_bytes(encoded(scene(WIDTH, HEIGHT), "PNG"))

    async def _note(self, stage: Stage) -> None:
        self.stages.append(stage)

    async def edit(self, engines: list[Fake], operation: Operation, **job: object) -> ResultFile:
        editor = Editor([fake.engine for fake in engines], self.pool, max_megapixels=50)
        self.stages = []
        return await editor.edit(self.source, Job(operation, **job), self.target, self._note)

    def answer(self) -> Image.Image:
        image = Image.open(io.BytesIO(self.target.read_bytes()))
        image.load()
        return image

    def answered(self) -> np.ndarray:
        return np.asarray(self.answer().convert("RGB"))

    def original(self) -> np.ndarray:
        return np.asarray(Image.open(self.source).convert("RGB"))


def down() -> EngineUnavailableError:
    return EngineUnavailableError("cloud-unavailable")


def inside_and_outside() -> tuple[np.ndarray, np.ndarray]:
    return masks.erode(subject(), 12) > 0, masks.dilate(subject(), 12) == 0
