"""Makes one minimal real call of each ability and explains the result, for ``python -m bot doctor``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import cv2
import numpy as np

from bot.engines.volcengine.codes import CallFailedError, Outcome, Retry
from bot.engines.volcengine.config import DREAM_ERASE, ERASE, SALIENCY, VolcConfig
from bot.engines.volcengine.inpainter import inpaint_parameters
from bot.engines.volcengine.notices import build_notice
from bot.engines.volcengine.request_bodies import inpaint_body, segment_body
from bot.engines.volcengine.responses import ApiResponse
from bot.engines.volcengine.segmenter import segment_parameters
from bot.engines.volcengine.transport import Transport, open_transport
from bot.imaging.photo import Mask, Pixels
from bot.operator_text import OperatorText

_SIDE = 256


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of calling one ability.

    Attributes:
        ability: Its req_key.
        ok: Whether the bot can use it.
        text: What happened and, if not ok, what to do; one line.
        code: The API's code, or a key of `codes.POLICIES_WITHOUT_CODE`.
        request_id: Volcengine's id of the call; empty if unknown.
        ms: Duration of the call in milliseconds.
    """

    ability: str
    ok: bool
    text: OperatorText
    code: int | str
    request_id: str
    ms: int


async def probe(config: VolcConfig) -> list[ProbeResult]:
    """Call each ability once with a drawn picture of 256 pixels. The calls are billed as any other.

    Args:
        config: The configuration to check.

    Returns:
        One result for each ability, segmentation first. A failing call is a result, not an exception.
    """
    async with open_transport(config) as transport:
        results = [await _probe_ability(SALIENCY, lambda: _call_segment(config, transport))]
        results.append(await _probe_ability(config.inpaint, lambda: _call_inpaint(config, transport)))
    return results


async def _call_segment(config: VolcConfig, transport: Transport) -> ApiResponse:
    pixels, _ = _draw_disc()
    parameters = segment_parameters(config)
    body = await asyncio.to_thread(
        segment_body, pixels, None, None, parameters, max_bytes=config.max_picture_bytes, smaller=False
    )
    return await transport.call("CVProcess", SALIENCY, body.json, attempt=1)


async def _call_inpaint(config: VolcConfig, transport: Transport) -> ApiResponse:
    pixels, mask = _draw_disc()
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
    # An accepted task shows that the keys, the account and the ability are in order; its picture is not needed.
    submitted = await transport.call("CVSync2AsyncSubmitTask", DREAM_ERASE, body.json, attempt=1)
    query = {"req_key": DREAM_ERASE, "task_id": str(submitted.data.get("task_id", "")), "req_json": "{}"}
    return await transport.call("CVSync2AsyncGetResult", DREAM_ERASE, json.dumps(query).encode(), attempt=1)


async def _probe_ability(ability: str, call: Callable[[], Awaitable[ApiResponse]]) -> ProbeResult:
    start = time.perf_counter()
    try:
        response = await call()
    except CallFailedError as failure:
        ms = round((time.perf_counter() - start) * 1000)
        ok, text = _explain_failure(failure, ability)
        return ProbeResult(ability, ok, text, failure.code, failure.request_id, ms)
    ms = round((time.perf_counter() - start) * 1000)
    return ProbeResult(
        ability,
        True,
        OperatorText("{ability} answered in {ms} ms.", ability=ability, ms=ms),
        10000,
        response.request_id,
        ms,
    )


def _explain_failure(failure: CallFailedError, ability: str) -> tuple[bool, OperatorText]:
    """Return whether the ability is usable in spite of the failure, and one line about it."""
    policy = failure.policy
    values = {"ability": ability, "meaning": policy.meaning, "code": failure.code}
    if failure.request_id:
        values["request"] = failure.request_id
        summary = OperatorText("{ability}: {meaning} (code {code}, request {request}).", **values)
    else:
        summary = OperatorText("{ability}: {meaning} (code {code}).", **values)
    if policy.advice:
        return False, _sentences(summary, build_notice(failure, ability).advice)
    if policy.retry is Retry.WHEN_BUSY:
        advice = OperatorText(
            "The keys work; the account's limit is used up just now. Lower VOLC_CONCURRENCY if it lasts."
        )
        return True, _sentences(summary, advice)
    if policy.outcome not in (Outcome.UNAVAILABLE, Outcome.BUSY):
        return True, _sentences(
            summary, OperatorText("The keys work; the cloud did not like the drawing that was sent.")
        )
    if isinstance(failure.code, str):
        advice = OperatorText("Check VOLC_ENDPOINT, VOLC_PROXY, the network and the name server.")
    else:
        advice = OperatorText("Try again later; if it stays, tell Volcengine's support the request id.")
    if not failure.text:
        return False, _sentences(summary, advice)
    return False, _sentences(_sentences(summary, advice), OperatorText("It said: “{text}”", text=failure.text))


def _sentences(first: OperatorText, second: OperatorText) -> OperatorText:
    return OperatorText("{first} {second}", first=first, second=second)


def _draw_disc() -> tuple[Pixels, Mask]:
    """Draw a disc on a grey gradient; return the picture and the mask of the disc."""
    gradient = np.linspace(90, 200, _SIDE).astype(np.uint8)
    pixels = np.repeat(np.tile(gradient, (_SIDE, 1))[..., None], 3, axis=2).copy()
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    centre, radius = (_SIDE // 2, _SIDE // 2), _SIDE // 5
    cv2.circle(mask, centre, radius, 255, thickness=-1)
    cv2.circle(pixels, centre, radius, (200, 60, 40), thickness=-1)
    return pixels, mask
