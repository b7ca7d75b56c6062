"""How a photo is changed: segment → mask → inpaint → composite → finish, over a ladder of engines.

The engines' answers are never trusted with the photo: whatever they give back is pasted through the feathered mask, and
outside it the photo's own pixels stand.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import structlog

from bot.edits import pixels
from bot.edits.model import DOUBTFUL, Operation, Stage
from bot.edits.ports import ResultFile
from bot.engines import Engine, EngineUnavailableError
from bot.errors import PersonError
from bot.imaging.encoding import encode_mask
from bot.imaging.photo import Mask, Matte, Photo, PictureFormat, Pixels
from bot.imaging.pool import PixelPool
from bot.segmentation import FoundObject

T = TypeVar("T")
log = structlog.get_logger()

FINISHES = ("clean", "transparent", "white", "blur")


def check_finish(finish: str) -> str:
    """The finish, if it is one: ``clean``, ``transparent``, ``white``, ``blur``, or ``#rrggbb``.

    Raises:
        PersonError: ``unknown-finish``.
    """
    if finish in FINISHES or re.fullmatch(r"#[0-9a-fA-F]{6}", finish):
        return finish
    raise PersonError("unknown-finish", finish=finish[:40])


class DoubtfulFindError(PersonError):
    """What was found may not be what is meant: the person is asked before anything is changed.

    Attributes:
        matte: PNG of what was found, to be shown, and used where the person wants it gone.
    """

    def __init__(self, matte: bytes = b"") -> None:
        super().__init__(DOUBTFUL)
        self.matte = matte

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.matte,)


@dataclass(frozen=True, slots=True)
class Job:
    """One photo's change.

    Attributes:
        operation: What is done.
        finish: What stands where the background was.
        seed: Variants differ in it.
        mask: PNG of what to erase (with ``remove_background``: of the subject), or of the subject's matte; None: it
            is found.
        mask_is_matte: Whether `mask` is a matte of the subject.
        format: The answer's format; None: the photo's own (PNG where it is to be transparent).
        insist: Erase what was found even where it is doubtful.
        shadow: Whether the subject's shadow goes along with it.
        own_background: The picture to stand behind the subject, in place of `finish`.
        maps: A file in which the segmenter keeps what it saw in this photo, for the next look at it; None: it keeps
            nothing.
        keep_mask: Whether a found mask is handed back as it was used, filled and widened (given again it erases the
            same), in place of the matte that it was made from.
    """

    operation: Operation
    finish: str = "clean"
    seed: int = 0
    mask: bytes | None = None
    mask_is_matte: bool = False
    format: PictureFormat | None = None
    insist: bool = False
    shadow: bool = True
    own_background: Path | None = None
    maps: Path | None = None
    keep_mask: bool = False


async def _nobody_watches(_stage: Stage) -> None:
    return None


@dataclass(slots=True)
class _Ladder:
    """The engines in order; one that could not answer is not asked again within the same edit."""

    engines: Sequence[Engine]
    first: str = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.engines[0].name

    async def climb(self, ask: Callable[[Engine], Awaitable[T]]) -> tuple[T, Engine]:
        """The first answer, and whose it is; the last engine's refusal where none answers."""
        while True:
            engine = self.engines[0]
            try:
                return await ask(engine), engine
            except EngineUnavailableError as error:
                if len(self.engines) == 1:
                    raise
                log.warning("engine_unavailable", engine=engine.name, reason=str(error), next=self.engines[1].name)
                self.engines = self.engines[1:]


