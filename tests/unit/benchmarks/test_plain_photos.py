"""The benchmarks' hand-made masks belong to the pictures that the installed packages ship."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.benchmarks import _plain


@pytest.mark.parametrize("name", _plain.PICTURES)
def test_a_mask_has_the_size_of_its_photo(name: str) -> None:
    if _plain.PICTURES[name].file is None:
        pytest.skip(f"{_plain.PICTURES[name].package} is not installed: only the bench set brings it")
    assert _plain.mask(name).shape == _plain.photo(name).shape[:2]


@pytest.mark.parametrize("name", _plain.PICTURES)
def test_a_mask_is_one_bit_deep_and_shows_an_object_in_front_of_a_background(name: str) -> None:
    with Image.open(_plain.MASKS / f"{name}.png") as image:
        assert image.mode == "1"
        assert 0.01 < np.asarray(image).mean() < 0.85


def test_every_mask_has_its_picture() -> None:
    assert {path.stem for path in _plain.MASKS.glob("*.png")} == set(_plain.PICTURES)


def test_a_picture_that_is_not_the_one_the_mask_was_drawn_on_is_refused() -> None:
    real = next((one for one in _plain.PICTURES.values() if one.file is not None), None)
    if real is None:
        pytest.skip("no package of the bench set is installed")
    other = _plain.Picture(real.package, real.path, "0" * 64, member=real.member)
    with pytest.raises(ValueError, match="not the picture"):
        other.read()


def test_a_package_that_is_not_installed_is_named() -> None:
    missing = _plain.Picture("no_such_package", "photo.jpg", "0" * 64)
    assert missing.file is None
    with pytest.raises(FileNotFoundError, match="no_such_package"):
        missing.read()
