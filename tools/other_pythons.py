"""Run the checks and the unit tests on every other supported Python of this machine: `tools/other_pythons.py`.

Looks for Python 3.11 to 3.13 on the PATH and among pyenv's versions, and leaves out the version that runs this script:
`make test` covers it. Each Python works in its own temporary copy of the repository, so that `.venv` stays as it is.

The tests are tests/unit without `PIXEL_TESTS`, which test pixel algorithms: they take more than half of the
time, and depend on NumPy and OpenCV, which the lock files pin to one version for every Python.

Exit code 1 if a check fails. A Python whose packages cannot be installed for lack of a network is reported and skipped.
Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.11", "3.12", "3.13")
PIXEL_TESTS = (
    "tests/unit/segmentation",
    "tests/unit/inpainting",
    "tests/unit/benchmarks",
    "tests/unit/test_samples.py",
)
CHECKS = (
    ("ruff", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("mypy", ("mypy",)),
    ("lint-imports", ("lint-imports", "--no-logo")),
    ("tests/unit", ("python", "-m", "pytest", "-q", "tests/unit", *(f"--ignore={folder}" for folder in PIXEL_TESTS))),
)
TIME_LIMIT = 1800
"""Seconds that one command may take."""
NOT_COPIED = (
    ".git",
    ".venv",
    ".env",
    "data",
    "build",
    "node_modules",
    "browser",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)
NETWORK_ERRORS = (
    "error sending request",
    "could not connect",
    "failed to connect",
    "connection refused",
    "connection error",
    "connectionerror",
    "name resolution",
    "dns error",
    "network is unreachable",
    "timed out",
    "max retries exceeded",
    "no matching distribution found for uv",
)
"""What uv's and pip's messages contain, in lower case, if the package index cannot be reached."""


@dataclass(frozen=True)
class Result:
    """What became of one Python: a line for the report, the output to show, and whether it fails the run."""

    summary: str
    output: str = ""
    failed: bool = False


def version_of(python: str) -> str:
    """Return the full version of an interpreter; empty if it does not run, as some of pyenv's shims do not."""
    command = [python, "-c", "import platform; print(platform.python_version())"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_pythons() -> dict[str, tuple[str, str]]:
    """Return the interpreters found: minor version → (path, full version)."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = {}
    for minor in SUPPORTED:
        of_pyenv = sorted(pyenv.glob(f"versions/{minor}*/bin/python"), reverse=True)
        on_path = shutil.which(f"python{minor}")
        for python in [on_path, *map(str, of_pyenv)]:
            version = version_of(python) if python else ""
            if python and version.startswith(f"{minor}."):
                found[minor] = (python, version)
                break
    return found


def run(command: list[str], folder: Path) -> tuple[bool, str]:
    """Run a command in a folder; return whether it succeeded, and its output."""
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"{' '.join(command)}: not done after {TIME_LIMIT} s"
    return done.returncode == 0, done.stdout


def check(python: str, version: str, folder: Path) -> Result:
    """Set up a copy of the repository in a folder, and run all checks there."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
    is_set_up, output = run([python, "tools/bootstrap.py", "dev"], folder)
    if not is_set_up:
        if any(error in output.lower() for error in NETWORK_ERRORS):
            return Result(f"Python {version}: not checked, the package index cannot be reached", output[-500:])
        return Result(f"Python {version}: set-up failed", output[-4000:], failed=True)
    failures = []
    last_line = ""
    for name, command in CHECKS:
        passed, output = run([str(folder / ".venv" / "bin" / command[0]), *command[1:]], folder)
        last_line = (output.strip().splitlines() or [""])[-1]
        if not passed:
            failures.append((name, output))
    if failures:
        names = ", ".join(name for name, _ in failures)
        shown = "\n".join(f"--- {name}, Python {version}\n{output[-8000:]}" for name, output in failures)
        return Result(f"Python {version}: {names} failed ({last_line})", shown, failed=True)
    return Result(f"Python {version}: all checks passed; {last_line}")


def main() -> None:
    found = find_pythons()
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = {minor: python for minor, python in found.items() if minor != this}
    missing = [minor for minor in SUPPORTED if minor != this and minor not in found]
    names = ", ".join(version for _, version in others.values()) or "none"
    print(f"· other Pythons on this machine: {names}; this one is {sys.version.split()[0]}", flush=True)
    if missing:
        print(f"· not found, so not checked: {', '.join(missing)}", flush=True)
    failed = False
    parallel = max(1, (os.cpu_count() or 1) // 2)  # the tests use several processes themselves
    with tempfile.TemporaryDirectory(prefix="other-pythons-") as scratch, ThreadPoolExecutor(parallel) as threads:
        jobs = [
            threads.submit(check, python, version, Path(scratch) / minor / "repository")
            for minor, (python, version) in others.items()
        ]
        for job in jobs:
            result = job.result()
            failed |= result.failed
            if result.output:
                print(result.output.rstrip(), flush=True)
            print(f"{'✗' if result.failed else '·'} {result.summary}", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
