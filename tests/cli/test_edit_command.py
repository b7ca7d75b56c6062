"""`python -m bot edit`: edits files, and prints one clear line for each that fails."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.batch import edit_photos
from bot.cli import build_parser
from bot.settings import Settings
from tests.cli.conftest import ROOT, Run, environment
from tests.support import scene

PAIR = ROOT.parent / "shared" / "cases" / "09-pair"
CORNER = (slice(0, 30), slice(0, 30))
"""Background in every scene."""


def pixels(path: Path, mode: str = "RGB") -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert(mode))


def formats(folder: Path) -> dict[str, str | None]:
    found = {}
    for path in folder.iterdir():
        with Image.open(path) as image:
            found[path.name] = image.format
    return found


def painted(folder: Path, name: str) -> Path:
    """A mask of the scene's red block, with a margin."""
    mask = Image.new("1", (320, 240), 0)
    ImageDraw.Draw(mask).rectangle((100, 74, 218, 165), fill=1)
    mask.save(folder / name)
    return folder / name


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with three photos and a file that is none."""
    scene().save(tmp_path / "a.jpg", quality=95)
    scene(seed=3).save(tmp_path / "b.png")
    scene(seed=4).save(tmp_path / "c.webp", lossless=True)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    return tmp_path


def test_the_saved_mask_gives_the_same_result_again(bot: Run, album: Path) -> None:
    done = bot(
        album, "edit", "remove-subject", "b.png", "-o", "new/out.webp", "--save-mask", "new/mask.png", "--seed", "3"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert formats(album / "new") == {"out.webp": "WEBP", "mask.png": "PNG"}
    mask = pixels(album / "new/mask.png", "L") > 127
    original, cleaned = pixels(album / "b.png"), pixels(album / "new/out.webp")
    assert np.array_equal(cleaned[~mask], original[~mask])
    assert mask[80:160, 107:213].all()
    assert cleaned[90:150, 120:200, 0].mean() < 150 < original[90:150, 120:200, 0].mean()

    again = bot(album, "edit", "erase", "b.png", "-o", "again.png", "--mask", "new/mask.png", "--seed", "3")
    assert (again.returncode, again.stderr) == (0, "")
    assert np.array_equal(pixels(album / "again.png"), cleaned)


def test_the_edges_of_a_given_subject_mask_are_refined(bot: Run, album: Path) -> None:
    """A hand-drawn mask of the block, some pixels too wide, without its lower part and with a disc beside it."""
    wanted = Image.new("1", (320, 240))
    ImageDraw.Draw(wanted).rectangle((106, 80, 212, 129), fill=1)
    ImageDraw.Draw(wanted).ellipse((30, 30, 70, 70), fill=1)
    given = wanted.copy()
    ImageDraw.Draw(given).rectangle((102, 76, 216, 129), fill=1)
    given.save(album / "given.png")
    words = ("edit", "remove-background", "b.png", "-o", "out.png", "--finish", "transparent", "--mask", "given.png")
    done = bot(album, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    kept, right, hand = pixels(album / "out.png", "RGBA")[..., 3], np.asarray(wanted), np.asarray(given)
    assert (kept[90:122, 115:205] == 255).all()
    assert (kept[138:160, 110:210] == 0).all(), "left out by hand: removed, though the photo's edge continues"
    assert (kept[40:60, 40:60] == 255).all(), "added by hand: kept, though nothing stands out there"

    def error(mask: np.ndarray) -> float:
        return float(np.abs(mask - right.astype(float))[70:125, 90:230].mean())

    assert error(kept / 255) < 0.2 * error(hand), "the matte follows the photo's edge"

    Image.new("1", (320, 240), 1).save(album / "given.png")
    everything = bot(album, *words)
    assert everything.returncode == 2
    assert "Everything is marked to stay" in everything.stderr


def test_a_bad_photo_does_not_stop_the_others(bot: Run, album: Path) -> None:
    photos = ("a.jpg", "bad.jpg", "b.png", "missing.png", "c.webp")
    done = bot(
        album, "edit", "remove-background", *photos, "-o", "out/", "--save-mask", "masks/", "--finish", "#1060a0"
    )
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["bad.jpg", "missing.png"]
    assert "No such file" in done.stderr
    assert formats(album / "out") == {"a.jpg": "JPEG", "b.png": "PNG", "c.webp": "WEBP"}
    assert formats(album / "masks") == {"a.png": "PNG", "b.png": "PNG", "c.png": "PNG"}
    assert (pixels(album / "out/b.png")[CORNER] == (16, 96, 160)).all()
    assert np.array_equal(pixels(album / "out/b.png")[100:140, 130:190], pixels(album / "b.png")[100:140, 130:190])
    assert pixels(album / "masks/b.png", "L")[120, 160] == 255
    assert not list(album.rglob(".edit-*"))


def test_all_finishes(bot: Run, album: Path) -> None:
    Image.new("RGB", (500, 500), (20, 120, 30)).save(album / "own.png")
    (album / "a.jfif").write_bytes((album / "a.jpg").read_bytes())
    photos = {finish: ["b.png"] for finish in ("clean", "transparent", "white", "blur", "own.png")}
    photos["transparent"] = ["a.jpg"]
    photos["white"] += ["a.jpg", "a.jfif"]

    def run(finish: str) -> subprocess.CompletedProcess[str]:
        folder = f"{Path(finish).stem}/"
        return bot(album, "edit", "remove-background", *photos[finish], "-o", folder, "--finish", finish)

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(run, photos))
    assert [(done.returncode, done.stderr) for done in results] == [(0, "")] * len(photos)
    assert formats(album / "transparent") == {"a.png": "PNG"}
    assert not pixels(album / "transparent/a.png", "RGBA")[CORNER][..., 3].any()
    # Two pictures that would get the same name are both there.
    assert formats(album / "white") == {"a.jpg": "JPEG", "a.jfif.jpg": "JPEG", "b.png": "PNG"}
    assert (pixels(album / "white/b.png")[CORNER] == 255).all()
    assert np.abs(pixels(album / "own/b.png")[CORNER].astype(int) - (20, 120, 30)).max() <= 2
    noisy = pixels(album / "b.png")
    assert pixels(album / "blur/b.png")[CORNER].std() < noisy[CORNER].std()
    assert 0 < pixels(album / "clean/b.png")[CORNER].std(axis=(0, 1)).max() < 12
    for finish in ("white", "blur", "clean", "own"):
        assert np.array_equal(pixels(album / finish / "b.png")[100:140, 130:190], noisy[100:140, 130:190])


def test_without_a_subject_an_error_is_printed_and_nothing_is_written(bot: Run, album: Path) -> None:
    Image.new("RGB", (320, 240), (120, 130, 140)).save(album / "flat.png")
    done = bot(album, "edit", "remove-subject", "flat.png", "bad.jpg", "-o", "out/")
    assert (done.returncode, done.stdout) == (3, "")
    assert sorted(line.split(":")[0] for line in done.stderr.splitlines()) == ["bad.jpg", "flat.png"]
    assert list((album / "out").iterdir()) == []


def test_a_terminal_gets_a_progress_bar_and_masks_are_paired_by_name(album: Path) -> None:
    (album / "masks").mkdir()
    for name in ("a.png", "b.png"):
        painted(album / "masks", name)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    words = [sys.executable, "-m", "bot", "edit", "erase", "a.jpg", "b.png", "--mask", "masks", "-o", "out/"]
    with subprocess.Popen(
        words, cwd=album, env=environment(TERM="xterm"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux: EIO once the other end is closed
                break
            if not part:
                break
            shown += part
        assert process.communicate()[0] == b""
        assert process.returncode == 0
    os.close(ours)
    assert b"0/2" in shown
    assert b"2/2" in shown
    mask = pixels(album / "masks/b.png", "L") > 127
    original, cleaned = pixels(album / "b.png"), pixels(album / "out/b.png")
    assert np.array_equal(cleaned[~mask], original[~mask])
    assert cleaned[120, 160, 0] < 150
    assert formats(album / "out") == {"a.jpg": "JPEG", "b.png": "PNG"}


@pytest.mark.skipif(not PAIR.is_dir(), reason="no folder shared/cases beside this checkout")
def test_two_photos_of_one_name_never_write_one_mask(bot: Run, tmp_path: Path) -> None:
    photos = [str(PAIR / "a.jpg"), str(PAIR / "a.png")]
    done = bot(tmp_path, "edit", "remove-subject", *photos, "-o", "out/", "--save-mask", "masks/")
    assert (done.returncode, done.stdout) == (2, "")
    assert "masks/a.png" in done.stderr
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("erase b.png -o x.png", "--mask"),
        ("erase b.png -o x.png --mask nothing.png", "nothing.png"),
        ("erase b.png a.jpg -o out/ --mask .", "a.png"),
        ("remove-subject b.png -o x.gif", ".png"),
        ("remove-subject a.jpg b.png -o x.png", "-o x/"),
        ("remove-subject a.jpg b.png -o out/ --save-mask m.png", "--save-mask m.png/"),
        ("remove-subject b.png -o b.png", "over the photo itself"),
        ("remove-subject b.png -o ./", "over the photo itself"),
        ("remove-subject b.png deeper/b.png -o out/", "two photos are called b.png"),
        ("remove-subject b.png b.webp -o out/ --save-mask masks/", "masks/b.png"),
        ("remove-background b.png -o x.png --finish purple", "--finish purple"),
        ("remove-background b.png -o x.png --finish #12", "#rrggbb"),
    ],
)
def test_arguments_that_do_not_fit_together_are_refused_before_any_work(
    album: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.chdir(album)
    before = sorted(album.iterdir())
    code = asyncio.run(edit_photos(build_parser().parse_args(["edit", *words.split()]), Settings(_env_file=None)))
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.startswith("python -m bot edit: ")
    assert shown.err.count("\n") == 1
    assert said in shown.err
    assert sorted(album.iterdir()) == before


def test_an_edit_imports_no_database_chat_and_cloud() -> None:
    """Importing them takes longer than cutting out a small photo."""
    heavy = ("aiohttp", "alembic", "dbos", "sqlalchemy", "telegram", "volcengine", "onnxruntime")
    imports = "import sys, bot.cli, bot.batch, bot.engine_wiring, bot.engines.local"
    shown = subprocess.run(
        [sys.executable, "-c", f"{imports}; print([name for name in {heavy} if name in sys.modules])"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "[]"
