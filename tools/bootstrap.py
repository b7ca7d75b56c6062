"""Set up this repository on a bare machine: `tools/bootstrap.py [run|dev|bench] [--system]`.

Needs only Python ≥ 3.11 with pip (not venv and ensurepip, which are separate packages on Debian). It

1. installs the pinned `uv` into `.tools/`,
2. creates `.venv/` and installs exactly `requirements/<set>.lock` (every file is checked by its hash), with uv, or with
   pip if uv fails (an unusual proxy or index),
3. fetches the model file of the learned segmenter into `.models/` (`model_file.py`); warns if no host has it,
4. with `--system`, installs missing programs that the tests need (a browser, PostgreSQL) from Debian's packages.

A second run with unchanged lock files finishes at once. Standard library only.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
LOCKS = ROOT / "requirements"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def warn(text: str) -> None:
    print(f"! {text}", file=sys.stderr, flush=True)


def fail(text: str) -> None:
    print(f"✗ {text}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def run(*command: str, env: dict[str, str] | None = None, quiet: bool = False) -> bool:
    """Run a command and return whether it succeeded. Its output is shown as progress, or on failure only if `quiet`."""
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=quiet, text=True, check=False)
    if quiet and done.returncode:
        print((done.stdout + done.stderr)[-2000:], file=sys.stderr)
    return done.returncode == 0


def fingerprint(name: str) -> str:
    """Return a hash of what `.venv` depends on: the lock file, the Python, and the path of the repository."""
    lock = (LOCKS / f"{name}.lock").read_bytes()
    return hashlib.sha256(lock + sys.version.encode() + str(ROOT).encode()).hexdigest()


def installed() -> tuple[str, str]:
    """Return the set and the fingerprint that `.venv` was last installed from; empty if there is none."""
    stamp = VENV / "installed"
    if not stamp.is_file() or not (VENV / "bin" / "python").exists():
        return "", ""
    name, _, digest = stamp.read_text().partition(" ")
    return name, digest


def is_ready(name: str) -> bool:
    """Whether `.venv` already contains the set; `dev` contains `run`, and `bench` contains both."""
    name_installed, digest = installed()
    containing = {"run": ("run", "dev", "bench"), "dev": ("dev", "bench"), "bench": ("bench",)}[name]
    return name_installed in containing and digest == fingerprint(name_installed)


def pip_setting(name: str) -> str:
    """Return one of pip's settings, from the environment or its configuration; empty if it is not set."""
    if value := os.environ.get(f"PIP_{name.replace('-', '_').upper()}"):
        return value
    # `pip config get` reads the user's file alone.
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        if key in (f"install.{name}", f"global.{name}"):
            return str(ast.literal_eval(value))
    return ""


def pip_settings_for_uv() -> dict[str, str]:
    """Return an environment that gives uv pip's index and certificates: uv does not read pip's configuration.

    Without any it trusts the system's certificates, as pip does, and not only those that it brings: a company's network
    may need its own.
    """
    env = dict(os.environ)
    if index := pip_setting("index-url"):
        env.setdefault("UV_DEFAULT_INDEX", index)
    if certificates := pip_setting("cert"):
        env.setdefault("SSL_CERT_FILE", certificates)
    elif SYSTEM_CERTIFICATES.is_file():
        env.setdefault("UV_SYSTEM_CERTS", "true")
    env.setdefault("UV_LINK_MODE", "copy")
    return env


def get_uv() -> Path | None:
    """Return the pinned uv in `.tools/`, installing it if missing; None if pip cannot install it."""
    uv, lock = TOOLS / "bin" / "uv", LOCKS / "tools.lock"
    stamp = TOOLS / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if uv.exists() and stamp.exists():
        return uv
    say("fetching the installer (uv)")
    shutil.rmtree(TOOLS, ignore_errors=True)
    # --target also works where Debian marks the system Python as externally managed (PEP 668).
    pip = (sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(TOOLS))
    if not run(*pip, "--require-hashes", "-r", str(lock), env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}):
        return None
    stamp.touch()
    return uv if uv.exists() else None


