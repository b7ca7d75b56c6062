"""The sample pictures: the same at each painting, and pictures on which the local engine shows what it can do."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image

from bot.imaging.photo import Photo
from bot.playground import samples
from bot.playground.samples import SAMPLES, Sample
from bot.segmentation.subject import find_subject

scene = cache(lambda sample: sample.scene())  # once for all tests of this file: painting takes a while

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=samples.names())


@each_sample
def test_a_sample_painted_twice_is_the_same_picture(sample: Sample) -> None:
    assert np.array_equal(sample.paint(), scene(sample)[0])
    assert np.array_equal(sample.mask(), scene(sample)[1])


@each_sample
def test_a_sample_is_a_jpeg_of_the_size_it_says_it_is(sample: Sample) -> None:
    data = samples.jpeg(sample.name)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        assert picture.mode == "RGB"
        assert picture.size == samples.size(sample.name)
        picture.load()
    assert min(samples.size(sample.name)) >= 900
    assert len(data) < 600_000


@each_sample
def test_a_sample_is_textured_everywhere_like_a_photo(sample: Sample) -> None:
    """Flat colour would make the picture an easy one, and its grainless fill a visible one."""
    grey = scene(sample)[0].astype(np.float32).mean(-1)
    tiles = grey.reshape(grey.shape[0] // 32, 32, grey.shape[1] // 32, 32).std(axis=(1, 3))
    assert tiles.min() > 0.5


@each_sample
def test_the_local_engine_finds_the_subject_that_was_painted(sample: Sample) -> None:
    with Image.open(io.BytesIO(samples.jpeg(sample.name))) as picture:
        photo = Photo(np.asarray(picture.convert("RGB")))
    found, painted = find_subject(photo).matte > 127, scene(sample)[1] > 127
    assert found.shape == painted.shape
    overlap = np.count_nonzero(found & painted) / np.count_nonzero(found | painted)
    assert overlap >= 0.96


@each_sample
def test_a_subject_is_neither_a_speck_nor_at_the_picture_s_border(sample: Sample) -> None:
    mask = scene(sample)[1]
    assert set(np.unique(mask)) == {0, 255}
    assert 0.02 < (mask > 0).mean() < 0.3
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not border.any()


def test_a_sample_is_painted_once_for_each_process() -> None:
    name = samples.names()[0]
    assert samples.jpeg(name) is samples.jpeg(name)


def test_names_are_distinct_and_fit_an_address() -> None:
    assert len(set(samples.names())) == len(SAMPLES) == 4
    assert all(name.isascii() and name.isalpha() and name.islower() for name in samples.names())
    assert all(sample.title_en and sample.title_zh for sample in SAMPLES)


@pytest.mark.parametrize("ask", [samples.jpeg, samples.size])
def test_a_sample_that_is_not_there_is_a_key_error(ask: Callable[[str], object]) -> None:
    with pytest.raises(KeyError):
        ask("missing")
