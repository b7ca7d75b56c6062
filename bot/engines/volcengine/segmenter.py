"""Finding the subject in the cloud: ``saliency_seg``, one full-size mask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.engines.volcengine.answers import Answer
from bot.engines.volcengine.caller import Attempt, Caller
from bot.engines.volcengine.codes import NO_PICTURE, labelled
from bot.engines.volcengine.config import SALIENCY, VolcConfig
from bot.engines.volcengine.geometry import LONGEST_SIDE, fit_within
from bot.engines.volcengine.pictures import BadPictureError, Body, read_matte, scale, segment_body
from bot.engines.volcengine.ports import Pool
from bot.engines.volcengine.transport import Transport
from bot.errors import NothingFoundError, PersonError
from bot.imaging.photo import Matte, Photo
from bot.segmentation import FoundObject


def segment_parameters(config: VolcConfig) -> dict[str, Any]:
    """The body's fields but the picture: ``only_mask`` 1 asks for one mask of the full size."""
    return {"req_key": SALIENCY, "only_mask": 1, "refine_mask": config.refine_mask, "return_url": False}


class VolcSegmenter:
    """`bot.engines.Segmenter` over the cloud."""

    def __init__(self, config: VolcConfig, transport: Transport, caller: Caller, pool: Pool) -> None:
        self._config = config
        self._transport = transport
        self._caller = caller
        self._pool = pool

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        """As `bot.engines.Segmenter.segment`.

        Raises:
            NothingFoundError: The mask is black, or there is none.
            EngineRefusedError: The cloud judged the photo unfit.
            EngineUnavailableError: The cloud does not answer now, or not to this bot.
        """
        parameters = segment_parameters(self._config)
        # A photo beyond the limits is scaled before it travels to a worker: OpenCV lets go of the lock, and what is not
        # sent to the cloud need not be copied between processes. (Trusted pixels: decoded and checked before.)
        shown = await asyncio.to_thread(_within_limits, photo)

        async def prepare(attempt: Attempt) -> Body:
            return await self._pool.run(
                _segment_body, shown, parameters, self._config.max_picture_bytes, attempt.smaller
            )

        async def perform(body: Body, attempt: Attempt) -> Matte | None:
            answer = await self._transport.call("CVProcess", SALIENCY, body.json, attempt=attempt.number)
            return await self._read(answer, body)

        small = await self._caller.grant(SALIENCY, prepare, perform)
        if small is None:
            raise NothingFoundError("nothing-found", engine="volcengine")
        return FoundObject(await asyncio.to_thread(scale, small, photo.width, photo.height))

    async def _read(self, answer: Answer, body: Body) -> Matte | None:
        if not answer.pictures:
            return None
        try:
            return await self._pool.run(read_matte, answer.pictures[0], body.fit)
        except (BadPictureError, PersonError) as error:
            # The pool's own words for a picture that was too much for it would blame the person.
            raise labelled(NO_PICTURE, http=200, request_id=answer.request_id, text=str(error)) from None


def _within_limits(photo: Photo) -> Photo:
    fit = fit_within(photo.width, photo.height)
    if max(photo.width, photo.height) <= LONGEST_SIDE:
        return photo
    alpha = None if photo.alpha is None else scale(photo.alpha, fit.width, fit.height)
    return Photo(scale(photo.pixels, fit.width, fit.height), alpha, photo.icc_profile, photo.format)


def _segment_body(photo: Photo, parameters: dict[str, Any], max_bytes: int, smaller: bool) -> Body:
    return segment_body(photo.pixels, photo.alpha, photo.icc_profile, parameters, max_bytes=max_bytes, smaller=smaller)
