"""Filling holes in the cloud: ``i2i_inpainting`` in one call, or the Jimeng eraser by submitting and polling."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, Final

from bot.engines.volcengine.answers import Answer
from bot.engines.volcengine.caller import Attempt, Caller, Sleep
from bot.engines.volcengine.codes import (
    NO_PICTURE,
    TASK_LOST,
    TASK_TIMEOUT,
    Again,
    CallFailedError,
    labelled,
)
from bot.engines.volcengine.config import DREAM_ERASE, ERASE, VolcConfig
from bot.engines.volcengine.geometry import Box, crop_around, fit_within
from bot.engines.volcengine.pictures import BadPictureError, Body, inpaint_body, read_fill, scale, scale_hole
from bot.engines.volcengine.ports import Pool
from bot.engines.volcengine.transport import Transport
from bot.errors import PersonError
from bot.imaging.photo import Mask, Photo, Pixels

SEEDS: Final = 2**31
"""Seeds are 0 … 2³¹-1; -1 would mean a random one, and the same seed must give the same picture."""
_SEED_STEP: Final = 1_000_003
_SUBMIT: Final = "CVSync2AsyncSubmitTask"
_RESULT: Final = "CVSync2AsyncGetResult"


def seed_for(seed: int, variant: int) -> int:
    """The seed of a variant: 0 is the wished one, later ones lie far from it (people count seeds up one by one)."""
    return (seed + variant * _SEED_STEP) % SEEDS


def inpaint_parameters(config: VolcConfig, *, seed: int) -> dict[str, Any]:
    """The body's fields but the pictures, for the configured ability."""
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
class _CutOut:
    """The part of the photo that is sent, scaled down where it is larger than what is sent."""

    box: Box
    pixels: Pixels
    mask: Mask


class VolcInpainter:
    """`bot.engines.Inpainter` over the cloud.

    Args:
        config: Ability, parameters, limits.
        transport: Makes calls.
        caller: Repeats them.
        pool: Does the pixel work.
        sleep: Waits between two polls.
    """

    def __init__(
        self,
        config: VolcConfig,
        transport: Transport,
        caller: Caller,
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
        """As `bot.engines.Inpainter.inpaint`. Only the hole's surroundings are sent where that keeps resolution.

        The cloud invents rather than copies, and takes no second mask: `keeps_subject` is of no use to it.

        Raises:
            EngineRefusedError: The cloud judged the photo or its own result unfit.
            EngineUnavailableError: The cloud does not answer now, or not to this bot.
            ValueError: The mask has another size than the photo.
        """
        if mask.shape != photo.pixels.shape[:2]:
            raise ValueError(f"a mask of {mask.shape} for a photo of {photo.pixels.shape[:2]}")
        # Threads suffice for cutting and pasting trusted arrays: numpy and OpenCV let go of the lock, and a photo of
        # 48 megapixels is not copied to a worker for the sake of its corner.
        cut = await asyncio.to_thread(_cut_out, photo, mask, self._config.longest_side)
        if cut is None:
            return photo

        async def prepare(attempt: Attempt) -> Body:
            parameters = inpaint_parameters(self._config, seed=seed_for(seed, attempt.variant))
            return await self._pool.run(
                _inpaint_body,
                cut.pixels,
                cut.mask,
                photo.icc_profile,
                parameters,
                self._config.longest_side,
                self._config.max_picture_bytes,
                attempt.smaller,
            )

        async def perform(body: Body, attempt: Attempt) -> Pixels:
            if self._config.inpaint == DREAM_ERASE:
                answer = await self._by_task(body, attempt)
            else:
                answer = await self._transport.call("CVProcess", ERASE, body.json, attempt=attempt.number)
            return await self._read(answer, body, photo.icc_profile)

        fill = await self._caller.grant(self._config.inpaint, prepare, perform)
        return await asyncio.to_thread(_pasted, photo, fill, cut.box)

    async def _read(self, answer: Answer, body: Body, icc: bytes | None) -> Pixels:
        if not answer.pictures:
            raise labelled(NO_PICTURE, http=200, request_id=answer.request_id, text="no picture in the answer")
        try:
            return await self._pool.run(read_fill, answer.pictures[0], body.fit, icc)
        except (BadPictureError, PersonError) as error:
            # The pool's own words for a picture that was too much for it would blame the person.
            raise labelled(NO_PICTURE, http=200, request_id=answer.request_id, text=str(error)) from None

    async def _by_task(self, body: Body, attempt: Attempt) -> Answer:
        """Submit, then look until the task is done (https://volcengine.com/docs/6791/1399614)."""
        req_key = self._config.inpaint
        submitted = await self._transport.call(_SUBMIT, req_key, body.json, attempt=attempt.number)
        task = submitted.data.get("task_id")
        if not isinstance(task, str) or not task:
            raise labelled(TASK_LOST, http=200, request_id=submitted.request_id, text="no task_id")
        wish = json.dumps({"req_key": req_key, "task_id": task, "req_json": json.dumps({"return_url": False})}).encode()
        deadline = time.monotonic() + self._config.task_timeout
        while True:
            await self._sleep(self._config.poll_interval)
            answer = await self._look(req_key, wish, attempt, deadline)
            if answer is not None:
                return answer

    async def _look(self, req_key: str, wish: bytes, attempt: Attempt, deadline: float) -> Answer | None:
        """One poll; None: not yet. Looking again costs nothing, so passing trouble is not the task's failure."""
        late = time.monotonic() >= deadline
        try:
            answer = await self._transport.call(_RESULT, req_key, wish, attempt=attempt.number, quiet=True)
        except CallFailedError as failure:
            passing = failure.verdict.again is Again.BUSY or isinstance(failure.code, str)
            if passing and failure.verdict.again is not Again.NEVER and not late:
                return None
            raise
        match answer.data.get("status"):
            case "done":
                return answer
            case "in_queue" | "generating" if not late:
                return None
            case "in_queue" | "generating":
                raise labelled(TASK_TIMEOUT, http=200, request_id=answer.request_id)
            case status:
                raise labelled(TASK_LOST, http=200, request_id=answer.request_id, text=str(status)[:40])


def _cut_out(photo: Photo, mask: Mask, longest: int) -> _CutOut | None:
    box = crop_around(mask, longest=longest)
    if box is None:
        return None
    fit = fit_within(box.width, box.height, longest=longest)
    pixels, hole = photo.pixels[box.slices], mask[box.slices]
    if fit.width < box.width:
        # What the cloud will not see need not be copied between processes either.
        return _CutOut(box, scale(pixels, fit.width, fit.height), scale_hole(hole, fit.width, fit.height))
    return _CutOut(box, pixels.copy(), hole.copy())


def _pasted(photo: Photo, fill: Pixels, box: Box) -> Photo:
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
) -> Body:
    return inpaint_body(pixels, mask, icc, parameters, longest=longest, max_bytes=max_bytes, smaller=smaller)
