"""Converts pixels between a photo's ICC profile and sRGB, the colour space that Volcengine works in."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from bot.imaging.photo import Pixels


def to_srgb(pixels: Pixels, icc: bytes | None) -> Pixels:
    """Convert from a profile to sRGB. None, or a profile that cannot be used, leaves the values unchanged."""
    return _convert(pixels, icc, inverse=False)


def from_srgb(pixels: Pixels, icc: bytes | None) -> Pixels:
    """Convert from sRGB to a profile. None, or a profile that cannot be used, leaves the values unchanged."""
    return _convert(pixels, icc, inverse=True)


def _convert(pixels: Pixels, icc: bytes | None, *, inverse: bool) -> Pixels:
    if icc is None:
        return pixels
    srgb = ImageCms.createProfile("sRGB")
    try:
        own = ImageCms.getOpenProfile(io.BytesIO(icc))
        source, target = (srgb, own) if inverse else (own, srgb)
        converted = ImageCms.profileToProfile(Image.fromarray(pixels), source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels
    assert converted is not None, "without inPlace, a new picture is returned"
    return np.asarray(converted)
