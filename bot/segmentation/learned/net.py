"""Learned segmenters: the best model whose file is there looks at a photo, or at a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.imaging.photo import Pixels
from bot.models import sessions
from bot.models.registry import MODELS, SEGMENTERS, Look

Floats: TypeAlias = NDArray[np.float32]
Window: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels, within the picture; the last two just outside."""

NOTHING = 0.25
"""A map whose largest value is below this is from a net that saw nothing; rembg stretches it to a mask all the same."""
LARGE_SIDE = 512
"""Nets with a square from this size on cost a second a pass: they look once, not several times."""
_TOO_FINE = 6
"""A picture larger than this multiple of the net's square is thinned first: OpenCV's INTER_AREA reads every pixel."""


class NoSegmenterError(Exception):
    """No learned segmenter is there, or none works: the classical way has to answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a segmenter saw.

    Attributes:
        matte: (H, W) float32, 0 … 1, of the picture's size.
        model: Name of the model.
    """

    matte: Floats
    model: str


class Eye:
    """The best segmenter of a folder, looking at one picture.

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
        """Name of the model that answers.

        Raises:
            NoSegmenterError: None is there that works.
        """
        for name in SEGMENTERS:
            if name not in self._broken and (self._models / MODELS[name].file).is_file():
                return name
        raise NoSegmenterError

    @property
    def is_slow(self) -> bool:
        """Whether a pass takes so long that one has to do."""
        look = MODELS[self.model].look
        return look is not None and look.side >= LARGE_SIDE

    def see(
        self,
        window: Window | None = None,
        *,
        picture: Pixels | None = None,
        mirrored: bool = False,
        more: bool = False,
    ) -> Floats:
        """Look at the picture once, or at a window of it.

        Args:
            window: The part to look at; None: all of it.
            picture: Another picture to look at instead.
            mirrored: Look at it mirrored; the answer is mirrored back.
            more: Another look follows at once, so that the session's working memory is worth keeping.

        Returns:
            (side, side) float32, 0 … 1, of the model's square; as the net gives it, not stretched.

        Raises:
            NoSegmenterError: No model is there that works.
        """
        left, top, right, bottom = (0, 0, *self.size) if window is None else window
        part = self._picture[top:bottom, left:right] if picture is None else picture
        if mirrored:
            part = part[:, ::-1]
        while True:
            name = self.model
            look = MODELS[name].look
            assert look is not None
            answers = sessions.run(name, self._models, prepare(part, look), more=more)
            if answers is not None:
                plane = _as_plane(answers[0], look)
                return np.ascontiguousarray(plane[:, ::-1]) if mirrored else plane
            self._broken.add(name)


def learned_matte(picture: Pixels, folder: Path) -> Seen | None:
    """Ask the best segmenter of the folder once.

    Args:
        picture: (H, W, 3) uint8 RGB; it is resized to the model's square.
        folder: Where the model files are.

    Returns:
        What it saw, stretched to 0 … 1 (all 0 where it saw nothing), or None where no model is there or none works.
    """
    eye = Eye(picture, folder)
    try:
        plane = eye.see()
    except NoSegmenterError:
        return None
    width, height = eye.size
    if float(plane.max()) < NOTHING:
        return Seen(np.zeros((height, width), np.float32), eye.model)
    return Seen(np.asarray(cv2.resize(stretch(plane), (width, height)), np.float32), eye.model)


def stretch(plane: Floats) -> Floats:
    """The map with its smallest value at 0 and its largest at 1; all 0 where it is flat."""
    low, high = float(plane.min()), float(plane.max())
    if high - low < 1e-6:
        return np.zeros_like(plane)
    return np.asarray((plane - low) / (high - low), np.float32)


def prepare(picture: Pixels, look: Look) -> Floats:
    """The picture as the model wants it: (1, 3, side, side) float32."""
    pixels = square(picture, look.side).astype(np.float32)
    peak = float(pixels.max()) if look.by_peak else 255.0
    scaled = pixels / max(peak, 1e-6)
    normal = (scaled - np.array(look.mean, np.float32)) / np.array(look.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def square(picture: Pixels, side: int) -> Pixels:
    """The picture squeezed into a square: (side, side, 3) uint8."""
    step = max(1, min(picture.shape[:2]) // (_TOO_FINE * side))
    picture = np.ascontiguousarray(picture[::step, ::step])
    height, width = picture.shape[:2]
    # INTER_AREA averages where it shrinks, but gives blocks where it enlarges: each axis by its own need.
    shrunk = min(width, side), min(height, side)
    if shrunk != (width, height):
        picture = np.asarray(cv2.resize(picture, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    if shrunk != (side, side):
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    return picture


def _as_plane(answer: NDArray[np.float32], look: Look) -> Floats:
    plane = np.nan_to_num(np.asarray(answer, np.float32).reshape(look.side, look.side), posinf=0.0, neginf=0.0)
    if look.logits:
        plane = np.asarray(1 / (1 + np.exp(-np.clip(plane, -30, 30))), np.float32)
    return np.clip(plane, 0, 1)
