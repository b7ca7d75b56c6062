"""Builds request bodies from pixels. Plain functions of arrays, run in the worker pool.

Pictures are sent in sRGB, without ICC profile and metadata.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from PIL import Image

from bot.engines.volcengine.fitting import pad, scale, scale_hole
from bot.engines.volcengine.geometry import LONGEST_SIDE, Fit, fit_within
from bot.engines.volcengine.srgb import to_srgb
from bot.imaging.photo import Mask, Matte, Pixels

JPEG_QUALITIES: Final = (95, 92, 88, 84, 80, 75, 70)
"""Best first. If the last one is still too large, the picture is made smaller."""
SMALLER_SIDE: Final = 1024
"""Maximum side in pixels after Volcengine found a picture too large."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A request body and how the picture in it was fitted.

    Attributes:
        json: UTF-8; hidden from reprs because it holds pictures.
        fit: Size of the sent picture.
    """

    json: bytes = field(repr=False)
    fit: Fit


def segment_body(
    pixels: Pixels, alpha: Matte | None, icc: bytes | None, parameters: dict[str, Any], *, max_bytes: int, smaller: bool
) -> RequestBody:
    """Build the body of a segmentation call.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8 or None; transparent parts are sent as white.
        icc: ICC profile of `pixels`; None for sRGB.
        parameters: All fields of the body except the picture.
        max_bytes: Maximum size of the JPEG.
        smaller: Whether to scale the picture to at most `SMALLER_SIDE`.
    """
    fit = fit_within(pixels.shape[1], pixels.shape[0], longest=SMALLER_SIDE if smaller else LONGEST_SIDE)
    picture = scale(pixels, fit.width, fit.height)
    if alpha is not None:
        picture = _on_white(picture, scale(alpha, fit.width, fit.height))
    picture = to_srgb(picture, icc)
    jpeg, fit = _encode_within(picture, fit, max_bytes)
    return RequestBody(_encode_json(parameters, [jpeg]), fit)


def inpaint_body(
    pixels: Pixels,
    mask: Mask,
    icc: bytes | None,
    parameters: dict[str, Any],
    *,
    longest: int,
    max_bytes: int,
    smaller: bool,
) -> RequestBody:
    """Build the body of an inpainting call: the picture as JPEG, the mask as 8-bit grey PNG of the same size, 0 or 255.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, > 0 = fill.
        icc: ICC profile of `pixels`; None for sRGB.
        parameters: All fields of the body except the pictures.
        longest: Maximum side of the picture in pixels.
        max_bytes: Maximum size of the JPEG.
        smaller: Whether to scale the picture to at most `SMALLER_SIDE`.
    """
    fit = fit_within(pixels.shape[1], pixels.shape[0], longest=min(longest, SMALLER_SIDE) if smaller else longest)
    picture = to_srgb(scale(pixels, fit.width, fit.height), icc)
    jpeg, fit = _encode_within(picture, fit, max_bytes)
    hole = pad(scale_hole(mask, fit.width, fit.height), fit, value=0)
    return RequestBody(_encode_json(parameters, [jpeg, _encode_png(hole)]), fit)


def _encode_within(picture: Pixels, fit: Fit, max_bytes: int) -> tuple[bytes, Fit]:
    """Encode a JPEG within the limit: lower the quality first, then the size."""
    while True:
        jpeg = _best_jpeg(pad(picture, fit), max_bytes)
        if jpeg is not None:
            return jpeg, fit
        fit = fit_within(fit.width, fit.height, longest=round(max(fit.width, fit.height) * 0.85))
        picture = scale(picture, fit.width, fit.height)


def _best_jpeg(pixels: Pixels, max_bytes: int) -> bytes | None:
    """Return the JPEG of the highest quality within the limit. Most photos need one encoding, the others up to four."""
    jpeg = _encode_jpeg(pixels, JPEG_QUALITIES[0])
    if len(jpeg) <= max_bytes:
        return jpeg
    best, low, high = None, 1, len(JPEG_QUALITIES) - 1
    while low <= high:
        middle = (low + high) // 2
        jpeg = _encode_jpeg(pixels, JPEG_QUALITIES[middle])
        if len(jpeg) <= max_bytes:
            best, high = jpeg, middle - 1
        else:
            low = middle + 1
    return best


def _encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return buffer.getvalue()


def _encode_png(mask: Mask) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _encode_json(parameters: dict[str, Any], pictures: list[bytes]) -> bytes:
    encoded = [base64.b64encode(picture).decode("ascii") for picture in pictures]
    return json.dumps({**parameters, "binary_data_base64": encoded}).encode("ascii")


def _on_white(pixels: Pixels, alpha: Matte) -> Pixels:
    opacity = alpha[..., None].astype(np.float32) / 255
    return np.round(pixels * opacity + 255 * (1 - opacity)).astype(np.uint8)
