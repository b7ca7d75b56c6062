"""The editor, with fake engines that give known answers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bot.edits.model import FINISHES, Operation, Stage, check_finish
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.job import DoubtfulFindError, Job
from bot.edits.ports import ResultFile
from bot.engines import Engine, EngineRefusedError, EngineUnavailableError
from bot.errors import NothingFoundError, PersonError
from bot.imaging import masks
from bot.imaging.encoding import encode_mask
from bot.imaging.photo import Mask, Matte, Photo
from bot.imaging.pool import PixelPool
from bot.segmentation import FoundObject
from tests.support import encoded, scene

WIDTH, HEIGHT = 320, 240
FILL = (1, 200, 99)


def subject() -> Matte:
    """Where `scene()` has its red block."""
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    matte[HEIGHT // 3 : HEIGHT * 2 // 3, WIDTH // 3 : WIDTH * 2 // 3] = 255
    return matte


@dataclass
class Fake:
    """An engine that answers with a known matte and a known colour, or with trouble."""

    name: str
    matte: Matte = field(default_factory=subject)
    fill: Callable[[Photo], Photo] = lambda photo: photo.with_pixels(np.full_like(photo.pixels, FILL))
    segment_trouble: Exception | None = None
    inpaint_trouble: Exception | None = None
    fills_backgrounds: bool = True
    coarse: bool = False
    sure: bool = True
    asked: list[str] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    keeping: list[bool] = field(default_factory=list)

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        self.asked.append("segment")
        if self.segment_trouble:
            raise self.segment_trouble
        return FoundObject(self.matte, self.sure)

    async def inpaint(self, photo: Photo, mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        self.asked.append("inpaint")
        self.masks.append(mask)
        self.seeds.append(seed)
        self.keeping.append(keeps_subject)
        if self.inpaint_trouble:
            raise self.inpaint_trouble
        return self.fill(photo)

    @property
    def engine(self) -> Engine:
        return Engine(self.name, self, self, self.coarse, self.fills_backgrounds)


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[PixelPool]:
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pictures.pixels",)) as pool:
        yield pool


class World:
    """Runs jobs on one photo."""

    def __init__(self, pool: PixelPool, folder: Path) -> None:
        self.pool = pool
        self.source = folder / "photo"
        self.target = folder / "answer"
        self.stages: list[Stage] = []
        self.source.write_bytes(encoded(scene(WIDTH, HEIGHT), "PNG"))

    async def _note(self, stage: Stage) -> None:
        self.stages.append(stage)

    async def edit(self, engines: list[Fake], operation: Operation, **job: object) -> ResultFile:
        editor = Editor([fake.engine for fake in engines], self.pool, max_megapixels=50)
        self.stages = []
        return await editor.edit(self.source, Job(operation, **job), self.target, self._note)

    def answer(self) -> Image.Image:
        image = Image.open(io.BytesIO(self.target.read_bytes()))
        image.load()
        return image

    def answered(self) -> np.ndarray:
        return np.asarray(self.answer().convert("RGB"))

    def original(self) -> np.ndarray:
        return np.asarray(Image.open(self.source).convert("RGB"))


@pytest.fixture
def world(pool: PixelPool, tmp_path: Path) -> World:
    return World(pool, tmp_path)


@pytest.mark.parametrize(("file_format", "note"), [("GIF", "note-first-frame"), ("TIFF", "note-main-picture")])
@pytest.mark.parametrize("operation", [Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND])
async def test_a_file_of_several_pictures_is_answered_with_a_note(
    world: World, operation: Operation, file_format: str, note: str
) -> None:
    first, second = scene(WIDTH, HEIGHT), scene(WIDTH, HEIGHT, seed=3)
    first.save(world.source, file_format, save_all=True, append_images=[second])
    assert (await world.edit([Fake("volcengine")], operation)).notes == (note,)


def down() -> EngineUnavailableError:
    return EngineUnavailableError("cloud-unavailable")


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


def inside_and_outside() -> tuple[np.ndarray, np.ndarray]:
    return masks.erode(subject(), 12) > 0, masks.dilate(subject(), 12) == 0


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
