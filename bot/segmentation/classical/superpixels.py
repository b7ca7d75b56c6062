"""Divides a photo into superpixels, on which the saliency measures and the candidates are computed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.segmentation.arrays import Floats, Ints

_MIN_SLIC_SIDE = 12
"""OpenCV's SLIC writes out of bounds in pictures of a few pixels' width; those are divided into squares."""


@dataclass(frozen=True, slots=True, eq=False)
class Superpixels:
    """The superpixels of one small picture and their neighbours.

    Attributes:
        labels: (H, W) int32, 0 … n-1.
        lab: (n, 3) mean CIE Lab colour, L 0 … 100, a and b about -100 … 100.
        centre: (n, 2) mean x and y, each 0 … 1 of the picture's width and height.
        area: (n,) pixels.
        border: (n,) number of the superpixel's pixels on the picture's border.
        pairs: (m, 2) int32, superpixels that touch; first < second, sorted.
        shared: (m,) length of the border between the two, in pixels.
    """

    labels: Ints
    lab: Floats
    centre: Floats
    area: Floats
    border: Floats
    pairs: Ints
    shared: Floats

    @property
    def count(self) -> int:
        """Number of superpixels."""
        return int(self.area.shape[0])

    def paint(self, values: Floats) -> Floats:
        """Give each pixel the value of its superpixel: (n,) → (H, W)."""
        return values[self.labels]

    def mean(self, picture: NDArray[np.generic]) -> Floats:
        """Mean of an (H, W) picture over each superpixel: (n,)."""
        flat = picture.astype(np.float32, copy=False).ravel()
        total = np.bincount(self.labels.ravel(), flat, self.count)
        return (total / self.area).astype(np.float32)


def to_lab(picture: Pixels) -> Floats:
    """Convert an RGB picture to CIE Lab: (H, W, 3) float32, L 0 … 100."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab), np.float32)


def make_superpixels(picture: Pixels, step: int = 14) -> Superpixels:
    """Divide a small picture into superpixels (SLIC, Achanta et al., TPAMI 2012).

    Args:
        picture: (H, W, 3) uint8 RGB, some hundred pixels across.
        step: Distance between the superpixels' centres in pixels.
    """
    lab = to_lab(picture)
    height, width = picture.shape[:2]
    step = max(3, min(step, height // 2, width // 2))
    if min(height, width) < _MIN_SLIC_SIDE:
        rows, columns = np.mgrid[:height, :width] // step
        return _measure((rows * (1 + (width - 1) // step) + columns).astype(np.int32), lab)
    slic = cv2.ximgproc.createSuperpixelSLIC(
        cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2Lab), (3, 3), 0), cv2.ximgproc.SLIC, step, 15.0
    )
    slic.iterate(6)
    slic.enforceLabelConnectivity(20)
    _, labels = np.unique(slic.getLabels(), return_inverse=True)
    return _measure(labels.reshape(height, width).astype(np.int32), lab)


def _measure(labels: Ints, lab: Floats) -> Superpixels:
    height, width = labels.shape
    flat = labels.ravel()
    count = int(flat.max()) + 1
    area = np.bincount(flat, minlength=count).astype(np.float32)
    colours = np.stack([np.bincount(flat, lab[..., i].ravel(), count) / area for i in range(3)], 1)
    rows, columns = np.divmod(np.arange(flat.size), width)
    centre = np.stack(
        [
            np.bincount(flat, (columns + 0.5) / width, count) / area,
            np.bincount(flat, (rows + 0.5) / height, count) / area,
        ],
        1,
    )
    on_border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    pairs, shared = _adjacent_pairs(labels, count)
    return Superpixels(
        labels=labels,
        lab=colours.astype(np.float32),
        centre=centre.astype(np.float32),
        area=area,
        border=np.bincount(on_border, minlength=count).astype(np.float32),
        pairs=pairs,
        shared=shared,
    )


def _adjacent_pairs(labels: Ints, count: int) -> tuple[Ints, Floats]:
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], 1)
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()], 1)
    both = np.concatenate([across, down])
    both = both[both[:, 0] != both[:, 1]]
    both.sort(axis=1)
    keys, lengths = np.unique(both[:, 0].astype(np.int64) * count + both[:, 1], return_counts=True)
    pairs = np.stack([keys // count, keys % count], 1).astype(np.int32)
    return pairs, lengths.astype(np.float32)
