"""Plain photos, one object each, that packages of the `bench` set ship; their hand-made masks lie in `plain/`."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from bot.imaging.photo import Mask, Pixels
from tests.benchmarks import _photos

MASKS = Path(__file__).parent / "plain"

LEMUR = _photos.PHOTOS / "cc0" / "lemur.png"
"""One more plain photo lies beside the checkout, with a true matte."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a photo lies.

    Attributes:
        package: The import name of the package that ships it.
        path: Its path in that package.
        sha256: Of the picture's file.
        member: Its name in the archive, where `path` is one.
        crop: Left, top, right, bottom of the part that is used; None: all of it.
    """

    package: str
    path: str
    sha256: str
    member: str | None = None
    crop: tuple[int, int, int, int] | None = None

    @property
    def file(self) -> Path | None:
        """The file on this machine; None where the package is not installed. The package is not imported."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        found = Path(next(iter(spec.submodule_search_locations))) / self.path
        return found if found.is_file() else None

    def read(self) -> bytes:
        """The picture's file, which must be the one that the mask was drawn on.

        Raises:
            FileNotFoundError: The package is not installed.
            ValueError: It ships another picture.
        """
        if (path := self.file) is None:
            raise FileNotFoundError(f"{self.package} ships no {self.path} here")
        content = path.read_bytes()
        if self.member is not None:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                member = archive.extractfile(self.member)
                assert member is not None
                content = member.read()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(f"{self.package}'s {self.path} is not the picture that the mask was drawn on")
        return content


_CATS = "data/cats.tar.gz"

PICTURES: dict[str, Picture] = {
    "astronaut": Picture(
        "skimage", "data/astronaut.png", "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
    ),
    "cameraman": Picture(
        "skimage", "data/camera.png", "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a"
    ),
    "chelsea": Picture(
        "skimage", "data/chelsea.png", "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"
    ),
    "coffee": Picture("skimage", "data/coffee.png", "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
    "motorcycle": Picture(
        "skimage", "data/motorcycle_left.png", "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179"
    ),
    "rocket": Picture("skimage", "data/rocket.jpg", "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"),
    "officer": Picture(
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    ),
    "dahlia": Picture(
        "sklearn",
        "datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        crop=(0, 0, 640, 366),
    ),
    "pagoda": Picture(
        "sklearn", "datasets/images/china.jpg", "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"
    ),
    "quokka": Picture("imgaug", "quokka.jpg", "bf1059d0f925e7d0c712cadf07a04ba4cfc98957d7be65d3a7d8ae0c464cd76e"),
    "tabby-cat": Picture(
        "alibi",
        _CATS,
        "65f7cbb05d4f63012041058328db984f1205b7fdd3cbc856428a85d234827c9f",
        member="n02123045_281_tabby_cat.jpg",
    ),
    "siamese-cat": Picture(
        "alibi",
        _CATS,
        "8c4aae3589fcd9c8ca803f4507f0ca8121c8f8386313b076bfcd9de7c01eee4b",
        member="n02123597_284_Siamese_cat.jpg",
    ),
    "spotted-cat": Picture(
        "alibi",
        _CATS,
        "1db26f10dc26e0338bbafa1cbb8149b85024e6f3df956af926f39647a2e2a58a",
        member="n02124075_285_Egyptian_cat.jpg",
        crop=(58, 0, 301, 388),
    ),
}
"""By the name of the mask. A crop leaves out a second flower and a second cat."""


def names() -> list[str]:
    """The available photos: those of the installed packages, and the lemur."""
    return [*(name for name, picture in PICTURES.items() if picture.file is not None), *_lemur()]


def absent() -> list[str]:
    """The missing photos."""
    return [name for name in (*PICTURES, "lemur") if name not in names()]


def _lemur() -> list[str]:
    return ["lemur"] if LEMUR.is_file() else []


@cache
def photo(name: str) -> Pixels:
    """A photo as (H, W, 3) RGB, cropped to what is used."""
    if name == "lemur":
        return _photos.picture(LEMUR)
    picture = PICTURES[name]
    pixels = cv2.imdecode(np.frombuffer(picture.read(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    if picture.crop is not None:
        left, top, right, bottom = picture.crop
        pixels = pixels[top:bottom, left:right]
    return np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def mask(name: str) -> Mask:
    """Its mask, 255 = the object."""
    path = LEMUR.with_name("lemur_alpha.png") if name == "lemur" else MASKS / f"{name}.png"
    return np.where(_photos.grey(path) >= 128, 255, 0).astype(np.uint8)
