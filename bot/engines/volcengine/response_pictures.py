"""Reads the pictures of a response. Plain functions, run in the worker pool; the bytes are not trusted."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Final

import cv2
import numpy as np
from PIL import Image

from bot.engines.volcengine.fitting import unpad
from bot.engines.volcengine.geometry import Fit
from bot.engines.volcengine.srgb import from_srgb
from bot.imaging.photo import Matte, Pixels

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
_MAX_PIXELS: Final = 8192 * 8192
_SELECTED: Final = 128


class BadPictureError(ValueError):
    """Volcengine returned a picture that cannot be opened."""


def read_matte(picture: str, fit: Fit) -> Matte | None:
    """Read the mask of a segmentation response.

    Args:
        picture: Base64 of a grey, RGB or RGBA picture of any size.
        fit: How the photo was sent.

    Returns:
        (h, w) uint8, 255 = subject, in the size of the returned picture without its padding; None if it selects
        nothing.

    Raises:
        BadPictureError: The picture cannot be opened.
    """
    opened = _open(picture)
    if opened.mode.startswith(("I", "F")):  # 16 bits per pixel
        wide = np.asarray(opened.convert("I"), dtype=np.int64)
        grey = np.clip(wide >> 8 if wide.max(initial=0) > 255 else wide, 0, 255).astype(np.uint8)
    else:
        rgba = np.asarray(opened.convert("RGBA"))
        grey = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)
        # The mask is either in the colours (alpha 255) or in the alpha (colours white): the product covers both.
        grey = np.round(grey.astype(np.float32) * rgba[..., 3] / 255).astype(np.uint8)
    matte: Matte = unpad(grey, fit)
    return matte if bool((matte >= _SELECTED).any()) else None


def read_fill(picture: str, fit: Fit, icc: bytes | None) -> Pixels:
    """Read the picture of an inpainting response.

    Args:
        picture: Base64 of a picture of any size and format.
        fit: How the crop was sent.
        icc: ICC profile of the photo; the fill is converted to it.

    Returns:
        (h, w, 3) uint8 RGB in the size of the returned picture without its padding.

    Raises:
        BadPictureError: The picture cannot be opened.
    """
    return from_srgb(unpad(np.asarray(_open(picture).convert("RGB")), fit), icc)


def _open(picture: str) -> Image.Image:
    text = picture.partition(",")[2] if picture.startswith("data:") else picture
    try:
        opened = Image.open(io.BytesIO(base64.b64decode(text)), formats=_FORMATS)
        too_large = opened.width * opened.height > _MAX_PIXELS
        if not too_large:
            opened.load()
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadPictureError(type(error).__name__) from error
    if too_large:
        raise BadPictureError(f"{opened.width}×{opened.height} pixels")
    return opened
