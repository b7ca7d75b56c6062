"""Build the container image without a Docker engine, and try it: `tools/try_container.py`.

Needs root and Debian's packages `buildah` and `debootstrap`. It

1. takes the Dockerfile's base image from its registry or, where that does not answer, imports a stand-in: a bare Debian
   of the same release, with Debian's own Python of the same minor version,
2. builds the image with `buildah build --isolation=chroot`, with this machine's pip settings and certificates,
3. checks its size without the base, and that it contains nothing that only set-up and tests need,
4. starts it without rights, as `locked_down.py` says; runs its health check, asks `/readyz`, and runs the doctor and
   one edit beside the bot,
5. stops it by the image's stop signal, and checks the exit code.

The first step that fails ends it with a line and exit code 1. Everything is in one temporary folder, which is removed
at the end. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import locked_down
from locked_down import Container, ContainerError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"buildah": ("buildah",), "debootstrap": ("debootstrap",), "util-linux": locked_down.PROGRAMS}
"""Debian's packages that are needed, and their programs."""

IMAGE = "localhost/photo-bot"
MAX_MB = 450
"""Megabytes (10⁶ bytes) that the image may add to its base."""

IN_APP = {".models", ".venv", "LICENSE", "LICENSES", "THIRD_PARTY.md", "bot", "data", "webapp"}
"""All that /app contains."""

BASE = re.compile(r"python:([\d.]+)-slim-(\w+)")
"""The official Python image's version and Debian release."""
BASE_PACKAGES = "ca-certificates,python3,python3-pip,python-is-python3"
"""What the stand-in needs to be like the official image: `python` and pip."""

USED_BY_SETUP = ("/etc/pip.conf", "/etc/ssl/certs")
"""This machine's settings that the build uses, and that do not become part of the image."""

