"""Colour profiles: what is kept for RGB, and how everything else becomes RGB."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

from bot.imaging.icc_profile import slimmed

_SPACES = {"L": "GRAY", "CMYK": "CMYK", "RGB": "RGB", "LAB": "Lab"}
"""The colour space (ICC.1:2022, table 19) that a profile must be of, to speak of a picture in Pillow's mode."""


def to_rgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """A picture in RGB, and the profile that its numbers then stand in.

    Args:
        image: Upright, without alpha, 8 bits a channel, of any mode.
        profile: The profile embedded in its file; one that is damaged or of another colour space is passed over.

    Returns:
        The picture in mode RGB; the profile where it was one for RGB and still holds, else None for sRGB.
    """
    if image.mode == "P":
        # A palette holds RGB; so does its profile.
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
