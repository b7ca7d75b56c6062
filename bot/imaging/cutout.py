"""Cutting the subject out: a finer matte, and colours without the old background in them."""

from __future__ import annotations

import cv2
import numpy as np

from bot.imaging.photo import Matte, Photo


def refine_matte(photo: Photo, matte: Matte) -> Matte:
    """Draw a matte's soft edge along the photo's edges (guided filter), in a band around it only."""
    radius = max(4, round(0.008 * max(photo.width, photo.height)))
    hard = np.where(matte >= 128, 255, 0).astype(np.uint8)
    size = (2 * radius + 1,) * 2
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    band = cv2.dilate(hard, kernel) != cv2.erode(hard, kernel)
    guided = cv2.ximgproc.guidedFilter(photo.pixels, hard, radius, 60.0)
    return np.where(band, guided, hard).astype(np.uint8)


def cut_out(photo: Photo, matte: Matte) -> Photo:
    """The subject with straight alpha; where it is soft, its colours are taken from its solid inside."""
    solid = np.where(matte >= 250, 255, 0).astype(np.uint8)
    soft = (matte > 0) & (matte < 250)
    pixels = photo.pixels.copy()
    if soft.any() and solid.any():
        weight = cv2.GaussianBlur(solid, (0, 0), 4).astype(np.float32)
        colours = cv2.GaussianBlur(photo.pixels * (solid[..., None] > 0), (0, 0), 4).astype(np.float32)
        usable = soft & (weight > 2)
        pixels[usable] = np.clip(colours[usable] / weight[usable][:, None] * 255, 0, 255).astype(np.uint8)
    alpha = matte if photo.alpha is None else np.minimum(matte, photo.alpha)
    return Photo(pixels, alpha, photo.icc_profile, photo.format)


def flatten(photo: Photo, colour: tuple[int, int, int]) -> Photo:
    """The photo over one colour, opaque."""
    if photo.alpha is None:
        return photo
    alpha = photo.alpha[..., None].astype(np.uint16)
    pixels = (photo.pixels * alpha + np.array(colour, np.uint16) * (255 - alpha) + 127) // 255
    return Photo(pixels.astype(np.uint8), None, photo.icc_profile, photo.format)
