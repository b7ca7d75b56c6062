"""Any arguments are run, or answered with exit code 2 and one line; never with a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from argparse import Namespace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot import engine_wiring
from bot.batch import edit_photos
from bot.cli import build_parser
from bot.settings import Settings
from bot.terminal import ExitCode
from tests.cli.conftest import Run
from tests.support import scene

letters = st.characters(codec="utf-8", exclude_characters="\0")
bytes_without_meaning = st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, exclude_categories=())
"""How Python shows bytes that are no UTF-8; other lone surrogates cannot come from a command line (PEP 383)."""

any_word = st.text(letters | bytes_without_meaning, max_size=30)
"""Anything that can stand on a command line: all but a zero byte."""

paths = st.sampled_from(
    [
        "a.png",
        "./a.png",
        "a",
        "a/",
        "missing.jpg",
        ".",
        "..",
        "/",
        "/dev/null",
        "folder",
        "folder/",
        "x" * 300,
        "\udcff.png",
    ]
)
words = st.sampled_from(
    [
        *("run", "worker", "edit", "doctor", "models", "sweep", "remove-subject", "remove-background", "erase"),
        *("-o", "--output", "--mask", "--save-mask", "--finish", "--shadow", "--engine", "--seed", "--dry-run", "--"),
        *(
            "--mas",
            "-oout.png",
            "-h",
            "--help",
            "--seed=x",
            "--seed=-1",
            "--finish=#12345",
            "auto",
            "with",
            "list",
            "1" * 5000,
        ),
    ]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with one photo and one folder. A call that would edit ends there."""
    scene().save(tmp_path / "a.png")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)

    def reached(*_: object) -> None:
        raise Reached

    monkeypatch.setattr(engine_wiring, "pixel_pool", reached)
    return tmp_path


class Reached(Exception):  # noqa: N818 -- no error: the arguments are good, and the editing would begin
    """The arguments are accepted."""


def parsed(arguments: list[str]) -> Namespace | None:
    """The parsed arguments; None: they were answered with a line, or with help."""
    errors, output = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
        try:
            return build_parser().parse_args(arguments)
        except SystemExit as end:
            code = end.code
    if code == 0:
        assert output.getvalue().startswith("usage: python -m bot")
    else:
        assert code == ExitCode.INPUT_ERROR
        assert errors.getvalue().startswith("python -m bot")
        assert errors.getvalue().endswith(" --help)\n")
    return None


@given(st.lists(words | paths | any_word, max_size=8))
def test_any_arguments_are_parsed_or_answered(arguments: list[str]) -> None:
    parsed(arguments)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["remove-subject", "remove-background", "erase"]),
    st.lists(paths | any_word, min_size=1, max_size=3),
    paths | any_word,
    st.dictionaries(st.sampled_from(["--mask", "--save-mask", "--finish"]), paths | any_word, max_size=3),
)
@example("remove-background", ["a.png"], "out.png", {"--finish": "x" * 300})
@example("erase", ["a.png"], "out.png", {"--mask": "x" * 300})
@example("erase", ["a.png"], "x" * 300, {"--mask": "a.png"})
@example("remove-subject", ["a.png", "x" * 300], "out/", {"--save-mask": "x" * 300 + "/"})
def test_any_file_names_are_accepted_or_answered_before_any_work(
    folder: Path, operation: str, photos: list[str], output: str, options: dict[str, str]
) -> None:
    named = [f"{name}={value}" for name, value in options.items()]
    given_arguments = parsed(["edit", operation, f"--output={output}", *named, "--", *photos])
    if given_arguments is None:
        return
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.suppress(Reached):
        code = asyncio.run(edit_photos(given_arguments, Settings(_env_file=None)))
        assert code == ExitCode.INPUT_ERROR
        assert errors.getvalue().startswith("python -m bot edit: ")
    assert sorted(os.listdir(folder)) == ["a.png", "folder"], "nothing is written"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.png", "-o", "out.png", "--save-mask", "a.png"], "a.png would be written over the photo itself"),
        (["a.png", "-o", "folder/", "--save-mask", "./"], "a.png would be written over the photo itself"),
        (["a.png", "-o", "folder/../a.png"], "would be written over the photo itself"),
        (["a.png", "-o", "out.png", "--save-mask", "folder/../out.png"], "two files would be written to"),
    ],
)
def test_no_file_is_written_over_a_photo_or_over_another_result(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = (folder / "a.png").read_bytes()
    given_arguments = build_parser().parse_args(["edit", "remove-subject", *arguments])
    assert asyncio.run(edit_photos(given_arguments, Settings(_env_file=None))) == ExitCode.INPUT_ERROR
    assert words in capsys.readouterr().err
    assert (folder / "a.png").read_bytes() == before
    assert sorted(os.listdir(folder)) == ["a.png", "folder"]


def test_a_mask_is_not_written_over_a_result_whose_format_is_another(bot: Run, tmp_path: Path) -> None:
    scene().save(tmp_path / "a.gif")  # its result is out/a.png
    done = bot(tmp_path, "edit", "remove-subject", "a.gif", "-o", "out/", "--save-mask", "out/")
    assert done.returncode == ExitCode.DONE
    assert sorted(os.listdir(tmp_path / "out")) == ["a.gif.png", "a.png"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seed", "-1", "-o", "out.png"],
        ["--seed", str(10**30), "-o", "out.png"],
        ["-o", "x" * 300 + ".png"],
        ["-o", "/dev/null/out.png"],
        ["-o", "/proc/out.png"],
        ["-o", "out.png", "--save-mask", "x" * 300 + ".png"],
        ["-o", "out.png", "--save-mask", "folder"],
        ["-o", "out.png", "--mask", "folder"],
        ["-o", "\udcff.png"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40].encode(errors="replace").decode(),
)
def test_odd_values_end_with_a_line_and_never_with_a_traceback(bot: Run, tmp_path: Path, arguments: list[str]) -> None:
    scene().save(tmp_path / "a.png")
    (tmp_path / "folder").mkdir()
    done = bot(tmp_path, "edit", "remove-subject", "a.png", *arguments)
    assert "Traceback" not in done.stderr
    assert done.returncode in (ExitCode.DONE, ExitCode.INPUT_ERROR)
    if done.returncode:
        assert done.stderr.strip()
