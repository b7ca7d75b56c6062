"""The engine that uses Volcengine's visual API. Its entry point is `volcengine_engine`.

A request for a mask or a fill passes through these modules:

    segmenter, inpainter              build the request, interpret the response
    geometry, fitting                 which part of the photo is sent, scaled and padded how
    request_bodies, srgb              pixels to request bodies (in the pool)
    caller                            call slots (call_slots), breaker (breaker), retries by code (codes)
    transport                         one signed (signing), timed, logged and counted (metrics) call
    responses, response_pictures      bytes to data or a typed error, pictures to pixels (in the pool)

This package is the only one that sends photos to another machine than Telegram's: over https, to the configured
endpoint only.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.engines import Engine
from bot.engines.volcengine.call_slots import CallSlots, LocalCallSlots, OnPosition
from bot.engines.volcengine.caller import RetryingCaller, Sleep
from bot.engines.volcengine.config import DREAM_ERASE, ERASE, RetryRules, VolcConfig
from bot.engines.volcengine.doctor import ProbeResult, probe
from bot.engines.volcengine.inpainter import VolcInpainter
from bot.engines.volcengine.notices import OnOperatorError, OperatorNotice, OperatorNotifier
from bot.engines.volcengine.ports import Pool
from bot.engines.volcengine.segmenter import VolcSegmenter
from bot.engines.volcengine.transport import OnCall, open_transport

__all__ = [
    "DREAM_ERASE",
    "ERASE",
    "CallSlots",
    "LocalCallSlots",
    "OperatorNotice",
    "ProbeResult",
    "RetryRules",
    "VolcConfig",
    "probe",
    "volcengine_engine",
]


@asynccontextmanager
async def volcengine_engine(
    config: VolcConfig,
    *,
    pool: Pool,
    call_slots: CallSlots,
    on_operator_error: OnOperatorError | None = None,
    on_position: OnPosition | None = None,
    on_call: OnCall | None = None,
    sleep: Sleep = asyncio.sleep,
    rng: random.Random | None = None,
) -> AsyncIterator[Engine]:
    """Open the engine and close its connections at the end.

    Args:
        config: Keys, endpoint, parameters.
        pool: Runs the pixel work; `bot.imaging.pool.PixelPool`.
        call_slots: Limits the edits that call at once, across all processes.
        on_operator_error: Called with failures that only the operator can fix, at most once an hour per code.
        on_position: Called with the position in the queue, in the waiting edit's own task.
        on_call: Called after each call, with its ability and whether it succeeded.
        sleep: Waits before retries and between polls.
        rng: Source of the jitter of the retry pauses.
    """
    async with open_transport(config, on_call) as transport:
        notifier = OperatorNotifier(on_operator_error)
        caller = RetryingCaller(config, call_slots, notifier, on_position=on_position, sleep=sleep, rng=rng)
        yield Engine(
            name="volcengine",
            segmenter=VolcSegmenter(config, transport, caller, pool),
            inpainter=VolcInpainter(config, transport, caller, pool, sleep=sleep),
        )
