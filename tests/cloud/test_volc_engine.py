"""What is sent to Volcengine and what is read from its responses when nothing fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import ImageCms

from bot.engines import Engine, EngineUnavailableError
from bot.engines.volcengine import DREAM_ERASE, ERASE
from bot.errors import NothingFoundError
from bot.imaging.compositing import composite
from bot.imaging.masks import feather_inside
from bot.imaging.photo import Photo
from tests.cloud.conftest import World, block, hole, scene
from tests.cloud.signatures import Keys
from tests.cloud.standin import CloudStandIn


async def test_the_subject_comes_back_as_a_matte_of_the_photos_size(engine: Engine, cloud: CloudStandIn) -> None:
    photo = scene(401, 299)
    matte = (await engine.segmenter.segment(photo)).matte

    assert matte.shape == (299, 401)
    assert matte.dtype == np.uint8
    selected = matte >= 128
    expected = hole(401, 299) > 0
    assert (selected & expected).sum() / (selected | expected).sum() > 0.95
    assert cloud.codes == [10000]
    body = cloud.calls[0].body
    assert (body["req_key"], body["only_mask"], body["return_url"]) == ("saliency_seg", 1, False)


@pytest.mark.parametrize(
    ("size", "sent"),
    [
        ((60, 40), (192, 128)),
        ((5000, 250), (4095, 205)),
        ((6000, 100), (4095, 128)),
        ((100, 4000), (128, 4095)),
        ((640, 480), (640, 480)),
    ],
)
async def test_photos_of_any_size_are_fitted_into_the_limits_and_the_mask_is_scaled_back(
    engine: Engine, cloud: CloudStandIn, size: tuple[int, int], sent: tuple[int, int]
) -> None:
    photo = scene(*size)
    matte = (await engine.segmenter.segment(photo)).matte

    assert cloud.codes == [10000]
    assert cloud.calls[0].pictures[0].size == sent
    assert matte.shape == (size[1], size[0])
    selected, expected = matte >= 128, hole(*size) > 0
    assert (selected & expected).sum() / (selected | expected).sum() > 0.85


async def test_a_noisy_photo_of_12_megapixels_loses_quality_before_size(engine: Engine, cloud: CloudStandIn) -> None:
    rng = np.random.default_rng(1)
    photo = scene(4000, 3000, noisy=False)
    photo.pixels[:] = np.clip(photo.pixels + rng.normal(0, 9, (3000, 4000, 1)), 0, 255).astype(np.uint8)
    await engine.segmenter.segment(photo)

    sent = cloud.calls[0].pictures[0]
    assert sent.size == (4000, 3000)
    assert len(cloud.calls[0].body["binary_data_base64"][0]) < 4_700_000


async def test_a_black_mask_means_nothing_found(engine: Engine, cloud: CloudStandIn) -> None:
    cloud.fail_next("black")
    with pytest.raises(NothingFoundError):
        await engine.segmenter.segment(scene())
    assert len(cloud.calls) == 1


async def test_a_response_without_a_mask_is_the_clouds_fault(engine: Engine, cloud: CloudStandIn) -> None:
    cloud.fail_next("no-picture", times=10)
    with pytest.raises(EngineUnavailableError):
        await engine.segmenter.segment(scene())


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P", "I;16"])
async def test_masks_of_every_mode_are_read(engine: Engine, cloud: CloudStandIn, mode: str) -> None:
    cloud.mask_mode = mode
    matte = (await engine.segmenter.segment(scene())).matte
    assert (matte[block(400, 300)] > 200).mean() > 0.95
    assert matte[:20].max() < 128


async def test_transparent_parts_are_sent_as_white(engine: Engine, cloud: CloudStandIn) -> None:
    photo = scene(noisy=False)
    alpha = np.full((300, 400), 255, np.uint8)
    alpha[:, :100] = 0
    await engine.segmenter.segment(Photo(photo.pixels, alpha=alpha))
    assert np.asarray(cloud.calls[0].pictures[0])[150, 50].min() > 250


async def test_an_icc_profile_is_converted_and_not_sent(engine: Engine, cloud: CloudStandIn) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = scene(noisy=False)
    tagged = Photo(photo.pixels, icc_profile=srgb)
    filled = await engine.inpainter.inpaint(tagged, hole(400, 300), seed=0)

    sent, mask = cloud.calls[0].pictures
    assert "icc_profile" not in sent.info
    assert "icc_profile" not in mask.info
    assert "exif" not in sent.info
    assert filled.icc_profile == srgb


async def test_the_hole_is_filled_with_the_documented_parameters(engine: Engine, cloud: CloudStandIn) -> None:
    photo = scene()
    filled = await engine.inpainter.inpaint(photo, hole(400, 300), seed=5)

    call = cloud.calls[0]
    parameters = {name: value for name, value in call.body.items() if name != "binary_data_base64"}
    assert parameters == {
        "req_key": ERASE,
        "return_url": False,
        "steps": 30,
        "strength": 0.8,
        "scale": 7.0,
        "seed": 5,
        "dilate_size": 15,
        "quality": "M",
    }
    sent, mask = call.pictures
    assert (sent.format, sent.mode, sent.size) == ("JPEG", "RGB", (400, 300))
    assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (400, 300))
    centre = filled.pixels[block(400, 300)].reshape(-1, 3).mean(axis=0)
    assert np.abs(centre - (96, 116, 146)).max() < 30, "the red block is gone"
    assert filled.pixels.shape == photo.pixels.shape


async def test_the_settings_are_sent(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(steps=50, strength=0.5, scale=3.0, dilate_size=0, quality="H")
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=1)
    body = cloud.calls[0].body
    assert (body["steps"], body["strength"], body["scale"]) == (50, 0.5, 3.0)
    assert (body["dilate_size"], body["quality"]) == (0, "H")


async def test_a_seed_repeats_its_variant_and_another_seed_gives_another(engine: Engine) -> None:
    photo, mask = scene(), hole(400, 300)
    one, same, other = [await engine.inpainter.inpaint(photo, mask, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(one.pixels, same.pixels)
    assert not np.array_equal(one.pixels, other.pixels)


async def test_of_a_large_photo_only_a_crop_around_the_hole_is_sent(engine: Engine, cloud: CloudStandIn) -> None:
    photo = scene(8000, 6000, noisy=False)
    mask = np.zeros((6000, 8000), np.uint8)
    mask[3000:3100, 2000:2150] = 255
    filled = await engine.inpainter.inpaint(photo, mask, seed=0)

    sent, sent_mask = cloud.calls[0].pictures
    assert sent.size == (768, 768)
    assert (np.asarray(sent_mask) > 0).sum() == 100 * 150, "the mask is sent at the photo's own resolution"
    changed = (filled.pixels != photo.pixels).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 3050 - 384
    assert rows.max() < 3050 + 384
    assert columns.min() >= 2075 - 384
    assert columns.max() < 2075 + 384


async def test_a_large_hole_in_a_large_photo_is_scaled_into_the_limits(engine: Engine, cloud: CloudStandIn) -> None:
    photo = scene(6000, 4000, noisy=False)
    filled = await engine.inpainter.inpaint(photo, hole(6000, 4000), seed=0)
    assert max(cloud.calls[0].pictures[0].size) == 2048
    assert filled.pixels.shape == (4000, 6000, 3)


async def test_a_thin_stroke_survives_scaling(engine: Engine, cloud: CloudStandIn) -> None:
    mask = np.zeros((3000, 9000), np.uint8)
    mask[1500, 10:8990] = 255
    await engine.inpainter.inpaint(Photo(np.full((3000, 9000, 3), 90, np.uint8)), mask, seed=0)
    sent_mask = np.asarray(cloud.calls[0].pictures[1]) > 0
    assert sent_mask.any(axis=0)[10:-10].all()


@pytest.mark.parametrize("size", [(30, 20), (64, 64), (20, 2000), (1, 1)])
async def test_tiny_and_thin_photos_are_filled(engine: Engine, cloud: CloudStandIn, size: tuple[int, int]) -> None:
    width, height = size
    photo = scene(width, height)
    mask = np.zeros((height, width), np.uint8)
    mask[height // 2, width // 2] = 255
    filled = await engine.inpainter.inpaint(photo, mask, seed=0)
    assert cloud.codes == [10000]
    assert filled.pixels.shape == (height, width, 3)


async def test_an_empty_mask_makes_no_call(engine: Engine, cloud: CloudStandIn) -> None:
    photo = scene()
    same = await engine.inpainter.inpaint(photo, np.zeros((300, 400), np.uint8), seed=0)
    assert np.array_equal(same.pixels, photo.pixels)
    assert cloud.calls == []


@pytest.mark.parametrize(("factor", "file_format"), [(0.5, "PNG"), (2.0, "JPEG"), (0.31, "WEBP"), (1.0, "BMP")])
async def test_fills_of_any_size_and_format_are_fitted(
    engine: Engine, cloud: CloudStandIn, factor: float, file_format: str
) -> None:
    cloud.answer_scale, cloud.answer_format = factor, file_format
    photo = scene()
    filled = await engine.inpainter.inpaint(photo, hole(400, 300), seed=0)
    assert filled.pixels.shape == photo.pixels.shape
    centre = filled.pixels[130:170, 180:220].reshape(-1, 3).mean(axis=0)
    assert np.abs(centre - (96, 116, 146)).max() < 30


async def test_a_mask_of_another_size_raises_value_error(engine: Engine, cloud: CloudStandIn) -> None:
    with pytest.raises(ValueError, match="mask"):
        await engine.inpainter.inpaint(scene(), hole(300, 400), seed=0)
    assert cloud.calls == []


async def test_the_prompted_eraser_is_submitted_and_polled(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE)
    filled = await engine.inpainter.inpaint(scene(), hole(400, 300), seed=9)

    assert [call.action for call in cloud.calls] == [
        "CVSync2AsyncSubmitTask",
        "CVSync2AsyncGetResult",
        "CVSync2AsyncGetResult",
        "CVSync2AsyncGetResult",
    ]
    submitted = {name: value for name, value in cloud.calls[0].body.items() if name != "binary_data_base64"}
    assert submitted == {"req_key": DREAM_ERASE, "prompt": "删除", "seed": 9}
    assert world.waits == [2.0, 2.0, 2.0]
    centre = filled.pixels[block(400, 300)].reshape(-1, 3).mean(axis=0)
    assert np.abs(centre - (96, 116, 146)).max() < 30


async def test_a_busy_or_broken_poll_does_not_fail_the_task(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE)
    cloud.script(None, 50429, "drop", "html-502")
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=9)
    actions = [call.action for call in cloud.calls]
    assert actions.count("CVSync2AsyncSubmitTask") == 1
    assert actions.count("CVSync2AsyncGetResult") == 4


async def test_a_task_lost_by_the_cloud_is_submitted_again(world: World, cloud: CloudStandIn) -> None:
    engine = await world.engine(inpaint=DREAM_ERASE)
    polls = 0

    async def forget(_: float) -> None:
        nonlocal polls
        if not polls:
            cloud.forget_tasks()
        polls += 1

    world.sleep_hook = forget
    await engine.inpainter.inpaint(scene(), hole(400, 300), seed=9)
    assert [call.action for call in cloud.calls].count("CVSync2AsyncSubmitTask") == 2


async def test_temporary_credentials_are_sent_and_signed(world: World, cloud: CloudStandIn) -> None:
    cloud.keys = Keys(session_token="STS2exampletoken")
    engine = await world.engine()
    await engine.segmenter.segment(scene())
    assert cloud.codes == [10000]
    assert "x-security-token" in cloud.calls[0].headers["authorization"]


async def test_proxy_variables_and_netrc_are_ignored(
    world: World, cloud: CloudStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    engine = await world.engine()
    await engine.segmenter.segment(scene())
    assert cloud.codes == [10000]
    assert cloud.calls[0].headers["authorization"].startswith("HMAC-SHA256 ")


@pytest.mark.parametrize("size", [(400, 300), (3000, 2600)])
async def test_outside_the_feathered_mask_the_photo_stays_bit_identical(
    engine: Engine, cloud: CloudStandIn, size: tuple[int, int]
) -> None:
    width, height = size
    photo, mask = scene(width, height), hole(width, height)
    filled = await engine.inpainter.inpaint(photo, mask, seed=0)
    feathered = feather_inside(mask, 2.0)
    answer = composite(photo, filled, feathered)

    outside = feathered == 0
    assert (filled.pixels[outside] != photo.pixels[outside]).any(), "the stand-in changes what it should not"
    assert np.array_equal(answer.pixels[outside], photo.pixels[outside])
    assert (answer.pixels[feathered == 255] != photo.pixels[feathered == 255]).any(axis=1).mean() > 0.95
