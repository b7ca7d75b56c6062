"""Colour profiles: RGB profiles are kept; other colour spaces are converted to sRGB."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

from bot.imaging.icc_profile import slimmed

_SPACES = {"L": "GRAY", "CMYK": "CMYK", "RGB": "RGB", "LAB": "Lab"}
"""Pillow's mode → the colour space (ICC.1:2022, table 19) that its profile must have."""


def to_rgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Convert a picture to RGB.

    Args:
        image: Upright, without alpha, 8 bits a channel, of any mode.
        profile: The profile embedded in its file; a damaged one or one of another colour space is ignored.

    Returns:
        The picture in mode RGB, and the RGB profile of its values, or None for sRGB.
    """
    if image.mode == "P":
        # A palette holds RGB values, and its profile describes RGB.
        image = image.convert("RGB")
    source = _parse(profile, image.mode)
    if image.mode == "RGB":
        kept = slimmed(profile) if profile is not None and source is not None else None
        if kept is not None or source is None:
            return image, kept
    if image.mode == "LAB":
        source = source or ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    if source is not None:
        try:
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except ImageCms.PyCMSError:
            converted = None
        if converted is not None:
            return converted, None
    return image.convert("RGB"), None


def _parse(profile: bytes | None, mode: str) -> ImageCms.ImageCmsProfile | None:
    if not profile:
        return None
    try:
        parsed = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = parsed.profile.xcolor_space.strip()
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None
    return parsed if space == _SPACES.get(mode) else None