class Editor:
    """Changes photos.

    Args:
        engines: Who segments and inpaints; each is the fallback of the one before.
        pool: Where pixels are worked on.
        max_megapixels: Larger photos are refused before decoding.
        max_mask_bytes: Larger painted masks are refused before decoding.
        models: Folder of learned models, for the things that a person chooses from; None: none are used.
        matte_side: Long side in pixels that a found matte is handed back at; None: the photo's own.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        pool: PixelPool,
        *,
        max_megapixels: float,
        max_mask_bytes: int = 5_000_000,
        models: Path | None = None,
        matte_side: int | None = pixels.STORED_MATTE_SIDE,
    ) -> None:
        self._engines = tuple(engines)
        self._pool = pool
        self._max_megapixels = max_megapixels
        self._max_mask_bytes = max_mask_bytes
        self._models = models
        self._matte_side = matte_side

    async def load(self, source: Path) -> Photo:
        """Open a stranger's file; `PersonError` where it cannot be a photo."""
        return await self._pool.run(pixels.load, source, self._max_megapixels, None)

    async def painted_mask(
        self, source: Path, painted: Path, *, keeps: bool = False, found: bytes | None = None
    ) -> bytes:
        """What was painted on a copy of a photo, as a mask PNG; see `pixels.painted_png`.

        Raises:
            PersonError: ``nothing-painted``, ``not-the-same-photo`` (with `keeps`: ``keep-…``), or a file cannot be
                opened.
        """
        return await self._pool.run(pixels.painted_png, source, painted, self._max_megapixels, keeps=keeps, found=found)

    async def pointed_out(self, source: Path, matte: bytes) -> bytes:
        """The photo with what was found in it pointed out, as a JPEG for a chat."""
        return await self._pool.run(pixels.pointed_out, source, matte, self._max_megapixels, pixels.SHOWN_SIDE)

    async def things(self, source: Path, maps: Path | None) -> list[bytes]:
        """The things that stand out in a photo, best first, as matte PNGs; `maps` as in `Job`."""
        side = self._matte_side or pixels.STORED_MATTE_SIDE
        return await self._pool.run(pixels.found_things, source, self._max_megapixels, self._models, maps, side)

    async def numbered(self, source: Path, mattes: Sequence[bytes]) -> bytes:
        """The photo with things outlined and numbered, as a JPEG for a chat."""
        return await self._pool.run(pixels.numbered, source, mattes, self._max_megapixels, pixels.SHOWN_SIDE)

    async def joined(self, mattes: Sequence[bytes]) -> bytes:
        """Several things' mattes as one."""
        return await self._pool.run(pixels.joined_mattes, mattes)

    async def are_same(self, one: bytes, other: bytes) -> bool:
        """Whether two stored mattes or masks of one photo select nearly the same."""
        return await self._pool.run(pixels.are_same, one, other)

    async def edit(
        self,
        source: Path,
        job: Job,
        target: Path,
        on_stage: Callable[[Stage], Awaitable[None]] = _nobody_watches,
    ) -> ResultFile:
        """Change the photo in `source` and write the answer to `target`.

        Raises:
            PersonError: The photo or the mask cannot be used, or nothing was found.
            EngineUnavailableError: No engine could answer.
            EngineRefusedError: The engine judged the photo unfit.
            WorldError: The pixel work took too long or its process died.
        """
        photo = await self.load(source)
        ladder = _Ladder(self._engines)
        if job.operation is Operation.REMOVE_BACKGROUND:
            made = await self._remove_background(photo, job, target, ladder, on_stage)
        else:
            made = await self._erase(photo, job, target, ladder, on_stage)
        return replace(made, notes=("note-first-frame", *made.notes)) if photo.frames > 1 else made

    async def _found(
        self, photo: Photo, job: Job, ladder: _Ladder, on_stage: Callable[[Stage], Awaitable[None]]
    ) -> tuple[FoundObject, Engine | None]:
        if job.mask is not None and job.mask_is_matte:
            return FoundObject(await self._pool.run(pixels.stored_matte, job.mask, photo.width, photo.height)), None
        if job.mask is not None:
            keeps = job.operation is Operation.REMOVE_BACKGROUND
            painted = await self._pool.run(
                pixels.painted_mask, job.mask, photo.width, photo.height, self._max_mask_bytes, keeps
            )
            return FoundObject(painted), None
        await on_stage(Stage.SEGMENTING)

        async def ask(engine: Engine) -> FoundObject:
            found = await engine.segmenter.segment(photo, map_file=job.maps)
            _check_size(photo, found.matte, engine)
            return found

        return await ladder.climb(ask)

    async def _erase(
        self,
        photo: Photo,
        job: Job,
        target: Path,
        ladder: _Ladder,
        on_stage: Callable[[Stage], Awaitable[None]],
    ) -> ResultFile:
        found, finder = await self._found(photo, job, ladder, on_stage)
        matte, doubtful, shaded = found.matte, False, False
        if job.mask is not None and not job.mask_is_matte:
            mask = matte  # painted by a hand, which overshoots by itself: facts on dilate_size
        else:
            # A stored matte does not say whose it is: too wide does less harm than a rim that stays.
            coarse = finder.coarse_masks if finder else any(engine.coarse_masks for engine in self._engines)
            shade = photo if job.operation is Operation.REMOVE_SUBJECT and job.shadow else None
            removal = await self._pool.run(pixels.removal_mask, matte, coarse=coarse, photo=shade)
            mask, shaded = removal.mask, removal.shadow
            doubtful = job.mask is None and (removal.doubtful or not found.sure)
            if doubtful and not job.insist:
                raise await self._doubt(matte)
        await on_stage(Stage.INPAINTING)
        keeps = job.operation is Operation.ERASE
        filled, engine = await ladder.climb(lambda engine: _inpainted(engine, photo, mask, job.seed, keeps))
        # Each has its own work: side by side.
        written, kept = await asyncio.gather(
            self._pool.run(pixels.erase, photo, filled, mask, target, job.format), self._kept(job, mask, matte)
        )
        made = _made(target, written, engine, ladder, doubtful=doubtful, matte=kept)
        return replace(made, notes=(*made.notes, "note-shadow")) if shaded else made

    async def _doubt(self, matte: Matte) -> DoubtfulFindError:
        return DoubtfulFindError(await self._pool.run(pixels.small_matte, matte, self._matte_side))

    async def _kept(self, job: Job, mask: Mask, matte: Matte) -> bytes | None:
        """What is to be remembered of a found mask, as a PNG."""
        if job.mask is not None:
            return None
        if job.keep_mask:
            return await self._pool.run(encode_mask, mask)
        return await self._pool.run(pixels.small_matte, matte, self._matte_side)

    async def _remove_background(
        self,
        photo: Photo,
        job: Job,
        target: Path,
        ladder: _Ladder,
        on_stage: Callable[[Stage], Awaitable[None]],
    ) -> ResultFile:
        found, finder = await self._found(photo, job, ladder, on_stage)
        doubtful = job.mask is None and (not found.sure or await self._pool.run(pixels.is_doubtful, found.matte))
        if doubtful and not job.insist:
            raise await self._doubt(found.matte)
        await on_stage(Stage.INPAINTING)
        matte = await self._pool.run(pixels.refine, photo, found.matte)
        engine = finder or ladder.engines[0]
        new: Photo | str = job.finish
        if job.own_background is not None:
            new = await self.load(job.own_background)
        elif job.finish == "clean" and ladder.engines[0].fills_backgrounds:
            new, engine = await self._inpainted_background(photo, matte, job, ladder)
        file_format: PictureFormat | None = job.format
        if job.finish == "transparent" and (file_format or photo.format) == "JPEG":
            file_format = "PNG"
        written = await self._pool.run(pixels.replace_background, photo, matte, new, target, file_format, job.seed)
        kept = await self._pool.run(pixels.small_matte, matte, self._matte_side) if job.mask is None else None
        return _made(target, written, engine, ladder, doubtful=doubtful, matte=kept)

    async def _inpainted_background(
        self, photo: Photo, matte: Matte, job: Job, ladder: _Ladder
    ) -> tuple[Photo | str, Engine]:
        hole = await self._pool.run(pixels.background_mask, matte)

        async def ask(engine: Engine) -> Photo | str:
            if not engine.fills_backgrounds:
                return job.finish  # the backdrop is built from the background's colours instead
            return await _inpainted(engine, photo, hole, job.seed)

        return await ladder.climb(ask)


async def _inpainted(engine: Engine, photo: Photo, mask: Mask, seed: int, keeps_subject: bool = False) -> Photo:
    filled = await engine.inpainter.inpaint(photo, mask, seed=seed, keeps_subject=keeps_subject)
    _check_size(photo, filled.pixels, engine)
    return filled


def _check_size(photo: Photo, answer: Pixels | Matte, engine: Engine) -> None:
    """An answer of another size is no answer: it cannot be told which of its pixels stands for which."""
    if answer.shape[:2] != photo.pixels.shape[:2]:
        size = f"{answer.shape[1]}×{answer.shape[0]}"
        raise EngineUnavailableError("cloud-unavailable", engine=engine.name, reason=f"answered {size}")


def _made(
    target: Path, written: pixels.Written, engine: Engine, ladder: _Ladder, *, doubtful: bool, matte: bytes | None
) -> ResultFile:
    notes = []
    if ladder.first != ladder.engines[0].name:
        notes.append("note-cloud-down")
    if doubtful:
        notes.append("note-doubtful")
    return ResultFile(target, written.format, written.width, written.height, engine.name, tuple(notes), matte)
