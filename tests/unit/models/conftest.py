"""Fixtures: a folder of tiny models that the registry takes for the published ones, and fresh sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bot.imaging.photo import Pixels
from bot.models import sessions
from bot.models.registry import MODELS
from bot.segmentation.arrays import Floats
from bot.segmentation.learned.net import SaliencyNet, stretch

Publish = Callable[[str, bytes], Path]
Register = Callable[..., None]


def predict(picture: Pixels, folder: Path) -> Floats:
    """The best segmenter's map of a picture, stretched and at the picture's size."""
    net = SaliencyNet(picture, folder)
    return np.asarray(cv2.resize(stretch(net.predict()), net.size), np.float32)


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Make the registry hold these bytes for the published file of that name, at that address where one is given."""

    def publish_(name: str, content: bytes, url: str | None = None) -> None:
        model, digest = MODELS[name], hashlib.sha256(content).hexdigest()
        published = replace(model, sha256=digest, size=len(content), url=url or model.url)
        monkeypatch.setitem(MODELS, name, published)

    return publish_


@pytest.fixture
def place(tmp_path: Path, publish: Register) -> Publish:
    """Publish a file and put it into the models folder; gives the folder."""

    def place_(name: str, content: bytes) -> Path:
        publish(name, content)
        (tmp_path / MODELS[name].file).write_bytes(content)
        return tmp_path

    return place_


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[sessions.Sessions]:
    """Sessions of this test alone."""
    own = sessions.Sessions()
    monkeypatch.setattr(sessions, "_process_sessions", own)
    yield own
    own.close()