def make_venv(name: str) -> None:
    """Install exactly the lock file into `.venv`; exit with one line of explanation on failure."""
    lock = str(LOCKS / f"{name}.lock")
    python = VENV / "bin" / "python"
    if VENV.exists() and not installed()[0]:
        shutil.rmtree(VENV)  # incomplete, from an interrupted run
    stamp = VENV / "installed"
    uv, env = get_uv(), pip_settings_for_uv()
    if uv:
        if not python.exists() and not run(str(uv), "venv", "-q", "--python", sys.executable, str(VENV), env=env):
            fail("could not create .venv; is this folder writable?")
        stamp.unlink(missing_ok=True)
        say(f"installing Python packages ({name})")
        if run(str(uv), "pip", "sync", "--python", str(python), "--require-hashes", lock, env=env):
            stamp.write_text(f"{name} {fingerprint(name)}")
            return
        say("uv failed to install the packages; trying pip")
    shutil.rmtree(VENV, ignore_errors=True)
    if not run(sys.executable, "-m", "venv", str(VENV)):
        fail("no .venv: install the package python3-venv (apt-get install python3-venv) and run this again")
    # --no-deps: the lock file is complete, and packages left out by bench.overrides must stay out.
    if not run(str(python), "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", lock):
        fail("the Python packages could not be installed: is the package index reachable? (pip's message is above)")
    stamp.write_text(f"{name} {fingerprint(name)}")


def as_root() -> list[str] | None:
    """Return the prefix that makes a command run as root; None if that is impossible."""
    if os.geteuid() == 0:
        return []
    return ["sudo"] if shutil.which("sudo") else None


def apt_install(*packages: str) -> bool:
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # /usr/bin/env carries the variable through sudo.
    apt = [*prefix, "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    run(*apt, "update", "-qq", env=env, quiet=True)
    say(f"installing {', '.join(packages)} (Debian packages; one or two minutes the first time)")
    return run(*apt, "install", "-y", "-qq", "--no-install-recommends", *packages, env=env, quiet=True)


def get_browser() -> None:
    """Provide Chromium for the page tests: an installed one, Debian's package, or Playwright's build."""
    if any(shutil.which(name) for name in BROWSERS) or (TOOLS / "browser").exists():
        return
    # Ubuntu's package of that name installs a snap, which does not run in a container.
    ubuntu = "ubuntu" in Path("/etc/os-release").read_text().lower() if Path("/etc/os-release").exists() else False
    if not ubuntu and apt_install("chromium") and shutil.which("chromium"):
        return
    say("installing Playwright's Chromium")
    env = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(TOOLS / "browser")}
    if not run(str(VENV / "bin" / "playwright"), "install", "--with-deps", "chromium", env=env):
        fail("no browser for the page tests: install one (apt-get install chromium) and run `make test` again")


def get_postgres() -> None:
    """Provide PostgreSQL's programs for the tests with several workers, which start a server as an ordinary user."""
    if shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return
    if not apt_install("postgresql"):
        say("PostgreSQL is not installed, so its tests are skipped: apt-get install postgresql, then `make test` again")


def main() -> None:
    if sys.version_info < (3, 11):
        fail(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; try `make PYTHON=python3.11 …`")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", default="run", choices=("run", "dev", "bench"))
    parser.add_argument("--system", action="store_true", help="also install the programs that the tests need")
    arguments = parser.parse_args()
    if not is_ready(arguments.set):
        make_venv(arguments.set)
    import browsers  # needs the Python version checked above
    import model_file
    import old_chromium

    model_file.ensure_file(model_file.read_pin(), mirror=model_file.mirror_setting(), say=say, warn=warn)
    if arguments.system:
        get_browser()
        get_postgres()
        browsers.install(apt_install, say)
        old_chromium.install(say)


if __name__ == "__main__":
    main()
