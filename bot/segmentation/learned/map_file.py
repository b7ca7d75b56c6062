"""The file in which a photo's maps are kept between two jobs: small, of bounded size, and harmless whatever it holds.

One line that names the format, one line of JSON, and the planes as bytes, deflated. Maps of another photo or of another
model are not used; the photo is recognised by a tiny grey copy, so that a copy of it in another size is the same photo.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from bot.imaging.photo import Pixels
from bot.models.registry import MODELS
from bot.segmentation.learned.net import Floats

Planes: TypeAlias = dict[str, tuple[tuple[float, float, float, float], Floats]]
"""Name → window (left, top, right, bottom as shares) and plane (side, side) float32, 0 … 1 in steps of 1/255."""

MOST_PLANES = 12
MOST_BYTES = 4_000_000
"""A larger file is not read. Seven planes of u2netp take 50 to 250 kB."""
_FORMAT = b"photo-maps 1\n"
_LONGEST_HEAD = 8192
_COPY = 16
"""Width and height of the grey copy that the photo is recognised by."""
_SAME = 3.0
"""Mean difference of the grey copies (of 255) up to which it is the same photo, scaled or coded again."""
_SAME_SHAPE = 0.03
"""Relative difference of the sides' ratio: a copy's sides are rounded."""


def write(path: Path, model: str, picture: Pixels, planes: Planes) -> None:
    """Write the maps in one step; a file system that refuses leaves the photo without kept maps.

    Args:
        path: The file; its folder exists.
        model: Name of the model that saw them.
        picture: (H, W, 3) uint8, the photo.
        planes: At most `MOST_PLANES`; further ones are left out.
    """
    kept = dict(list(planes.items())[:MOST_PLANES])
    head = {
        "model": model,
        "shape": picture.shape[1] / picture.shape[0],
        "copy": [round(float(grey), 1) for grey in _grey_copy(picture).ravel()],
        "planes": [[name, list(window)] for name, (window, _) in kept.items()],
    }
    body = b"".join(np.round(plane * 255).astype(np.uint8).tobytes() for _, plane in kept.values())
    data = _FORMAT + json.dumps(head).encode() + b"\n" + zlib.compress(body, 1)
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def read(path: Path, model: str, picture: Pixels) -> Planes:
    """The maps that are kept of this photo; none where the file is missing, broken, or of another photo or model.

    Args:
        path: The file.
        model: Name of the model that would see them now.
        picture: (H, W, 3) uint8, the photo, or a copy of it in another size.
    """
    look = MODELS[model].look
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if look is None or len(data) > MOST_BYTES or not data.startswith(_FORMAT):
            return {}
        line, _, body = data[len(_FORMAT) :].partition(b"\n")
        if len(line) > _LONGEST_HEAD:
            return {}
        return _decode(json.loads(line), body, model, look.side, picture)
    except (OSError, ValueError, TypeError, KeyError, IndexError, ArithmeticError, RecursionError, zlib.error):
        return {}


def _decode(head: Any, body: bytes, model: str, side: int, picture: Pixels) -> Planes:
    shape = picture.shape[1] / picture.shape[0]
    copy = np.array(head["copy"], np.float32)
    names = [(str(name), _window(window)) for name, window in head["planes"]]
    if (
        head["model"] != model
        or len(names) > MOST_PLANES
        or abs(float(head["shape"]) - shape) > _SAME_SHAPE * shape
        or copy.shape != (_COPY * _COPY,)
        or not float(np.abs(copy - _grey_copy(picture).ravel()).mean()) <= _SAME
    ):
        return {}
    wanted = len(names) * side * side
    stream = zlib.decompressobj()
    raw = stream.decompress(body, wanted + 1)
    if len(raw) != wanted:
        return {}
    planes = np.frombuffer(raw, np.uint8).reshape(len(names), side, side).astype(np.float32) / np.float32(255)
    return {name: (window, plane) for (name, window), plane in zip(names, planes, strict=True)}


def _window(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in values)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("no window")
    return left, top, right, bottom


def _grey_copy(picture: Pixels) -> Floats:
    step = max(1, min(picture.shape[:2]) // 512)
    small = cv2.resize(np.ascontiguousarray(picture[::step, ::step]), (_COPY, _COPY), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
