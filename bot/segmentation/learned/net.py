"""The neural net: runs the best segmenter whose model file is present on a photo or on a part of it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.models import sessions
from bot.models.registry import MODELS, SEGMENTERS, SegmenterSpec
from bot.segmentation.arrays import Floats

Window: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels, within the picture; right and bottom are exclusive."""

MIN_PEAK = 0.25
"""A saliency map whose largest value is below this means that the net saw nothing (docs/local-engine.md#doubt). rembg
stretches such a map to a mask all the same."""
SLOW_SIDE = 512
"""A net with an input square from this side on takes a second a pass: it gets one pass instead of several."""
_MAX_OVERSAMPLING = 6
"""A picture larger than this multiple of the net's square is subsampled first: INTER_AREA reads every pixel."""


class NoUsableModelError(Exception):
    """No segmenter's model file is present, or none of them runs. The caller uses the classical method."""


class SaliencyNet:
    """The best usable segmenter of a folder, applied to one picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        models: Folder of the model files.
    """

    def __init__(self, picture: Pixels, models: Path) -> None:
        self._picture = picture
        self._models = models
        self._broken: set[str] = set()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return self._picture.shape[1], self._picture.shape[0]

    @property
    def model(self) -> str:
        """Name of the model that is used.

        Raises:
            NoUsableModelError: No usable model is present.
        """
        for name in SEGMENTERS:
            if name not in self._broken and (self._models / MODELS[name].file).is_file():
                return name
        raise NoUsableModelError

    @property
    def is_slow(self) -> bool:
        """Whether a pass takes so long that the caller should make do with one.

        Raises:
            NoUsableModelError: No usable model is present.
        """
        spec = MODELS[self.model].segmenter_spec
        return spec is not None and spec.side >= SLOW_SIDE

    def predict(
        self,
        window: Window | None = None,
        *,
        picture: Pixels | None = None,
        mirrored: bool = False,
        keep_memory: bool = False,
    ) -> Floats:
        """Run the net once on the picture or on a window of it.

        A model that fails is skipped from then on; the next best one answers.

        Args:
            window: The part to run on; None: the whole picture.
            picture: (h, w, 3) uint8 RGB, used instead of the picture.
            mirrored: Run on the mirror image; the map is mirrored back.
            keep_memory: Keep the session's working memory, because another pass follows at once.

        Returns:
            (side, side) float32 saliency map of the model's square, 0 … 1, not stretched.

        Raises:
            NoUsableModelError: No usable model is present.
        """
        left, top, right, bottom = (0, 0, *self.size) if window is None else window
        part = self._picture[top:bottom, left:right] if picture is None else picture
        if mirrored:
            part = part[:, ::-1]
        while True:
            name = self.model
            spec = MODELS[name].segmenter_spec
            assert spec is not None
            outputs = sessions.run(name, self._models, prepare(part, spec), keep_memory=keep_memory)
            if outputs is not None:
                values = _to_map(outputs[0], spec)
                return np.ascontiguousarray(values[:, ::-1]) if mirrored else values
            self._broken.add(name)


def stretch(values: Floats) -> Floats:
    """Scale a map so that its smallest value is 0 and its largest 1; all 0 where it is flat."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.zeros_like(values)
    return np.asarray((values - low) / (high - low), np.float32)


def prepare(picture: Pixels, spec: SegmenterSpec) -> Floats:
    """Convert a picture to the model's input: (1, 3, side, side) float32."""
    pixels = squeeze_to_square(picture, spec.side).astype(np.float32)
    peak = float(pixels.max()) if spec.by_peak else 255.0
    scaled = pixels / max(peak, 1e-6)
    normal = (scaled - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def squeeze_to_square(picture: Pixels, side: int) -> Pixels:
    """Resize a picture to a square, whatever its aspect ratio: (side, side, 3) uint8."""
    step = max(1, min(picture.shape[:2]) // (_MAX_OVERSAMPLING * side))
    picture = np.ascontiguousarray(picture[::step, ::step])
    height, width = picture.shape[:2]
    # INTER_AREA averages where it shrinks but gives blocks where it enlarges, so each axis is resized separately.
    shrunk = min(width, side), min(height, side)
    if shrunk != (width, height):
        picture = np.asarray(cv2.resize(picture, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    if shrunk != (side, side):
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    return picture


def _to_map(output: NDArray[np.float32], spec: SegmenterSpec) -> Floats:
    values = np.nan_to_num(np.asarray(output, np.float32).reshape(spec.side, spec.side), posinf=0.0, neginf=0.0)
    if spec.logits:
        values = np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), np.float32)
    return np.clip(values, 0, 1)
