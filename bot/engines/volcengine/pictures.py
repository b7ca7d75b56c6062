"""Pixels to request bodies and answers to pixels: plain functions of arrays, run in the worker pool.

What goes out stands in sRGB, without profile and metadata; what comes back is untrusted bytes.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image, ImageCms

from bot.engines.volcengine.geometry import LONGEST_SIDE, Fit, fit_within
from bot.imaging.photo import Mask, Matte, Pixels

QUALITIES: Final = (95, 92, 88, 84, 80, 75, 70)
"""JPEG qualities, best first; below the last one the picture gets smaller instead."""
SMALLER_SIDE: Final = 1024
"""Longest side of what is sent after the cloud found a picture too large."""
_ANSWER_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
_ANSWER_PIXELS: Final = 8192 * 8192
_SURE: Final = 128


class BadPictureError(ValueError):
    """The cloud's picture cannot be opened; the person's own photos are opened elsewhere."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body and how the picture in it was fitted.

    Attributes:
        json: UTF-8; hidden from reprs, for it holds pictures.
        fit: The sent picture's size against the original's.
    """

    json: bytes = field(repr=False)
    fit: Fit


def segment_body(
    pixels: Pixels, alpha: Matte | None, icc: bytes | None, parameters: dict[str, Any], *, max_bytes: int, smaller: bool
) -> Body:
    """The body of a segmentation call.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8 or None; transparent parts are shown to the cloud as white.
        icc: The profile that `pixels` stand in, None for sRGB.
        parameters: Everything of the body but the picture.
        max_bytes: The JPEG is not larger.
        smaller: Send at most `SMALLER_SIDE`.
    """
    fit = fit_within(pixels.shape[1], pixels.shape[0], longest=SMALLER_SIDE if smaller else LONGEST_SIDE)
    picture = scale(pixels, fit.width, fit.height)
    if alpha is not None:
        picture = _on_white(picture, scale(alpha, fit.width, fit.height))
    picture = _to_srgb(picture, icc)
    jpeg, fit = _jpeg_within(picture, fit, max_bytes)
    return Body(_json(parameters, [jpeg]), fit)


def inpaint_body(
    pixels: Pixels,
    mask: Mask,
    icc: bytes | None,
    parameters: dict[str, Any],
    *,
    longest: int,
    max_bytes: int,
    smaller: bool,
) -> Body:
    """The body of an inpainting call: the picture as JPEG, the mask as 8-bit grey PNG of the same size, 0 or 255.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, > 0 = fill.
        icc: The profile that `pixels` stand in, None for sRGB.
        parameters: Everything of the body but the pictures.
        longest: No side that is sent is longer.
        max_bytes: The JPEG is not larger.
        smaller: Send at most `SMALLER_SIDE`.
    """
    fit = fit_within(pixels.shape[1], pixels.shape[0], longest=min(longest, SMALLER_SIDE) if smaller else longest)
    picture = _to_srgb(scale(pixels, fit.width, fit.height), icc)
    jpeg, fit = _jpeg_within(picture, fit, max_bytes)
    hole = scale_hole(mask, fit.width, fit.height)
    hole = _pad(hole, fit, value=0)
    return Body(_json(parameters, [jpeg, _png(hole)]), fit)


def read_matte(picture: str, fit: Fit) -> Matte | None:
    """The mask out of a segmentation's answer.

    Args:
        picture: Base64 of a grey, RGB or RGBA picture of any size.
        fit: How the photo was sent.

    Returns:
        (h, w) uint8, 255 = surely subject, of whatever size it came in, its padding cut off; None where nothing is
        selected.

    Raises:
        BadPictureError: It cannot be opened.
    """
    opened = _open(picture)
    if opened.mode.startswith(("I", "F")):  # 16 bits a pixel
        wide = np.asarray(opened.convert("I"), dtype=np.int64)
        grey = np.clip(wide >> 8 if wide.max(initial=0) > 255 else wide, 0, 255).astype(np.uint8)
    else:
        rgba = np.asarray(opened.convert("RGBA"))
        grey = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)
        # A mask may come in the colours (alpha 255) or in the alpha (colours white): the product is right for both.
        grey = np.round(grey.astype(np.float32) * rgba[..., 3] / 255).astype(np.uint8)
    matte: Matte = _unpad(grey, fit)
    return matte if bool((matte >= _SURE).any()) else None


def read_fill(picture: str, fit: Fit, icc: bytes | None) -> Pixels:
    """The picture out of an inpainting's answer.

    Args:
        picture: Base64 of a picture of any size and format.
        fit: How the cut-out was sent.
        icc: The profile that the photo stands in; the fill is brought into it.

    Returns:
        (h, w, 3) uint8 RGB of whatever size it came in, its padding cut off.

    Raises:
        BadPictureError: It cannot be opened.
    """
    return _from_srgb(_unpad(np.asarray(_open(picture).convert("RGB")), fit), icc)


def scale(array: Pixels | Matte, width: int, height: int) -> Any:
    """Resize with antialiasing: areas are averaged on the way down, cubic on the way up; same size is a no-op."""
    if array.shape[1] == width and array.shape[0] == height:
        return array
    shrinks = width <= array.shape[1] and height <= array.shape[0]
    return cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def scale_hole(mask: Mask, width: int, height: int) -> Mask:
    """Resize a mask; whatever the hole touches stays hole: a stroke of one pixel must not vanish on its way."""
    selected = np.where(mask > 0, 255, 0).astype(np.uint8)
    return np.where(scale(selected, width, height) > 0, 255, 0).astype(np.uint8)


def _jpeg_within(picture: Pixels, fit: Fit, max_bytes: int) -> tuple[bytes, Fit]:
    """Encode within the limit: quality steps down before size does."""
    while True:
        padded = _pad(picture, fit)
        jpeg = _best_jpeg(padded, max_bytes)
        if jpeg is not None:
            return jpeg, fit
        fit = fit_within(fit.width, fit.height, longest=round(max(fit.width, fit.height) * 0.85))
        picture = scale(picture, fit.width, fit.height)


def _best_jpeg(pixels: Pixels, max_bytes: int) -> bytes | None:
    """The JPEG of the highest quality that is small enough; most photos fit at once, others take three more tries."""
    jpeg = _jpeg(pixels, QUALITIES[0])
    if len(jpeg) <= max_bytes:
        return jpeg
    best, low, high = None, 1, len(QUALITIES) - 1
    while low <= high:
        middle = (low + high) // 2
        jpeg = _jpeg(pixels, QUALITIES[middle])
        if len(jpeg) <= max_bytes:
            best, high = jpeg, middle - 1
        else:
            low = middle + 1
    return best


def _pad(array: Any, fit: Fit, *, value: int | None = None) -> Any:
    """Fill up to the outer size at the right and the bottom, with a value or by repeating the edge."""
    right, bottom = fit.outer_width - fit.width, fit.outer_height - fit.height
    if not right and not bottom:
        return array
    if value is None:
        return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=value)


def _unpad(array: Any, fit: Fit) -> Any:
    """Cut the padding off an answer, which may have been scaled by the cloud."""
    across = max(1, round(array.shape[1] * fit.width / fit.outer_width))
    down = max(1, round(array.shape[0] * fit.height / fit.outer_height))
    return np.ascontiguousarray(array[:down, :across])


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return buffer.getvalue()


def _png(mask: Mask) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _json(parameters: dict[str, Any], pictures: list[bytes]) -> bytes:
    listed = [base64.b64encode(picture).decode("ascii") for picture in pictures]
    return json.dumps({**parameters, "binary_data_base64": listed}).encode("ascii")


def _open(picture: str) -> Image.Image:
    text = picture.partition(",")[2] if picture.startswith("data:") else picture
    try:
        opened = Image.open(io.BytesIO(base64.b64decode(text)), formats=_ANSWER_FORMATS)
        too_large = opened.width * opened.height > _ANSWER_PIXELS
        if not too_large:
            opened.load()
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadPictureError(type(error).__name__) from error
    if too_large:
        raise BadPictureError(f"{opened.width}×{opened.height} pixels")
    return opened


def _on_white(pixels: Pixels, alpha: Matte) -> Pixels:
    share = alpha[..., None].astype(np.float32) / 255
    return np.round(pixels * share + 255 * (1 - share)).astype(np.uint8)


def _to_srgb(pixels: Pixels, icc: bytes | None) -> Pixels:
    return _convert(pixels, icc, inverse=False)


def _from_srgb(pixels: Pixels, icc: bytes | None) -> Pixels:
    return _convert(pixels, icc, inverse=True)


def _convert(pixels: Pixels, icc: bytes | None, *, inverse: bool) -> Pixels:
    """Between the photo's profile and sRGB; a profile that does not convert this way leaves the numbers alone."""
    if icc is None:
        return pixels
    srgb = ImageCms.createProfile("sRGB")
    try:
        own = ImageCms.getOpenProfile(io.BytesIO(icc))
        source, target = (srgb, own) if inverse else (own, srgb)
        converted = ImageCms.profileToProfile(Image.fromarray(pixels), source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels
    assert converted is not None, "not asked to convert in place"
    return np.asarray(converted)
