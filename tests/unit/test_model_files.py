"""Model files: copied from set-up, one warning if the segmenter is missing, downloads in the background."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot import doctor, model_files
from bot.errors import WorldError
from bot.models.registry import MODELS
from bot.settings import Settings

CONTENT = b"a learned segmenter" * 1000
FILE = "u2netp.onnx"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a temporary data folder; the registry describes CONTENT as the small segmenter."""
    published = replace(MODELS["u2netp"], sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT))
    monkeypatch.setitem(MODELS, "u2netp", published)
    return Settings(_env_file=None, data_dir=tmp_path / "data", models_mirror="https://mirror.example/m")


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """Set-up's folder, with the file."""
    folder = tmp_path / ".models"
    folder.mkdir()
    (folder / FILE).write_bytes(CONTENT)
    return folder


def test_set_ups_file_is_copied_without_a_warning(settings: Settings, brought: Path) -> None:
    with capture_logs() as logs:
        model_files.copy_from_setup(settings, source=brought)
        model_files.warn_if_missing(settings)
    assert (settings.data_dir / "models" / FILE).read_bytes() == CONTENT
    assert [entry for entry in logs if entry["log_level"] != "debug"] == []


def test_without_the_segmenter_one_warning_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    with capture_logs() as logs:
        model_files.copy_from_setup(settings, source=tmp_path / "nothing")
        model_files.warn_if_missing(settings)
    (entry,) = logs
    assert (entry["event"], entry["log_level"]) == ("segmenter_missing", "warning")
    assert entry["fetching_in_the_background"]
    for part in (FILE, "make setup", "models download u2netp", "MODELS_MIRROR", MODELS["u2netp"].sha256):
        assert part in entry["advice"]


def test_a_damaged_file_is_named(settings: Settings) -> None:
    (settings.data_dir / "models").mkdir(parents=True)
    (settings.data_dir / "models" / FILE).write_bytes(CONTENT + b"!")
    advice = model_files.missing_segmenter(settings)
    assert advice is not None
    assert f"not the published file: {FILE}" in advice
    assert any(line.startswith("wrong  u2netp ") for line in model_files.listing(settings))


def test_a_models_folder_that_cannot_be_written_does_not_stop_the_program(settings: Settings, brought: Path) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "models").write_text("in the way")
    with capture_logs() as logs:
        model_files.copy_from_setup(settings, source=brought)
    assert [entry["event"] for entry in logs] == ["models_not_copied"]


async def test_the_doctor_warns_if_the_segmenter_is_missing(
    settings: Settings, brought: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor.print_report(settings) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "local engine:" in line)
    assert line.startswith("warn local engine: no u2netp.onnx")
    model_files.copy_from_setup(settings, source=brought)
    assert await doctor.print_report(settings) == 0
    assert "ok  local engine: works, with the learned models u2netp\n" in capsys.readouterr().out


async def test_a_download_from_the_mirror_needs_no_terminal(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    application = web.Application()
    application.router.add_static("/m", tmp_path)
    (tmp_path / FILE).write_bytes(CONTENT)
    async with TestServer(application) as server:
        mirrored = settings.model_copy(update={"models_mirror": str(server.make_url("/m"))})
        with capture_logs():
            await model_files.list_or_download("download", ["u2netp"], mirrored)
    assert capsys.readouterr().out == f"u2netp: in {settings.data_dir / 'models'}, checked\n"
    assert (settings.data_dir / "models" / FILE).read_bytes() == CONTENT


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Names and mirrors of the downloads in the background; that of u2netp fails."""
    asked: list[tuple[str, str | None]] = []

    async def download(names: list[str], folder: Path, *, mirror: str | None = None) -> tuple[Path, ...]:
        asked.extend((name, mirror) for name in names)
        if "u2netp" in names:
            raise WorldError("models-unreachable", name="u2netp")
        return tuple(folder / name for name in names)

    monkeypatch.setattr("bot.models.fetch.download", download)
    return asked


async def test_a_failed_download_does_not_stop_the_others(
    settings: Settings, fetched: list[tuple[str, str | None]]
) -> None:
    with capture_logs() as logs:
        await model_files.fetch_default(settings)
    assert fetched == [("u2netp", settings.models_mirror), ("migan", settings.models_mirror)]
    assert [(entry["event"], entry["name"]) for entry in logs] == [("model_not_fetched", "u2netp")]


async def test_models_off_downloads_nothing_and_uses_existing_files(
    settings: Settings, brought: Path, fetched: list[tuple[str, str | None]]
) -> None:
    off = settings.model_copy(update={"models": "off"})
    model_files.copy_from_setup(off, source=brought)
    await model_files.fetch_default(off)
    assert fetched == []
    assert model_files.missing_segmenter(off) is None
