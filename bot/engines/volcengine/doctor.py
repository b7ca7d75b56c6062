"""One real, smallest call of each ability, explained: for ``python -m bot doctor``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import cv2
import numpy as np

from bot.engines.volcengine.answers import Answer
from bot.engines.volcengine.codes import Again, CallFailedError, Outcome
from bot.engines.volcengine.config import DREAM_ERASE, ERASE, SALIENCY, VolcConfig
from bot.engines.volcengine.inpainter import inpaint_parameters
from bot.engines.volcengine.notices import explain
from bot.engines.volcengine.pictures import inpaint_body, segment_body
from bot.engines.volcengine.segmenter import segment_parameters
from bot.engines.volcengine.transport import Transport, open_transport
from bot.imaging.photo import Mask, Pixels

_SIDE = 256


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one ability answered.

    Attributes:
        ability: Its req_key.
        ok: Whether the bot can use it.
        text: What that means and, if not ok, what to do; English, one line.
        code: The cloud's code or a label.
        request_id: The cloud's name for the call; empty if unknown.
        ms: Milliseconds the call took.
    """

    ability: str
    ok: bool
    text: str
    code: int | str
    request_id: str
    ms: int


async def probe(config: VolcConfig) -> list[ProbeResult]:
    """Call each ability once, with a drawn picture of 256 pixels; these are billed as any other call.

    Args:
        config: What is checked.

    Returns:
        One result for each ability, segmentation first. Nothing is raised for failing calls.
    """
    async with open_transport(config) as transport:
        results = [await _ask(SALIENCY, lambda: _segment(config, transport))]
        results.append(await _ask(config.inpaint, lambda: _inpaint(config, transport)))
    return results


async def _segment(config: VolcConfig, transport: Transport) -> Answer:
    pixels, _ = _drawing()
    parameters = segment_parameters(config)
    body = await asyncio.to_thread(
        segment_body, pixels, None, None, parameters, max_bytes=config.max_picture_bytes, smaller=False
    )
    return await transport.call("CVProcess", SALIENCY, body.json, attempt=1)


async def _inpaint(config: VolcConfig, transport: Transport) -> Answer:
    pixels, mask = _drawing()
    body = await asyncio.to_thread(
        inpaint_body,
        pixels,
        mask,
        None,
        inpaint_parameters(config, seed=0),
        longest=config.longest_side,
        max_bytes=config.max_picture_bytes,
        smaller=False,
    )
    if config.inpaint == ERASE:
        return await transport.call("CVProcess", ERASE, body.json, attempt=1)
    # A task that is accepted shows that keys, account and ability are in order; its picture is of no interest.
    submitted = await transport.call("CVSync2AsyncSubmitTask", DREAM_ERASE, body.json, attempt=1)
    wish = {"req_key": DREAM_ERASE, "task_id": str(submitted.data.get("task_id", "")), "req_json": "{}"}
    return await transport.call("CVSync2AsyncGetResult", DREAM_ERASE, json.dumps(wish).encode(), attempt=1)


async def _ask(ability: str, call: Callable[[], Awaitable[Answer]]) -> ProbeResult:
    start = time.perf_counter()
    try:
        answer = await call()
    except CallFailedError as failure:
        took = round((time.perf_counter() - start) * 1000)
        ok, text = _explained(failure, ability)
        return ProbeResult(ability, ok, text, failure.code, failure.request_id, took)
    took = round((time.perf_counter() - start) * 1000)
    return ProbeResult(ability, True, f"{ability} answered in {took} ms.", 10000, answer.request_id, took)


def _explained(failure: CallFailedError, ability: str) -> tuple[bool, str]:
    """Whether the ability is usable in spite of the failure, and one line about it."""
    verdict = failure.verdict
    what = f"{ability}: {verdict.meaning} (code {failure.code}"
    what += f", request {failure.request_id})" if failure.request_id else ")"
    if verdict.advice:
        return False, f"{what}. {explain(failure, ability).advice}"
    if verdict.again is Again.BUSY:
        return (
            True,
            f"{what}. The keys work; the account's limit is used up just now. Lower VOLC_CONCURRENCY if it lasts.",
        )
    if verdict.outcome not in (Outcome.UNAVAILABLE, Outcome.BUSY):
        return True, f"{what}. The keys work; the cloud did not like the drawing that was sent."
    if isinstance(failure.code, str):
        return (
            False,
            f"{what}. Check VOLC_ENDPOINT, the network, its proxies and the name server. {failure.text}".rstrip(),
        )
    return (
        False,
        f"{what}. Try again later; if it stays, tell Volcengine's support the request id. {failure.text}".rstrip(),
    )


def _drawing() -> tuple[Pixels, Mask]:
    """A disc on a slope of grey, and the disc's mask."""
    slope = np.linspace(90, 200, _SIDE).astype(np.uint8)
    pixels = np.repeat(np.tile(slope, (_SIDE, 1))[..., None], 3, axis=2).copy()
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    centre, radius = (_SIDE // 2, _SIDE // 2), _SIDE // 5
    cv2.circle(mask, centre, radius, 255, thickness=-1)
    cv2.circle(pixels, centre, radius, (200, 60, 40), thickness=-1)
    return pixels, mask
