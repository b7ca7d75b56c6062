"""Scales a photo down to the working copy, and a small mask back to the photo's size."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.matting import joint_upsampling
from bot.imaging.photo import Mask, Matte, Pixels
from bot.segmentation.arrays import Bools, Floats

_SOFT_BAND = 0.012
"""How far from the mask's edge the soft map is used, as a share of the long side. A pixel of u2netp's map is 0.003."""


def shrink(picture: Pixels, long_side: int) -> Pixels:
    """Scale a picture down so that its long side is at most `long_side` pixels; a smaller one is returned as it is."""
    height, width = picture.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    while max(picture.shape[:2]) > 8 * long_side:
        # INTER_AREA reads every pixel with a slow general kernel; subsampling first keeps 48 MP fast.
        picture = picture[::2, ::2]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def shrink_hint(hint: Mask, small: Pixels) -> Bools:
    """Scale a hint down to the size of `small`: (h, w). Even a tiny hint keeps some pixels."""
    size = small.shape[1], small.shape[0]
    shares = np.asarray(cv2.resize(hint, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray((shares > 0) & (shares >= min(128, int(shares.max()))), bool)


def resize_mask(mask: Bools, width: int, height: int) -> Bools:
    """Resize a mask to (height, width) by linear interpolation."""
    return np.asarray(cv2.resize(mask.astype(np.float32), (width, height)) > 0.5, bool)


def enlarge(mask: Bools, small: Pixels, picture: Pixels) -> Matte:
    """Scale a small mask up to the photo's size; its edge follows the photo's edges.

    Args:
        mask: (h, w) at the size of `small`.
        small: (h, w, 3) uint8 RGB, the photo scaled down.
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
    """Scale a soft map up to the photo's size along the photo's edges: soft near the mask's edge, hard elsewhere.

    A net's map is also grey where the net saw other objects faintly. Only near the mask's edge does grey mean an edge.

    Args:
        soft: (h, w) float32, 0 … 1, at the size of `small`; above 0.5 in the mask and below outside it, except where
            pieces were dropped or holes filled.
        mask: (h, w) at the size of `small`.
        small: (h, w, 3) uint8 RGB, the photo scaled down.
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
    # Full weight for half the reach, then a linear decrease: an abrupt end shows as steps where the map is all grey.
    weight = np.clip(2 - 2 * away / reach, 0, 1)
    # The threshold 0.5 lies between 127 and 128 of 255.
    grey = np.where(mask, 1 - np.maximum(soft, 0.503), np.minimum(soft, 0.497)) * weight
    edged = np.where(mask, 1 - grey, grey).astype(np.float32)
    return joint_upsampling.upsample(edged, small, picture, np.asarray(weight > 0, bool), radius=4)
