"""The sample pictures. `scenes/` renders them, so they need no licence and no files.

Each has one salient subject in front of a textured background.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from threading import Lock

from bot.imaging.encoding import encode
from bot.imaging.photo import Mask, Photo, Pixels
from bot.playground import painting
from bot.playground.scenes import balloon, beach, boat, mug

_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture.

    Attributes:
        name: As in its URL: lower case, no spaces.
        title_en: The title in English.
        title_zh: The title in Chinese.
        scene: Renders the picture and the mask of its subject; deterministic.
    """

    name: str
    title_en: str
    title_zh: str
    scene: Callable[[], tuple[Pixels, Mask]]

    def paint(self) -> Pixels:
        """The picture: (H, W, 3) uint8 sRGB."""
        return self.scene()[0]

    def mask(self) -> Mask:
        """The mask of its subject: (H, W) uint8, 255 = subject."""
        return self.scene()[1]


SAMPLES: tuple[Sample, ...] = (
    Sample("balloon", "A balloon over a meadow", "草地上空的热气球", balloon.paint),
    Sample("boat", "A boat on a mountain lake", "山间湖上的帆船", boat.paint),
    Sample("mug", "A mug on a wooden table", "木桌上的马克杯", mug.paint),
    Sample("beach", "A parasol on the beach", "沙滩上的遮阳伞", beach.paint),
)

_BY_NAME = {sample.name: sample for sample in SAMPLES}
_LOCKS = {name: Lock() for name in _BY_NAME}


def names() -> tuple[str, ...]:
    """The samples' names, in display order."""
    return tuple(_BY_NAME)


def jpeg(name: str) -> bytes:
    """A sample as a JPEG. It is rendered once per process, also with concurrent callers.

    Raises:
        KeyError: There is no such sample.
    """
    with _LOCKS[name]:
        return _render(name)


@cache
def _render(name: str) -> bytes:
    # In a process that ends: painting takes 100 MB, which a process that goes on would keep.
    context, ignored = multiprocessing.get_context("forkserver"), (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(1, context, initializer=signal.signal, initargs=ignored) as process:
        try:
            return process.submit(_paint, name).result()
        except BrokenProcessPool:  # killed
            return _paint(name)


def _paint(name: str) -> bytes:
    return encode(Photo(_BY_NAME[name].paint()), "JPEG", quality=_QUALITY)


def size(name: str) -> tuple[int, int]:
    """Width and height of a sample, in pixels.

    Raises:
        KeyError: There is no such sample.
    """
    _ = _BY_NAME[name]
    return painting.WIDTH, painting.HEIGHT
