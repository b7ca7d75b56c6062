"""Volcengine's visual API as an engine. `volcengine_engine` is the door; the rest is inside.

One wish (a mask, a fill) goes through these files:

    segmenter, inpainter   what is asked, and what the answer means
    geometry, pictures     which part of the photo is sent, and how; pure, run in the pool
    caller                 the call_slots, the breaker (breaker), repetition by code (codes)
    transport              one signed (signing), timed, logged and counted (metrics) call
    answers                bytes to data or a typed failure

Photos leave this machine here, and only here: never over plain http, never to another address than the configured one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.engines import Engine
from bot.engines.volcengine.call_slots import CallSlots, LocalCallSlots, OnPosition
from bot.engines.volcengine.caller import Caller, Sleep
from bot.engines.volcengine.config import DREAM_ERASE, ERASE, RetryRules, VolcConfig
from bot.engines.volcengine.doctor import ProbeResult, probe
from bot.engines.volcengine.inpainter import VolcInpainter
from bot.engines.volcengine.notices import Notices, OnOperatorError, OperatorNotice
from bot.engines.volcengine.ports import Pool
from bot.engines.volcengine.segmenter import VolcSegmenter
from bot.engines.volcengine.transport import open_transport

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
    sleep: Sleep = asyncio.sleep,
    dice: random.Random | None = None,
) -> AsyncIterator[Engine]:
    """The engine, with its connections closed at the end.

    Args:
        config: Keys, endpoint, parameters.
        pool: Does the pixel work; `bot.imaging.pool.PixelPool`.
        call_slots: Limits the calls under way over all processes.
        on_operator_error: Told about what only the operator can mend, at most once an hour for each code.
        on_position: Told about the place in the queue, in the waiting edit's own context.
        sleep: Waits before repetitions and between polls.
        dice: Jitter of the waits.
    """
    async with open_transport(config) as transport:
        caller = Caller(config, call_slots, Notices(on_operator_error), on_position=on_position, sleep=sleep, dice=dice)
        yield Engine(
            name="volcengine",
            segmenter=VolcSegmenter(config, transport, caller, pool),
            inpainter=VolcInpainter(config, transport, caller, pool, sleep=sleep),
        )
