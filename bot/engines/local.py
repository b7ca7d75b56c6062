"""The local engine: segmentation and inpainting on this machine, without a key; model files are optional.

`local_engine` creates it. The pixel work is done by plain functions of `bot.segmentation` and `bot.inpainting` that run
in pixel processes.
"""

from __future__ import annotations

from pathlib import Path

from bot.engines import Engine
from bot.imaging.photo import Mask, Photo
from bot.imaging.pool import PixelPool
from bot.inpainting import exclusion, filling
from bot.segmentation import FoundObject, subject


class LocalSegmenter:
    """Finds subjects in a pool process.

    Args:
        pool: The pixel processes.
        models: Folder of model files; None: no models are used.
    """

    def __init__(self, pool: PixelPool, models: Path | None = None) -> None:
        self._pool = pool
        self._models = models

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        """See `Segmenter.segment`."""
        return await self._pool.run(subject.find_subject, photo, self._models, map_file)


class LocalInpainter:
    """Fills holes in a pool process.

    Args:
        pool: The pixel processes.
        models: Folder of model files; None: no models are used.
    """

    def __init__(self, pool: PixelPool, models: Path | None = None) -> None:
        self._pool = pool
        self._models = models

    async def inpaint(self, photo: Photo, mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        """See `Inpainter.inpaint`."""
        return await self._pool.run(_fill, photo, mask, seed, keeps_subject, self._models)


def _fill(photo: Photo, mask: Mask, seed: int, keeps_subject: bool, models: Path | None) -> Photo:
    stays = subject.find_rough_subject(photo, models) if keeps_subject else None
    excluded = None if stays is None else exclusion.exclusion_mask(mask, stays)
    return filling.fill(photo, mask, seed=seed, exclude=excluded, models=models)


def local_engine(pool: PixelPool, *, models: Path | None = None) -> Engine:
    """Create the local engine.

    Args:
        pool: The pixel processes.
        models: Folder of model files; None: no models are used.
    """
    return Engine(
        name="local",
        segmenter=LocalSegmenter(pool, models),
        inpainter=LocalInpainter(pool, models),
        coarse_masks=True,
        fills_backgrounds=False,
    )
