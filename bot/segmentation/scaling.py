"""From a photo to the small copy that is worked on, and from a small mask back to the photo."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.matting import joint_upsampling
from bot.imaging.photo import Mask, Matte, Pixels
from bot.segmentation.classical.grabcut import Bools
from bot.segmentation.classical.superpixels import Floats

_SOFT_BAND = 0.012
"""Of the long side: how far from the mask's edge the soft map is believed. A pixel of u2netp's map is 0.003."""


def shrink(picture: Pixels, long_side: int) -> Pixels:
    """The picture with its long side at most `long_side` pixels; itself where it is small enough."""
    height, width = picture.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    while max(picture.shape[:2]) > 8 * long_side:
        # INTER_AREA reads every pixel with a slow general kernel; whole-number strides first keep 48 MP quick.
        picture = picture[::2, ::2]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def shrink_hint(hint: Mask, small: Pixels) -> Bools:
    """A hint at the small copy's size, (h, w); the tiniest hint stays."""
    size = small.shape[1], small.shape[0]
    shares = np.asarray(cv2.resize(hint, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray((shares > 0) & (shares >= min(128, int(shares.max()))), bool)


def enlarge(mask: Bools, small: Pixels, picture: Pixels) -> Matte:
    """Carry a small mask up to the photo's size along the photo's edges.

    Args:
        mask: (h, w) of the small copy.
        small: (h, w, 3) uint8 RGB, the photo shrunk.
        picture: (H, W, 3) uint8 RGB, the photo.

    Returns:
        (H, W) uint8.
    """
    solid = mask.astype(np.uint8)
    around = np.ones((7, 7), np.uint8)
    band = cv2.dilate(solid, around) > cv2.erode(solid, around, borderType=cv2.BORDER_REPLICATE)
    soft = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7), np.float32)
    return joint_upsampling.upsample(soft, small, picture, np.asarray(band, bool), radius=4)


def enlarge_soft(soft: Floats, mask: Bools, small: Pixels, picture: Pixels) -> Matte:
    """Carry a soft map up to the photo's size along the photo's edges: soft near the mask's edge, hard elsewhere.

    A net's map is grey also where it half saw other things; only near the mask's edge does its grey mean an edge.

    Args:
        soft: (h, w) float32, 0 … 1, of the small copy; above 0.5 in the mask, below outside it, but for what was
            dropped or filled.
        mask: (h, w) of the small copy.
        small: (h, w, 3) uint8 RGB, the photo shrunk.
        picture: (H, W, 3) uint8 RGB, the photo.

    Returns:
        (H, W) uint8; at least 128 where the mask is.
    """
    reach = max(3.0, _SOFT_BAND * max(mask.shape))
    solid = mask.astype(np.uint8)
    inward = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 3)[
        1:-1, 1:-1
    ]
    away = np.where(mask, inward, cv2.distanceTransform(1 - solid, cv2.DIST_L2, 3))
    # Believed wholly for half the reach, then less and less: a hard end shows as steps where the map is grey all over.
    belief = np.clip(2 - 2 * away / reach, 0, 1)
    # The half lies between 127 and 128 of 255.
    grey = np.where(mask, 1 - np.maximum(soft, 0.503), np.minimum(soft, 0.497)) * belief
    edged = np.where(mask, 1 - grey, grey).astype(np.float32)
    return joint_upsampling.upsample(edged, small, picture, np.asarray(belief > 0, bool), radius=4)
