"""What stands behind the subject once the background is gone."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Matte, Photo


def clean_backdrop(photo: Photo, subject: Matte, *, seed: int) -> Photo:
    """A calm backdrop from the background's own colours."""
    small = cv2.resize(photo.pixels, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    keep = 255 - cv2.dilate(cv2.resize(subject, (64, 64), interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    weight = (keep > 128).astype(np.float32)
    sigma = 14 + 4 * (seed % 3)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-4
    base = cv2.GaussianBlur(small * weight[..., None], (0, 0), sigma) / total
    pixels = cv2.resize(base, (photo.width, photo.height), interpolation=cv2.INTER_CUBIC)
    return photo.with_pixels(np.clip(pixels, 0, 255).astype(np.uint8))


def blurred(photo: Photo, subject: Matte) -> Photo:
    """The background out of focus, without the subject's colours in it."""
    scale = min(1.0, 512 / max(photo.width, photo.height))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = (255 - cv2.resize(subject, size, interpolation=cv2.INTER_AREA)).astype(np.float32) / 255
    total = cv2.GaussianBlur(weight, (0, 0), 9)[..., None] + 1e-3
    pixels = cv2.GaussianBlur(small * weight[..., None], (0, 0), 9) / total
    large = cv2.resize(np.clip(pixels, 0, 255), (photo.width, photo.height), interpolation=cv2.INTER_CUBIC)
    return photo.with_pixels(np.clip(large, 0, 255).astype(np.uint8))


def from_picture(photo: Photo, picture: Photo) -> Photo:
    """Another picture, scaled and cropped to fill the photo's size."""
    scale = max(photo.width / picture.width, photo.height / picture.height)
    size = (max(photo.width, round(picture.width * scale)), max(photo.height, round(picture.height * scale)))
    scaled = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - photo.width) // 2, (size[1] - photo.height) // 2
    return photo.with_pixels(np.ascontiguousarray(scaled[top : top + photo.height, left : left + photo.width]))
