"""What stands behind a cut-out: an inpainted background, and every finish."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bot.edits.finishes import FINISHES, check_finish
from bot.edits.model import Operation
from bot.errors import PersonError
from tests.support import encoded, scene
from tests.unit.edits.pictures.fake_engines import FILL, HEIGHT, WIDTH, Fake, World, down, inside_and_outside, subject


async def test_the_background_is_inpainted_and_the_subject_stays(world: World) -> None:
    cloud = Fake("volcengine")
    made = await world.edit([cloud], Operation.REMOVE_BACKGROUND)
    inside, outside = inside_and_outside()
    assert np.array_equal(world.answered()[inside], world.original()[inside])
    assert (world.answered()[outside] == FILL).all()
    assert (cloud.masks[0][outside] == 255).all()
    assert not cloud.masks[0][inside].any()
    assert made.engine == "volcengine"


async def test_an_engine_that_fills_no_backgrounds_is_not_asked_to(world: World) -> None:
    local = Fake("local", fills_backgrounds=False)
    await world.edit([local], Operation.REMOVE_BACKGROUND)
    assert local.asked == ["segment"]
    inside, outside = inside_and_outside()
    assert np.array_equal(world.answered()[inside], world.original()[inside])
    assert world.answered()[outside].std(axis=0).max() < world.original()[outside].std(axis=0).max() + 12
    cloud = Fake("volcengine", inpaint_trouble=down())
    made = await world.edit([cloud, local], Operation.REMOVE_BACKGROUND)
    assert (made.engine, made.notes) == ("local", ("note-cloud-down",))


@pytest.mark.parametrize(
    ("finish", "colour"),
    [("white", (255, 255, 255)), ("black", (0, 0, 0)), ("#1060a0", (16, 96, 160)), ("#ABCDEF", (171, 205, 239))],
)
async def test_a_colour_replaces_the_background(world: World, finish: str, colour: tuple[int, int, int]) -> None:
    cloud = Fake("volcengine")
    await world.edit([cloud], Operation.REMOVE_BACKGROUND, finish=finish)
    inside, outside = inside_and_outside()
    assert (world.answered()[outside] == colour).all()
    assert np.array_equal(world.answered()[inside], world.original()[inside])
    assert cloud.asked == ["segment"]


async def test_a_transparent_result_of_a_jpeg_is_a_png(world: World) -> None:
    world.source.write_bytes(encoded(scene(WIDTH, HEIGHT), "JPEG", quality=95))
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="transparent")
    assert (made.format, world.answer().format, world.answer().mode) == ("PNG", "PNG", "RGBA")
    alpha = np.asarray(world.answer())[..., 3]
    inside, outside = inside_and_outside()
    assert (alpha[inside] == 255).all()
    assert not alpha[outside].any()
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="transparent", format="WEBP")
    assert (made.format, world.answer().format) == ("WEBP", "WEBP")


async def test_a_blurred_background(world: World) -> None:
    await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="blur")
    inside, outside = inside_and_outside()
    assert np.array_equal(world.answered()[inside], world.original()[inside])
    assert world.answered()[outside].std(axis=0).mean() < world.original()[outside].std(axis=0).mean()
    assert np.abs(world.answered()[outside].mean(axis=0) - world.original()[outside].mean(axis=0)).max() < 12


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (700, 300), (60, 90)])
async def test_an_own_picture_replaces_the_background(world: World, tmp_path: Path, size: tuple[int, int]) -> None:
    own = tmp_path / "own"
    own.write_bytes(encoded(Image.new("RGB", size, (20, 120, 30)), "PNG"))
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, own_background=own)
    inside, outside = inside_and_outside()
    assert (made.width, made.height) == (WIDTH, HEIGHT)
    assert np.abs(world.answered()[outside].astype(int) - (20, 120, 30)).max() <= 2
    assert np.array_equal(world.answered()[inside], world.original()[inside])


async def test_a_cropped_subject_has_a_margin_and_no_background(world: World) -> None:
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="crop")
    alpha = np.asarray(world.answer())[..., 3]
    _, _, wide, high = cv2.boundingRect(subject())
    margin = 0.05 * wide
    assert made.format == "PNG"
    assert (made.width, made.height) == world.answer().size
    assert np.abs(np.subtract(world.answer().size, (wide + 2 * margin, high + 2 * margin))).max() < 8
    assert (alpha[14:-14, 14:-14] == 255).all()
    assert not alpha[0].any()


async def test_a_sticker_is_a_small_webp_with_a_side_of_512(world: World) -> None:
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="sticker")
    answer = world.answer()
    assert (made.format, answer.format, answer.mode) == ("WEBP", "WEBP", "RGBA")
    assert max(answer.size) == 512
    _, _, wide, high = cv2.boundingRect(subject())
    assert abs(answer.width / answer.height - wide / high) < 0.1
    assert made.path.stat().st_size <= 512_000
    inner = np.asarray(answer)[answer.height // 4 : -answer.height // 4, answer.width // 4 : -answer.width // 4]
    assert (inner[..., 3] == 255).all()
    inside, _ = inside_and_outside()
    assert np.abs(inner[..., :3].reshape(-1, 3).mean(axis=0) - world.original()[inside].mean(axis=0)).max() < 6


async def test_the_mask_itself_is_white_where_the_subject_is(world: World) -> None:
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="mask")
    inside, outside = inside_and_outside()
    assert made.format == "PNG"
    assert (world.answered()[inside] == 255).all()
    assert not world.answered()[outside].any()


async def test_a_gradient_is_grey_and_darkest_in_the_corners(world: World) -> None:
    await world.edit([Fake("volcengine")], Operation.REMOVE_BACKGROUND, finish="gradient")
    inside, outside = inside_and_outside()
    behind = world.answered()
    assert np.array_equal(behind[inside], world.original()[inside])
    assert np.ptp(behind[outside].astype(int), axis=1).max() <= 3
    middle_of_the_edge, corner = behind[:4, WIDTH // 2].mean(), behind[:4, :4].mean()
    assert middle_of_the_edge > corner + 20


@pytest.mark.parametrize("finish", [*FINISHES, "#00ff7F"])
def test_finishes(finish: str) -> None:
    assert check_finish(finish) == finish


@pytest.mark.parametrize("finish", ["", "grey", "#12345", "#1234567", "#gggggg", "#123456\n", "../x", "x" * 10_000])
def test_unknown_finishes_are_refused(finish: str) -> None:
    with pytest.raises(PersonError) as refused:
        check_finish(finish)
    assert refused.value.message_id == "unknown-finish"
