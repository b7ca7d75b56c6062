"""A part of the photo is hidden from the net: painted over with the colours around it."""

from __future__ import annotations

import cv2
import numpy as np

from bot.segmentation.learned.saliency_maps import _local_mean, _paint_over

SIDE = 320


def a_disc(radius: int = 60) -> np.ndarray:
    """(SIDE, SIDE) bool, a disc in the middle."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(rows - SIDE / 2, columns - SIDE / 2) < radius


def test_the_hidden_part_takes_the_colours_beside_it() -> None:
    picture = np.full((SIDE, SIDE, 3), (200, 180, 160), np.uint8)
    picture[:, : SIDE // 2] = (40, 60, 80)
    disc = a_disc()
    shown = picture.copy()
    shown[disc] = (255, 0, 0)
    painted = _paint_over(shown, disc).astype(int)
    assert painted[..., 0].max() <= 200, "nothing of the hidden part is left"
    np.testing.assert_allclose(painted[160, 105], (40, 60, 80), atol=12)
    np.testing.assert_allclose(painted[160, 215], (200, 180, 160), atol=12)
    far = ~cv2.dilate(disc.astype(np.uint8), np.ones((15, 15), np.uint8)).astype(bool)
    np.testing.assert_array_equal(painted[far], picture[far])


def test_where_all_is_hidden_nothing_is_painted() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    np.testing.assert_array_equal(_paint_over(picture, np.ones((SIDE, SIDE), bool)), picture)


def test_a_wide_mean_is_nearly_the_gaussian_one() -> None:
    layer = a_disc(90).astype(np.float32) + np.linspace(0, 1, SIDE, dtype=np.float32)
    for spread in (4, 16, 128):
        exact = cv2.GaussianBlur(layer, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
        np.testing.assert_allclose(_local_mean(layer, spread), exact, atol=0.07, err_msg=f"{spread} px")