ASK_READY = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/readyz', timeout=4).read().decode())"
PAINT = "import pathlib, bot.playground.samples as s; pathlib.Path('data/boat.jpg').write_bytes(s.jpeg('boat'))"
EDIT = ("edit", "remove-subject", "data/boat.jpg", "-o", "data/clean.png", "--save-mask", "data/mask.png")
COMPARE = """
import cv2
from bot.playground.samples import SAMPLES
(boat,) = (sample.mask() > 127 for sample in SAMPLES if sample.name == "boat")
mask = cv2.imread("data/mask.png", cv2.IMREAD_GRAYSCALE) > 127
changed = (cv2.imread("data/clean.png") != cv2.imread("data/boat.jpg")).any(axis=2)
print((mask & boat).sum() / boat.sum(), changed[boat].mean())
"""
"""Prints how much of the boat was found, and how much of it was changed."""


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def run(step: str, *command: str) -> str:
    """Run a command and return what it printed.

    Raises:
        ContainerError: It failed; the last lines of what it printed are shown.
    """
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)
        raise ContainerError(f"{step}: exit code {done.returncode} of {shlex.join(command)[:200]}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Store:
    """Buildah with its own storage, so that the machine's images stay as they are."""

    folder: Path

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The command line of a command of buildah."""
        return ("buildah", "--root", str(self.folder / "images"), "--runroot", str(self.folder / "run"), *arguments)

    def run(self, step: str, *arguments: str) -> str:
        """Run a command of buildah, as `run`."""
        return run(step, *self.command(*arguments))

    def inspect(self, image: str) -> dict[str, Any]:
        """What buildah knows of an image."""
        found: dict[str, Any] = json.loads(self.run("inspect", "inspect", "--type", "image", image))
        return found

    def megabytes(self, image: str) -> float:
        """The size of an image's layers without compression, in 10⁶ bytes, as Docker counts it."""
        wanted = set(self.inspect(image)["OCIv1"]["rootfs"]["diff_ids"])
        known = [
            layer for path in self.folder.glob("images/*-layers/layers.json") for layer in json.loads(path.read_text())
        ]
        sizes = {layer["diff-digest"]: layer["diff-size"] for layer in known if "diff-digest" in layer}
        return sum(int(sizes[digest]) for digest in wanted) / 1e6


def base_image() -> str:
    """The one image that all stages of the Dockerfile stand on."""
    names: set[str] = set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    if len(names) != 1:
        raise ContainerError(f"Dockerfile: one base image is expected, found {sorted(names)}")
    return names.pop()


def bring_base(store: Store, image: str) -> None:
    """Provide the base image under its own name, from its registry or as a stand-in."""
    with contextlib.suppress(subprocess.SubprocessError):
        pull = store.command("pull", "-q", f"docker.io/library/{image}")
        subprocess.run(pull, check=True, capture_output=True, timeout=120)
        say(f"base: {image}")
        return
    match = BASE.fullmatch(image)
    if match is None:
        raise ContainerError(f"base: no registry gives {image}, and a stand-in is known for python:…-slim-… only")
    version, release = match.groups()
    say(f"base: no registry gives {image}; making a stand-in from a bare Debian {release}")
    container = store.run("base", "from", "scratch")
    root = store.run("base", "mount", container)
    run("base", "debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", release, root)
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(Path(root, folder), ignore_errors=True)
    has = run("base", "chroot", root, "python", "-c", "import platform; print(platform.python_version())")
    if not has.startswith(f"{version}."):
        raise ContainerError(f"base: Debian {release} has Python {has}, the Dockerfile asks for {version}")
    store.run("base", "commit", "-q", "--rm", container, f"docker.io/library/{image}")
    say(f"base: Debian's Python {has}, {store.megabytes(f'docker.io/library/{image}'):.0f} MB")


def build(store: Store) -> None:
    """Build the image."""
    began = time.monotonic()
    # The OCI format has no health check.
    options = ["--isolation=chroot", "--pull=never", "--format=docker"]
    options += [f"--volume={path}:{path}:ro" for path in USED_BY_SETUP if Path(path).exists()]
    options += [
        f"--build-arg={name}={os.environ[name]}" for name in ("PIP_INDEX_URL", "MODELS_MIRROR") if name in os.environ
    ]
    said = store.run("build", "build", *options, "-t", IMAGE, str(ROOT))
    print("\n".join(line for line in said.splitlines() if line.startswith(("·", "!"))))  # what set-up said
    say(f"built in {time.monotonic() - began:.0f} s")


def check_content(store: Store, image: Path) -> None:
    """Check the size, and that there is only the program, the packages of `run.lock`, and the segmenter's file."""
    size = store.megabytes(IMAGE) - store.megabytes(f"docker.io/library/{base_image()}")
    app = image / "app"
    parts = ", ".join(f"{name} {_megabytes(app / name):.1f}" for name in (".venv", "bot", "webapp", ".models"))
    say(f"the image is {size:.0f} MB without its base, {MAX_MB} are allowed ({parts})")
    if size > MAX_MB:
        raise ContainerError("the image is too large")
    if (found := {path.name for path in app.iterdir()}) != IN_APP:
        raise ContainerError(f"/app should contain {sorted(IN_APP)}, and contains {sorted(found)}")
    locked = re.findall(r"^([\w.-]+)", (ROOT / "requirements" / "run.lock").read_text(), re.MULTILINE)
    installed = [path.name.partition("-")[0] for path in app.glob(".venv/lib/python3*/site-packages/*.dist-info")]
    if more := set(map(_plain, installed)) - set(map(_plain, locked)):
        raise ContainerError(f"the image contains packages that the bot does not need: {sorted(more)}")
    if not list(app.glob(".models/*.onnx")):
        raise ContainerError("the learned segmenter's file is not in the image")


def _plain(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*")) / 1e6


def try_image(container: Container) -> None:
    """Ask a started image, let it work, and stop it."""

    def ask(step: str, *command: str) -> str:
        return run(step, *container.inside(*command))

    say(f"healthy after {container.wait_until_healthy():.1f} s")
    container.check_rights()
    say(f"/readyz: {ask('readyz', 'python', '-c', ASK_READY)}")
    report = ask("doctor", "python", "-m", "bot", "doctor")
    print(report, flush=True)
    if "u2netp" not in report or not all(line.startswith("ok ") for line in report.splitlines()):
        raise ContainerError("doctor: every line should be ok, and one should name the learned segmenter")
    ask("edit", "python", "-c", PAINT)
    began = time.monotonic()
    ask("edit", "python", "-m", "bot", *EDIT)
    seconds = time.monotonic() - began
    found, changed = map(float, ask("edit", "python", "-c", COMPARE).split())
    say(f"one edit took {seconds:.1f} s; of the subject {found:.0%} was found and {changed:.0%} changed")
    if min(found, changed) < 0.9:
        raise ContainerError("edit: the subject was not removed")
    code, seconds = container.stop()
    say(f"stopped after {seconds:.1f} s, exit code {code}")
    if code:
        raise ContainerError("the exit code should be 0")


@contextlib.contextmanager
def temporary_store() -> Iterator[Store]:
    """A storage that is unmounted and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="try-container-") as scratch:
        store = Store(Path(scratch))
        try:
            yield store
        finally:
            for command in (("rm", "--all"), ("rmi", "--all", "--force")):
                subprocess.run(store.command(*command), capture_output=True, check=False)


def main() -> None:
    missing = [package for package, programs in PACKAGES.items() if not all(map(shutil.which, programs))]
    try:
        if missing:
            raise ContainerError(f"missing: apt-get install {' '.join(missing)}")
        if os.geteuid() != 0:
            raise ContainerError("buildah and debootstrap need root here: sudo python3 tools/try_container.py")
        with temporary_store() as store:
            bring_base(store, base_image())
            build(store)
            image = Path(store.run("start", "mount", store.run("start", "from", "--pull=never", IMAGE)))
            check_content(store, image)
            data = store.folder / "data"
            data.mkdir(mode=0o700)
            config = store.inspect(IMAGE)["Docker"]["config"]
            with locked_down.started(image, config, data, "MODELS=off", "ENGINE=local") as container:
                try_image(container)
    except ContainerError as error:
        raise SystemExit(f"✗ {error}") from None
    say("the container works")


if __name__ == "__main__":
    main()
