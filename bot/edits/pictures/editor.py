"""Changes a photo: segment → mask → inpaint → composite → finish, with several engines in order.

When something is erased, the engine's answer is pasted through the feathered mask; outside it the pixels are the
photo's own (docs/decisions.md#only-masked-pixels-change).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.edits.finishes import WITH_ALPHA
from bot.edits.model import MAX_MASK_BYTES, Operation, Stage
from bot.edits.pictures import chat_pictures, pixels, results
from bot.edits.pictures.engine_fallback import EngineFallback
from bot.edits.pictures.job import DoubtfulFindError, Job
from bot.edits.pictures.mask_storage import STORED_MATTE_SIDE
from bot.edits.ports import ResultFile
from bot.engines import Engine, EngineUnavailableError
from bot.imaging.encoding import encode_mask
from bot.imaging.photo import Mask, Matte, Photo, Pixels
from bot.imaging.pool import PixelPool
from bot.segmentation import FoundObject


async def _ignore_stage(_stage: Stage) -> None:
    return None


class Editor:
    """Changes photos.

    Args:
        engines: The engines that segment and inpaint; each is the fallback of the one before.
        pool: Runs the pixel work.
        max_megapixels: Larger photos are refused before decoding.
        models: Folder of learned models, used to find the objects that a person chooses from; None: none are used.
        matte_side: Long side in pixels of a returned matte; None: the photo's own.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        pool: PixelPool,
        *,
        max_megapixels: float,
        models: Path | None = None,
        matte_side: int | None = STORED_MATTE_SIDE,
    ) -> None:
        self._engines = tuple(engines)
        self._pool = pool
        self._max_megapixels = max_megapixels
        self._models = models
        self._matte_side = matte_side

    async def load(self, source: Path) -> Photo:
        """Open an untrusted file.

        Raises:
            PersonError: It is not a photo that can be used.
        """
        return await pixels.open_in_pool(self._pool, source, self._max_megapixels)

    async def painted_mask(
        self, source: Path, painted: Path, *, is_kept: bool = False, found: bytes | None = None, sure: bool = False
    ) -> bytes:
        """The paint on a copy of a photo, as a mask PNG; see `pixels.painted_copy_to_mask_png`.

        Raises:
            PersonError: ``nothing-painted``, ``not-the-same-photo`` (with `is_kept`: ``keep-…``), or a file cannot be
                opened.
        """
        return await self._pool.run(
            pixels.painted_copy_to_mask_png,
            source,
            painted,
            self._max_megapixels,
            is_kept=is_kept,
            found=found,
            sure=sure,
        )

    async def highlight_subject(self, source: Path, matte: bytes) -> bytes:
        """The photo with the found subject highlighted, as a JPEG for a chat."""
        return await self._pool.run(
            chat_pictures.highlight_subject, source, matte, self._max_megapixels, chat_pictures.CHAT_SIDE
        )

    async def find_objects(self, source: Path, maps: Path | None) -> list[bytes]:
        """The objects that stand out in a photo, best first, as matte PNGs; `maps` as in `Job`."""
        side = self._matte_side or STORED_MATTE_SIDE
        return await self._pool.run(pixels.find_object_mattes, source, self._max_megapixels, self._models, maps, side)

    async def number_objects(self, source: Path, mattes: Sequence[bytes]) -> bytes:
        """The photo with the objects outlined and numbered, as a JPEG for a chat."""
        return await self._pool.run(
            chat_pictures.number_objects, source, mattes, self._max_megapixels, chat_pictures.CHAT_SIDE
        )

    async def join_mattes(self, mattes: Sequence[bytes]) -> bytes:
        """The mattes of several objects as one."""
        return await self._pool.run(pixels.join_mattes, mattes)

    async def are_same(self, one: bytes, other: bytes) -> bool:
        """Whether two stored mattes or masks of one photo select nearly the same."""
        return await self._pool.run(pixels.are_same, one, other)

    async def edit(
        self,
        source: Path,
        job: Job,
        target: Path,
        on_stage: Callable[[Stage], Awaitable[None]] = _ignore_stage,
    ) -> ResultFile:
        """Change the photo in `source` and write the result to `target`.

        Raises:
            PersonError: The photo or the mask cannot be used, or nothing was found.
            DoubtfulFindError: The find is doubtful, and the job does not accept that.
            EngineUnavailableError: No engine could answer.
            EngineRefusedError: The engine refused the photo.
            WorldError: The pixel work took too long, or its process died.
        """
        photo = await self.load(source)
        engines = EngineFallback(self._engines)
        if job.operation is Operation.REMOVE_BACKGROUND:
            result = await self._remove_background(photo, job, target, engines, on_stage)
        else:
            result = await self._erase(photo, job, target, engines, on_stage)
        if photo.frames > 1:
            return replace(result, notes=("note-first-frame", *result.notes))
        if photo.pictures > 1:
            return replace(result, notes=("note-main-picture", *result.notes))
        return result

    async def _find(
        self, photo: Photo, job: Job, engines: EngineFallback, on_stage: Callable[[Stage], Awaitable[None]]
    ) -> tuple[FoundObject, Engine | None]:
        if job.mask is not None and job.mask_is_matte:
            return FoundObject(await self._pool.run(pixels.read_matte, job.mask, photo.width, photo.height)), None
        if job.mask is not None:
            is_kept = job.operation is Operation.REMOVE_BACKGROUND
            painted = await self._pool.run(
                pixels.painted_mask, job.mask, photo.width, photo.height, MAX_MASK_BYTES, is_kept
            )
            return FoundObject(painted), None
        await on_stage(Stage.SEGMENTING)

        async def ask(engine: Engine) -> FoundObject:
            found = await engine.segmenter.segment(photo, map_file=job.maps)
            _check_size(photo, found.matte, engine)
            return found

        return await engines.ask(ask)

    async def _erase(
        self,
        photo: Photo,
        job: Job,
        target: Path,
        engines: EngineFallback,
        on_stage: Callable[[Stage], Awaitable[None]],
    ) -> ResultFile:
        found, finder = await self._find(photo, job, engines, on_stage)
        matte, is_doubtful, has_shadow = found.matte, False, False
        if job.mask is not None and not job.mask_is_matte:
            mask = matte  # painted by hand, which overshoots by itself (docs/volcengine.md#dilate-size)
        else:
            # The engine of a stored matte is unknown: too wide a mask does less harm than a rim that stays.
            coarse = finder.coarse_masks if finder else any(engine.coarse_masks for engine in self._engines)
            shadow_photo = photo if job.operation is Operation.REMOVE_SUBJECT and job.shadow else None
            removal = await self._pool.run(pixels.removal_mask, matte, coarse=coarse, photo=shadow_photo)
            mask, has_shadow = removal.mask, removal.shadow
            is_doubtful = job.mask is None and (removal.doubtful or not found.sure)
            if is_doubtful and not job.accept_doubtful:
                raise await self._doubtful(matte)
        await on_stage(Stage.INPAINTING)
        keeps_subject = job.operation is Operation.ERASE
        filled, engine = await engines.ask(lambda engine: _inpaint(engine, photo, mask, job.seed, keeps_subject))
        written, mask_png = await asyncio.gather(
            self._pool.run(results.erase, photo, filled, mask, target, job.format),
            self._mask_to_store(job, mask, matte),
        )
        result = _result(target, written, engine, engines, is_doubtful=is_doubtful, matte=mask_png)
        return replace(result, notes=(*result.notes, "note-shadow")) if has_shadow else result

    async def _doubtful(self, matte: Matte) -> DoubtfulFindError:
        return DoubtfulFindError(await self._pool.run(pixels.matte_to_png, matte, self._matte_side))

    async def _mask_to_store(self, job: Job, mask: Mask, matte: Matte) -> bytes | None:
        """PNG of a found mask or its matte, to be stored with the edit; None if the job gave the mask."""
        if job.mask is not None:
            return None
        if job.keep_mask:
            return await self._pool.run(encode_mask, mask)
        return await self._pool.run(pixels.matte_to_png, matte, self._matte_side)

    async def _remove_background(
        self,
        photo: Photo,
        job: Job,
        target: Path,
        engines: EngineFallback,
        on_stage: Callable[[Stage], Awaitable[None]],
    ) -> ResultFile:
        found, finder = await self._find(photo, job, engines, on_stage)
        is_doubtful = job.mask is None and (not found.sure or await self._pool.run(pixels.is_doubtful, found.matte))
        if is_doubtful and not job.accept_doubtful:
            raise await self._doubtful(found.matte)
        await on_stage(Stage.INPAINTING)
        matte = await self._pool.run(pixels.refine, photo, found.matte)
        engine = finder or engines.current
        new: Photo | str = job.finish
        if job.own_background is not None:
            new = await self.load(job.own_background)
        elif job.finish == "clean" and engines.current.fills_backgrounds:
            new, engine = await self._inpaint_background(photo, matte, job, engines)
        file_format = job.format
        if (job.finish == "mask" and file_format is None) or (
            job.finish in WITH_ALPHA and (file_format or photo.format) == "JPEG"
        ):
            file_format = "PNG"
        written = await self._pool.run(results.replace_background, photo, matte, new, target, file_format, job.seed)
        mask_png = await self._pool.run(pixels.matte_to_png, matte, self._matte_side) if job.mask is None else None
        return _result(target, written, engine, engines, is_doubtful=is_doubtful, matte=mask_png)

    async def _inpaint_background(
        self, photo: Photo, matte: Matte, job: Job, engines: EngineFallback
    ) -> tuple[Photo | str, Engine]:
        hole = await self._pool.run(pixels.background_mask, matte)

        async def ask(engine: Engine) -> Photo | str:
            if not engine.fills_backgrounds:
                return job.finish  # a backdrop is made of the background's colours instead
            return await _inpaint(engine, photo, hole, job.seed)

        return await engines.ask(ask)


async def _inpaint(engine: Engine, photo: Photo, mask: Mask, seed: int, keeps_subject: bool = False) -> Photo:
    filled = await engine.inpainter.inpaint(photo, mask, seed=seed, keeps_subject=keeps_subject)
    _check_size(photo, filled.pixels, engine)
    return filled


def _check_size(photo: Photo, answer: Pixels | Matte, engine: Engine) -> None:
    """Refuse an answer of another size: its pixels cannot be matched to the photo's."""
    if answer.shape[:2] != photo.pixels.shape[:2]:
        size = f"{answer.shape[1]}×{answer.shape[0]}"
        raise EngineUnavailableError("cloud-unavailable", engine=engine.name, reason=f"answered {size}")


def _result(
    target: Path,
    written: results.WrittenPicture,
    engine: Engine,
    engines: EngineFallback,
    *,
    is_doubtful: bool,
    matte: bytes | None,
) -> ResultFile:
    notes = []
    if engines.has_fallen_back:
        notes.append("note-cloud-down")
    if is_doubtful:
        notes.append("note-doubtful")
    return ResultFile(target, written.format, written.width, written.height, engine.name, tuple(notes), matte)
