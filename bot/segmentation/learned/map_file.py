"""The file that caches a photo's saliency maps between two jobs. It is small and bounded; any content is safe to read.

Format: one line with the format's name, one line of JSON, then the planes as deflated bytes. Maps of another photo or
of another model are ignored. A tiny grey copy identifies the photo, so that it may come in another size.
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
from bot.segmentation.arrays import Floats

Planes: TypeAlias = dict[str, tuple[tuple[float, float, float, float], Floats]]
"""Name → window (left, top, right, bottom as shares) and plane (side, side) float32, 0 … 1 in steps of 1/255."""

MAX_PLANES = 12
MAX_BYTES = 4_000_000
"""Larger files are not read. Seven planes of u2netp take 50 to 250 kB."""
_FORMAT = b"photo-maps 2\n"
"""The number grows when the same model gives other maps: from another output, say."""
_MAX_HEADER_BYTES = 8192
_COPY_SIDE = 16
"""Width and height of the grey copy that identifies the photo."""
_MAX_DIFFERENCE = 3.0
"""Mean difference of the grey copies (of 255) up to which they show the same photo, scaled or encoded again."""
_MAX_SHAPE_DIFFERENCE = 0.03
"""Relative difference of the aspect ratios up to which they are the same: a copy's sides are rounded."""


def write(path: Path, model: str, picture: Pixels, planes: Planes) -> None:
    """Write the maps atomically. Where the file system refuses, nothing is written and nothing is raised.

    Args:
        path: The file; its folder exists.
        model: Name of the model that computed the maps.
        picture: (H, W, 3) uint8, the photo.
        planes: The maps; those after the first `MAX_PLANES` are left out.
    """
    kept = dict(list(planes.items())[:MAX_PLANES])
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
    """Read the maps of this photo.

    Args:
        path: The file.
        model: Name of the model that is in use now.
        picture: (H, W, 3) uint8, the photo, or a copy of it in another size.

    Returns:
        The maps; empty where the file is missing, broken, or of another photo or model.
    """
    spec = MODELS[model].segmenter_spec
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if spec is None or len(data) > MAX_BYTES or not data.startswith(_FORMAT):
            return {}
        line, _, body = data[len(_FORMAT) :].partition(b"\n")
        if len(line) > _MAX_HEADER_BYTES:
            return {}
        return _decode(json.loads(line), body, model, spec.side, picture)
    except (OSError, ValueError, TypeError, KeyError, IndexError, ArithmeticError, RecursionError, zlib.error):
        return {}


def _decode(head: Any, body: bytes, model: str, side: int, picture: Pixels) -> Planes:
    shape = picture.shape[1] / picture.shape[0]
    copy = np.array(head["copy"], np.float32)
    names = [(str(name), _parse_window(window)) for name, window in head["planes"]]
    if (
        head["model"] != model
        or len(names) > MAX_PLANES
        or abs(float(head["shape"]) - shape) > _MAX_SHAPE_DIFFERENCE * shape
        or copy.shape != (_COPY_SIDE * _COPY_SIDE,)
        or not float(np.abs(copy - _grey_copy(picture).ravel()).mean()) <= _MAX_DIFFERENCE
    ):
        return {}
    wanted = len(names) * side * side
    stream = zlib.decompressobj()
    raw = stream.decompress(body, wanted + 1)
    if len(raw) != wanted:
        return {}
    planes = np.frombuffer(raw, np.uint8).reshape(len(names), side, side).astype(np.float32) / np.float32(255)
    return {name: (window, plane) for (name, window), plane in zip(names, planes, strict=True)}


def _parse_window(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in values)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("not a window within the photo")
    return left, top, right, bottom


def _grey_copy(picture: Pixels) -> Floats:
    step = max(1, min(picture.shape[:2]) // 512)
    small = cv2.resize(
        np.ascontiguousarray(picture[::step, ::step]), (_COPY_SIDE, _COPY_SIDE), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
