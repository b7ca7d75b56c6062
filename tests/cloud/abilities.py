"""The stand-in's abilities: the documented rules for pictures and parameters, and the pictures they return."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import cv2
import numpy as np
from PIL import Image

SALIENCY = "saliency_seg"
ERASE = "i2i_inpainting"
DREAM_ERASE = "jimeng_image2image_dream_inpaint"
MAX_BASE64 = 4_700_000


class RuleBrokenError(Exception):
    """The request breaks a documented rule; carries the code that Volcengine returns, and the reason."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why


def open_pictures(body: dict[str, Any]) -> list[Image.Image]:
    """Decode the request's pictures and check them against the rules of the ability."""
    count = 1 if body["req_key"] == SALIENCY else 2
    listed = body.get("binary_data_base64")
    if not isinstance(listed, list) or len(listed) != count:
        raise RuleBrokenError(50206, f"{count} pictures are needed")
    opened = []
    for text in listed:
        if len(text) > MAX_BASE64:
            raise RuleBrokenError(50205, f"{len(text)} characters of base64")
        try:
            picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
            picture.load()
        except (binascii.Error, OSError) as error:
            raise RuleBrokenError(50207, f"not a picture: {error}") from error
        opened.append(picture)
    if body["req_key"] == SALIENCY:
        _check_saliency(opened[0])
    else:
        _check_erase(*opened)
    return opened


def _check_saliency(photo: Image.Image) -> None:
    if photo.format not in ("JPEG", "PNG", "BMP"):
        raise RuleBrokenError(50207, f"format {photo.format}")
    if min(photo.size) < 128 or max(photo.size) > 4096:
        raise RuleBrokenError(50205, f"size {photo.size}")


def _check_erase(photo: Image.Image, mask: Image.Image) -> None:
    if photo.format not in ("JPEG", "PNG"):
        raise RuleBrokenError(50207, f"format {photo.format}")
    if min(photo.size) <= 64 or max(photo.size) >= 4096:
        raise RuleBrokenError(50205, f"size {photo.size}")
    if mask.size != photo.size:
        raise RuleBrokenError(50215, f"mask of {mask.size} for a photo of {photo.size}")
    if mask.format != "PNG" or mask.mode not in ("L", "RGB", "RGBA"):
        raise RuleBrokenError(50215, f"mask is {mask.format} {mask.mode}")
    if "icc_profile" in mask.info:
        raise RuleBrokenError(50215, "mask has an ICC profile")
    channels = np.asarray(mask.convert("RGBA"))
    if not (np.ptp(channels[..., :3], axis=2) == 0).all() or not (channels[..., 3] == 255).all():
        raise RuleBrokenError(50215, "mask is not grey")
    if not np.isin(channels[..., 0], (0, 255)).all():
        raise RuleBrokenError(50215, "mask has other values than 0 and 255")
    if not channels[..., 0].any():
        raise RuleBrokenError(50215, "mask is black")


def check_parameters(body: dict[str, Any]) -> None:
    """Check the request's parameters against the documented ranges."""
    if body["req_key"] == SALIENCY:
        if body.get("only_mask", 0) not in range(5) or body.get("refine_mask", 0) not in range(3):
            raise RuleBrokenError(50200, "only_mask or refine_mask")
        return
    if type(body.get("seed", 0)) is not int:
        raise RuleBrokenError(50200, "seed")
    if body["req_key"] == DREAM_ERASE:
        if not body.get("prompt"):
            raise RuleBrokenError(50201, "prompt")
        return
    in_range = (
        type(body.get("steps", 30)) is int
        and body.get("steps", 30) >= 1
        and 0.1 <= body.get("strength", 0.8) <= 1
        and 1 <= body.get("scale", 7) <= 20
        and type(body.get("dilate_size", 15)) is int
        and body.get("quality", "M") in ("H", "M", "L")
    )
    if not in_range:
        raise RuleBrokenError(50200, "a parameter is out of its range")


def find_subject(photo: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the largest region unlike the border's colour: (H, W) uint8, 0 or 255; all 0 if there is none."""
    pixels = np.asarray(photo.convert("RGB")).astype(np.int16)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    distance = np.abs(pixels - np.median(border, axis=0)).max(axis=2)
    different = cv2.morphologyEx((distance > 48).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(different)
    if count < 2:
        return np.zeros_like(different)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where(labels == largest, 255, 0).astype(np.uint8)


def fill(photo: Image.Image, mask: Image.Image, seed: int) -> Image.Image:
    """Fill the hole from its surroundings. Also changes every pixel outside the mask, as a service may."""
    pixels = np.asarray(photo.convert("RGB"))
    hole = np.asarray(mask.convert("L"))
    filled = cv2.inpaint(np.ascontiguousarray(pixels), hole, 3, cv2.INPAINT_TELEA)
    tint = np.random.default_rng(seed).integers(-6, 7, size=3)
    outside = np.where(hole[..., None] == 0, 24, 0)
    changed = np.clip(filled.astype(np.int16) + tint + outside, 0, 255)
    return Image.fromarray(changed.astype(np.uint8))


def encode(picture: Image.Image, file_format: str) -> str:
    """Return a picture as the base64 text of a response."""
    buffer = io.BytesIO()
    picture.save(buffer, file_format)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
