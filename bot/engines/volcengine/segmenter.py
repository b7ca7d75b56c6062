"""Finds the subject with Volcengine: ``saliency_seg``, one mask of the photo's size."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.engines.volcengine.caller import Attempt, RetryingCaller
from bot.engines.volcengine.codes import NO_PICTURE, CallFailedError
from bot.engines.volcengine.config import SALIENCY, VolcConfig
from bot.engines.volcengine.fitting import scale
from bot.engines.volcengine.geometry import LONGEST_SIDE, fit_within
from bot.engines.volcengine.ports import Pool
from bot.engines.volcengine.request_bodies import RequestBody, segment_body
from bot.engines.volcengine.response_pictures import BadPictureError, read_matte
from bot.engines.volcengine.responses import ApiResponse
from bot.engines.volcengine.transport import Transport
from bot.errors import NothingFoundError, PersonError
from bot.imaging.photo import Matte, Photo
from bot.segmentation import FoundObject


def segment_parameters(config: VolcConfig) -> dict[str, Any]:
    """Return the fields of the request body except the picture. ``only_mask`` 1 requests one mask of the full size."""
    return {"req_key": SALIENCY, "only_mask": 1, "refine_mask": config.refine_mask, "return_url": False}


class VolcSegmenter:
    """`bot.engines.Segmenter` with Volcengine.

    Args:
        config: Parameters and limits.
        transport: Makes single calls.
        caller: Repeats them.
        pool: Runs the pixel work.
    """

    def __init__(self, config: VolcConfig, transport: Transport, caller: RetryingCaller, pool: Pool) -> None:
        self._config = config
        self._transport = transport
        self._caller = caller
        self._pool = pool

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        """As `bot.engines.Segmenter.segment`.

        Raises:
            NothingFoundError: The mask is black.
            EngineRefusedError: Volcengine judged the photo unfit.
            EngineUnavailableError: Volcengine cannot answer now, or not to this account.
        """
        parameters = segment_parameters(self._config)
        # A photo beyond the limits is scaled in a thread before it is copied to a pixel process, which needs no more
        # than what is sent. OpenCV releases the GIL, and the pixels are decoded and checked already.
        limited = await asyncio.to_thread(_scale_into_limits, photo)

        async def build(attempt: Attempt) -> RequestBody:
            return await self._pool.run(
                _segment_body, limited, parameters, self._config.max_picture_bytes, attempt.smaller
            )

        async def send(body: RequestBody, attempt: Attempt) -> Matte | None:
            response = await self._transport.call("CVProcess", SALIENCY, body.json, attempt=attempt.number)
            return await self._read(response, body)

        small = await self._caller.call_with_retries(SALIENCY, build, send)
        if small is None:
            raise NothingFoundError("nothing-found", engine="volcengine")
        return FoundObject(await asyncio.to_thread(scale, small, photo.width, photo.height))

    async def _read(self, response: ApiResponse, body: RequestBody) -> Matte | None:
        if not response.pictures:  # empty, or only links, though no links were requested: no answer to the question
            raise CallFailedError.without_code(NO_PICTURE, http=200, request_id=response.request_id, text="no picture")
        try:
            return await self._pool.run(read_matte, response.pictures[0], body.fit)
        except (BadPictureError, PersonError) as error:
            # The pool's own error for a picture that is too demanding would blame the person's photo.
            raise CallFailedError.without_code(
                NO_PICTURE, http=200, request_id=response.request_id, text=str(error)
            ) from None


def _scale_into_limits(photo: Photo) -> Photo:
    fit = fit_within(photo.width, photo.height)
    if max(photo.width, photo.height) <= LONGEST_SIDE:
        return photo
    alpha = None if photo.alpha is None else scale(photo.alpha, fit.width, fit.height)
    return Photo(scale(photo.pixels, fit.width, fit.height), alpha, photo.icc_profile, photo.format)


def _segment_body(photo: Photo, parameters: dict[str, Any], max_bytes: int, smaller: bool) -> RequestBody:
    return segment_body(photo.pixels, photo.alpha, photo.icc_profile, parameters, max_bytes=max_bytes, smaller=smaller)
