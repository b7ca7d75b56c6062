"""The other commands: an error is one clear line, never a traceback."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot import __version__
from bot.models.files import SETUP_FOLDER
from bot.models.registry import MODELS
from tests.cli.conftest import ROOT, Run
from tests.support import scene


def test_a_wrong_argument_or_setting_is_one_line_that_names_it(bot: Run, tmp_path: Path) -> None:
    wrong = {
        "nonsense": ({}, ["nonsense"]),
        "--finnish": ({}, ["sweep", "--finnish"]),
        "OPERATION": ({}, ["edit", "OPERATION", "a.jpg", "-o", "b.jpg"]),
        "-o": ({}, ["edit", "erase", "a.jpg"]),
        "PORT": ({"PORT": "seventy"}, ["run"]),
        "ENGINE": ({"ENGINE": "cloud9"}, ["doctor"]),
        "DATA_DIR": ({"DATA_DIR": "/dev/null/data"}, ["edit", "remove-subject", "a.jpg", "-o", "b.jpg"]),
        "TELEGRAM_BOT_TOKEN": ({}, ["worker"]),
        "DATABASE_URL": ({"TELEGRAM_BOT_TOKEN": "123456:some-other-token"}, ["worker"]),
    }

    def run(name: str) -> tuple[int, str, str]:
        settings, words = wrong[name]
        done = bot(tmp_path, *words, **settings)
        return done.returncode, done.stdout, done.stderr

    with ThreadPoolExecutor(2) as threads:
        results = dict(zip(wrong, threads.map(run, wrong), strict=True))
    for name, (code, out, err) in results.items():
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert name in err
        assert "seventy" not in err
        assert "cloud9" not in err


def test_without_a_token_the_doctor_reports_no_problem(bot: Run, tmp_path: Path, segmenter_folder: Path) -> None:
    done = bot(tmp_path, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines), done.stdout
    subjects = {line.removeprefix("ok ").strip().split(":")[0] for line in lines}
    assert subjects >= {"settings", "disk", "database", "Telegram", "public address", "cloud engine", "local engine"}
    assert "no TELEGRAM_BOT_TOKEN" in done.stdout


def test_models_are_listed_with_their_licences_and_none_is_downloaded(bot: Run, tmp_path: Path) -> None:
    done = bot(tmp_path, "models", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == [model.name for model in MODELS.values()]
    for line, model in zip(done.stdout.splitlines(), MODELS.values(), strict=True):
        assert f"({model.licence}; {model.notice}" in line
    brought = {path.name for path in SETUP_FOLDER.glob("*.onnx")}
    assert {path.name for path in tmp_path.rglob("*.onnx*")} <= brought


def test_the_segmenter_that_set_up_brought_is_used_without_a_further_step(
    bot: Run, tmp_path: Path, segmenter_folder: Path
) -> None:
    scene().save(tmp_path / "photo.png")
    done = bot(tmp_path, "edit", "remove-background", "photo.png", "-o", "out.png", LOG_LEVEL="DEBUG")
    assert done.returncode == 0
    assert "model_copied" in done.stderr
    assert "segmenter" not in done.stderr
    assert (tmp_path / "data" / "models" / "u2netp.onnx").stat().st_size == MODELS["u2netp"].size
    listed = bot(tmp_path, "models").stdout
    assert listed.startswith("there  u2netp ")


def test_a_dry_run_of_the_sweep_deletes_nothing(bot: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "cache" / "photos"
    folder.mkdir(parents=True)
    old, young = folder / "old", folder / "young"
    for path in (old, young):
        path.write_bytes(b"picture")
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    tried = bot(tmp_path, "sweep", "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "")
    assert tried.stdout == "0 edits, 0 offers, 0 pending commands, 0 people, 1 files would be deleted\n"
    assert old.exists()
    done = bot(tmp_path, "sweep")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "0 edits, 0 offers, 0 pending commands, 0 people, 1 files deleted\n"
    assert (old.exists(), young.exists()) == (False, True)


def test_the_version_is_the_one_of_the_package(bot: Run, tmp_path: Path) -> None:
    done = bot(tmp_path, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"photo-cleaning-bot {__version__}")
    assert 'attr = "bot.__version__"' in (ROOT / "pyproject.toml").read_text()
