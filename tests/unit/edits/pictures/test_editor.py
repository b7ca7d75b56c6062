"""The editor, with fake engines that give known answers: which engine is asked, and what is erased."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from bot.edits.model import Operation, Stage
from bot.edits.pictures.job import DoubtfulFindError
from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.errors import NothingFoundError, PersonError
from bot.imaging import masks
from bot.imaging.encoding import encode_mask
from tests.support import encoded, scene
from tests.unit.edits.pictures.fake_engines import FILL, HEIGHT, WIDTH, Fake, World, down, subject


@pytest.mark.parametrize(("file_format", "note"), [("GIF", "note-first-frame"), ("TIFF", "note-main-picture")])
@pytest.mark.parametrize("operation", [Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND])
async def test_a_file_of_several_pictures_is_answered_with_a_note(
    world: World, operation: Operation, file_format: str, note: str
) -> None:
    first, second = scene(WIDTH, HEIGHT), scene(WIDTH, HEIGHT, seed=3)
    first.save(world.source, file_format, save_all=True, append_images=[second])
    assert (await world.edit([Fake("volcengine")], operation)).notes == (note,)


async def test_the_subject_is_erased_and_the_rest_is_unchanged(world: World) -> None:
    cloud = Fake("volcengine")
    made = await world.edit([cloud], Operation.REMOVE_SUBJECT, seed=5)
    radius = masks.dilation_radius(WIDTH, HEIGHT, coarse=False)
    mask = masks.dilate(subject(), radius)
    assert np.array_equal(cloud.masks[0], mask)
    assert np.array_equal(world.answered()[mask == 0], world.original()[mask == 0])
    assert (world.answered()[masks.erode(mask, 6) > 0] == FILL).all()
    assert (made.format, made.width, made.height) == ("PNG", WIDTH, HEIGHT)
    assert (made.engine, made.notes, made.path) == ("volcengine", (), world.target)
    assert cloud.seeds == [5]
    assert world.stages == [Stage.SEGMENTING, Stage.INPAINTING]
    assert made.matte is not None
    assert np.array_equal(cv2.imdecode(np.frombuffer(made.matte, np.uint8), cv2.IMREAD_GRAYSCALE), subject())


async def test_a_coarse_mask_is_dilated_more(world: World) -> None:
    world.source.write_bytes(encoded(scene(1000, 750), "PNG"))
    matte = cv2.resize(subject(), (1000, 750), interpolation=cv2.INTER_NEAREST)
    fine, coarse = Fake("a", matte), Fake("b", matte, coarse=True)
    await world.edit([fine], Operation.REMOVE_SUBJECT)
    await world.edit([coarse], Operation.REMOVE_SUBJECT)
    assert np.array_equal(fine.masks[0], masks.dilate(matte, 6))
    assert np.array_equal(coarse.masks[0], masks.dilate(matte, 12))


async def test_a_hole_in_the_subject_is_erased_too(world: World) -> None:
    matte = subject()
    matte[110:130, 150:170] = 0
    cloud = Fake("volcengine", matte)
    await world.edit([cloud], Operation.REMOVE_SUBJECT)
    assert (cloud.masks[0][110:130, 150:170] == 255).all()


async def test_a_painted_mask_is_used_as_it_is_without_segmenting(world: World) -> None:
    cloud = Fake("volcengine")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (200, 60), 30, 255, -1)
    made = await world.edit([cloud], Operation.ERASE, mask=encode_mask(mask))
    assert cloud.asked == ["inpaint"]
    assert np.array_equal(cloud.masks[0], mask)
    assert np.array_equal(world.answered()[mask == 0], world.original()[mask == 0])
    assert (world.answered()[60, 200] == FILL).all()
    assert made.matte is None
    assert world.stages == [Stage.INPAINTING]


async def test_a_returned_mask_erases_the_same_again(world: World) -> None:
    made = await world.edit([Fake("volcengine")], Operation.REMOVE_SUBJECT, keep_mask=True)
    first = world.answered()
    assert made.matte is not None
    await world.edit([Fake("volcengine")], Operation.ERASE, mask=made.matte)
    assert np.array_equal(world.answered(), first)


@pytest.mark.parametrize("coarse", [False, True])
async def test_a_stored_matte_gives_the_same_mask_as_a_found_one(world: World, coarse: bool) -> None:
    world.source.write_bytes(encoded(scene(1000, 750), "PNG"))
    matte = cv2.resize(subject(), (1000, 750), interpolation=cv2.INTER_NEAREST)
    cloud, again = Fake("a", matte, coarse=coarse), Fake("a", matte, coarse=coarse)
    made = await world.edit([cloud], Operation.REMOVE_SUBJECT)
    await world.edit([again], Operation.REMOVE_SUBJECT, mask=made.matte, mask_is_matte=True, seed=1)
    assert again.asked == ["inpaint"]
    assert np.array_equal(again.masks[0], cloud.masks[0])


async def test_if_the_first_engine_is_down_the_second_answers_with_a_note(world: World) -> None:
    cloud, local = Fake("volcengine", segment_trouble=down()), Fake("local")
    made = await world.edit([cloud, local], Operation.REMOVE_SUBJECT)
    assert (made.engine, made.notes) == ("local", ("note-cloud-down",))
    assert (cloud.asked, local.asked) == (["segment"], ["segment", "inpaint"])


async def test_an_engine_that_fails_while_inpainting_is_not_asked_again(world: World) -> None:
    cloud, local = Fake("volcengine", inpaint_trouble=down()), Fake("local")
    made = await world.edit([cloud, local], Operation.REMOVE_SUBJECT)
    assert (made.engine, made.notes) == ("local", ("note-cloud-down",))
    assert local.asked == ["inpaint"]


async def test_if_all_engines_are_down_the_error_is_the_last_ones(world: World) -> None:
    last = EngineUnavailableError("cloud-busy")
    with pytest.raises(EngineUnavailableError) as told:
        await world.edit([Fake("a", segment_trouble=down()), Fake("b", segment_trouble=last)], Operation.REMOVE_SUBJECT)
    assert told.value.message_id == "cloud-busy"
    assert not world.target.exists()


@pytest.mark.parametrize("trouble", [EngineRefusedError("cloud-refused"), NothingFoundError("nothing-found")])
async def test_after_a_refusal_no_other_engine_is_asked(world: World, trouble: Exception) -> None:
    local = Fake("local")
    with pytest.raises(type(trouble)):
        await world.edit([Fake("volcengine", segment_trouble=trouble), local], Operation.REMOVE_SUBJECT)
    with pytest.raises(type(trouble)):
        await world.edit([Fake("volcengine", inpaint_trouble=trouble), local], Operation.REMOVE_BACKGROUND)
    assert local.asked == []


@pytest.mark.parametrize("operation", [Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND])
async def test_an_empty_matte_raises_nothing_found(world: World, operation: Operation) -> None:
    faint = np.full((HEIGHT, WIDTH), 100, np.uint8)
    with pytest.raises(NothingFoundError):
        await world.edit([Fake("volcengine", faint)], operation)


async def test_an_answer_of_another_size_counts_as_unavailable(world: World) -> None:
    narrow = Fake("volcengine", fill=lambda photo: photo.with_pixels(photo.pixels[:, :1]))
    half = Fake("half", subject()[::2, ::2])
    for wrong in (narrow, half):
        made = await world.edit([wrong, Fake("local")], Operation.REMOVE_SUBJECT)
        assert made.engine == "local"
        with pytest.raises(EngineUnavailableError):
            await world.edit([wrong], Operation.REMOVE_SUBJECT)
    assert (await world.edit([narrow, Fake("local")], Operation.REMOVE_BACKGROUND)).engine == "local"


async def test_a_doubtful_shape_is_asked_about_or_noted(world: World) -> None:
    everything = np.full((HEIGHT, WIDTH), 255, np.uint8)
    everything[100:140, 100:200] = 0
    for operation in (Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND):
        with pytest.raises(DoubtfulFindError):
            await world.edit([Fake("volcengine", everything)], operation)
        made = await world.edit([Fake("volcengine", everything)], operation, accept_doubtful=True)
        assert made.notes == ("note-doubtful",)


async def test_an_unsure_find_is_asked_about_with_its_matte(world: World) -> None:
    for operation in (Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND):
        with pytest.raises(DoubtfulFindError) as asked:
            await world.edit([Fake("local", sure=False)], operation)
        found = np.asarray(Image.open(io.BytesIO(asked.value.matte)))
        assert np.array_equal(found, subject())
        made = await world.edit([Fake("local", sure=False)], operation, mask=asked.value.matte, mask_is_matte=True)
        assert made.notes == (), "the person has seen it and said yes"


async def test_the_engine_learns_whether_the_subject_stays(world: World) -> None:
    fake = Fake("local")
    await world.edit([fake], Operation.ERASE, mask=encode_mask(np.roll(subject(), 120, axis=1)))
    await world.edit([fake], Operation.REMOVE_SUBJECT)
    assert fake.keeping == [True, False]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
async def test_the_result_has_the_photos_format_unless_another_is_requested(world: World, file_format: str) -> None:
    world.source.write_bytes(encoded(scene(WIDTH, HEIGHT), file_format))
    assert (await world.edit([Fake("a")], Operation.REMOVE_SUBJECT)).format == world.answer().format == file_format
    made = await world.edit([Fake("a")], Operation.REMOVE_SUBJECT, format="PNG")
    assert made.format == world.answer().format == "PNG"


async def test_an_unusable_mask_is_refused_before_any_engine_is_asked(world: World) -> None:
    cloud = Fake("volcengine")
    square = encode_mask(np.pad(np.full((40, 40), 255, np.uint8), 30))
    for mask, reason in ((b"no mask", "mask-broken"), (square, "mask-wrong-shape")):
        with pytest.raises(PersonError) as refused:
            await world.edit([cloud], Operation.ERASE, mask=mask)
        assert refused.value.message_id == reason
    assert cloud.asked == []
