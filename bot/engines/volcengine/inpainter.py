"""Fills holes with Volcengine: ``i2i_inpainting`` in one call, or the Jimeng eraser with submit and poll."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Final

from bot.engines.volcengine.caller import Attempt, RetryingCaller, Sleep
from bot.engines.volcengine.codes import NO_PICTURE, TASK_LOST, TASK_TIMEOUT, CallFailedError, Retry
from bot.engines.volcengine.config import DREAM_ERASE, ERASE, VolcConfig
from bot.engines.volcengine.fitting import scale, scale_hole
from bot.engines.volcengine.geometry import Box, crop_around, fit_within
from bot.engines.volcengine.ports import Pool
from bot.engines.volcengine.request_bodies import RequestBody, inpaint_body
from bot.engines.volcengine.response_pictures import BadPictureError, read_fill
from bot.engines.volcengine.responses import ApiResponse
from bot.engines.volcengine.transport import Transport
from bot.errors import PersonError
from bot.imaging.photo import Mask, Photo, Pixels

SEEDS: Final = 2**31
"""Seeds are 0 … 2³¹-1. The API takes -1 as a random seed, but the same seed must give the same picture."""
_SEED_STEP: Final = 1_000_003
_SUBMIT_ACTION: Final = "CVSync2AsyncSubmitTask"
_POLL_ACTION: Final = "CVSync2AsyncGetResult"


def seed_for(seed: int, variant: int) -> int:
    """Return the seed of a variant. Variant 0 is the requested seed; others are far from it, as people try seed + 1."""
    return (seed + variant * _SEED_STEP) % SEEDS


def inpaint_parameters(config: VolcConfig, *, seed: int) -> dict[str, Any]:
    """Return the fields of the request body except the pictures, for the configured ability."""
    if config.inpaint == DREAM_ERASE:
        return {"req_key": DREAM_ERASE, "prompt": config.prompt, "seed": seed}
    return {
        "req_key": ERASE,
        "return_url": False,
        "steps": config.steps,
        "strength": config.strength,
        "scale": config.scale,
        "seed": seed,
        "dilate_size": config.dilate_size,
        "quality": config.quality,
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Crop:
    """The part of the photo that is sent, scaled down if it is larger than the limit.

    Attributes:
        box: Its place in the photo.
        pixels: (h, w, 3) uint8 RGB.
        mask: (h, w) uint8, > 0 = fill.
    """

    box: Box
    pixels: Pixels
    mask: Mask


class VolcInpainter:
    """`bot.engines.Inpainter` with Volcengine.

    Args:
        config: Ability, parameters, limits.
        transport: Makes single calls.
        caller: Repeats them.
        pool: Runs the pixel work.
        sleep: Waits between two polls.
    """

    def __init__(
        self,
        config: VolcConfig,
        transport: Transport,
        caller: RetryingCaller,
        pool: Pool,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._transport = transport
        self._caller = caller
        self._pool = pool
        self._sleep = sleep

    async def inpaint(self, photo: Photo, mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        """As `bot.engines.Inpainter.inpaint`. Sends only a crop around the hole if that keeps more resolution.

        `keeps_subject` is ignored: Volcengine generates pixels instead of copying them, and takes no exclusion mask.

        Raises:
            EngineRefusedError: Volcengine judged the photo or its own result unfit.
            EngineUnavailableError: Volcengine cannot answer now, or not to this account.
            ValueError: The mask and the photo differ in size.
        """
        if mask.shape != photo.pixels.shape[:2]:
            raise ValueError(f"a mask of {mask.shape} for a photo of {photo.pixels.shape[:2]}")
        # Cropping and pasting run in a thread, not in the pool: numpy and OpenCV release the GIL, and a photo of 48
        # megapixels is not copied to a pixel process for a small crop.
        crop = await asyncio.to_thread(_crop_photo, photo, mask, self._config.longest_side)
        if crop is None:
            return photo

        async def build(attempt: Attempt) -> RequestBody:
            parameters = inpaint_parameters(self._config, seed=seed_for(seed, attempt.variant))
            return await self._pool.run(
                _inpaint_body,
                crop.pixels,
                crop.mask,
                photo.icc_profile,
                parameters,
                self._config.longest_side,
                self._config.max_picture_bytes,
                attempt.smaller,
            )

        async def send(body: RequestBody, attempt: Attempt) -> Pixels:
            if self._config.inpaint == DREAM_ERASE:
                response = await self._submit_and_poll(body, attempt)
            else:
                response = await self._transport.call("CVProcess", ERASE, body.json, attempt=attempt.number)
            return await self._read(response, body, photo.icc_profile)

        fill = await self._caller.call_with_retries(self._config.inpaint, build, send)
        return await asyncio.to_thread(_paste, photo, fill, crop.box)

    async def _read(self, response: ApiResponse, body: RequestBody, icc: bytes | None) -> Pixels:
        def no_picture(text: str) -> CallFailedError:
            return CallFailedError.without_code(NO_PICTURE, http=200, request_id=response.request_id, text=text)

        if not response.pictures:
            raise no_picture("no picture in the answer")
        try:
            return await self._pool.run(read_fill, response.pictures[0], body.fit, icc)
        except (BadPictureError, PersonError) as error:
            # The pool's own error for a picture that is too demanding would blame the person's photo.
            raise no_picture(str(error)) from None

    async def _submit_and_poll(self, body: RequestBody, attempt: Attempt) -> ApiResponse:
        """Submit a task and poll until it is done (docs/volcengine.md#submit-and-poll).

        Source: https://volcengine.com/docs/6791/1399614.
        """
        req_key = self._config.inpaint
        submitted = await self._transport.call(_SUBMIT_ACTION, req_key, body.json, attempt=attempt.number)
        task_id = submitted.data.get("task_id")
        if not isinstance(task_id, str) or not task_id:
            raise CallFailedError.without_code(TASK_LOST, http=200, request_id=submitted.request_id, text="no task_id")
        options = json.dumps({"return_url": False})
        query = json.dumps({"req_key": req_key, "task_id": task_id, "req_json": options}).encode()
        deadline = time.monotonic() + self._config.task_timeout
        while True:
            await self._sleep(self._config.poll_interval)
            response = await self._poll_once(req_key, query, attempt, deadline)
            if response is not None:
                return response

    async def _poll_once(self, req_key: str, query: bytes, attempt: Attempt, deadline: float) -> ApiResponse | None:
        """Poll once; return None if the task is not done. A poll is free, so a passing fault does not fail the task."""
        is_late = time.monotonic() >= deadline
        try:
            response = await self._transport.call(_POLL_ACTION, req_key, query, attempt=attempt.number, quiet=True)
        except CallFailedError as failure:
            retry = failure.policy.retry
            may_pass = retry is Retry.WHEN_BUSY or isinstance(failure.code, str)
            if may_pass and retry is not Retry.NEVER and not is_late:
                return None
            raise
        match response.data.get("status"):
            case "done":
                return response
            case "in_queue" | "generating" if not is_late:
                return None
            case "in_queue" | "generating":
                raise CallFailedError.without_code(TASK_TIMEOUT, http=200, request_id=response.request_id)
            case status:
                raise CallFailedError.without_code(
                    TASK_LOST, http=200, request_id=response.request_id, text=str(status)[:40]
                )


def _crop_photo(photo: Photo, mask: Mask, longest: int) -> _Crop | None:
    box = crop_around(mask, longest=longest)
    if box is None:
        return None
    fit = fit_within(box.width, box.height, longest=longest)
    pixels, hole = photo.pixels[box.slices], mask[box.slices]
    if fit.width < box.width:
        # Scale before the copy to the pixel process: it needs no more than what is sent.
        return _Crop(box, scale(pixels, fit.width, fit.height), scale_hole(hole, fit.width, fit.height))
    return _Crop(box, pixels.copy(), hole.copy())


def _paste(photo: Photo, fill: Pixels, box: Box) -> Photo:
    pixels = photo.pixels.copy()
    pixels[box.slices] = scale(fill, box.width, box.height)
    return photo.with_pixels(pixels)


def _inpaint_body(
    pixels: Pixels,
    mask: Mask,
    icc: bytes | None,
    parameters: dict[str, Any],
    longest: int,
    max_bytes: int,
    smaller: bool,
) -> RequestBody:
    return inpaint_body(pixels, mask, icc, parameters, longest=longest, max_bytes=max_bytes, smaller=smaller)
