"""Check the JavaScript of both pages: `tools/javascript.py`.

Runs Deno, which comes with the development packages: its formatter (one style, single quotes), its linter and its
TypeScript compiler, which checks the JSDoc types. `deno.json` holds their settings. `deno fmt` repairs the format.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("webapp/static", "bot/playground/static")
CHECKS = (("fmt", "--check"), ("lint",), ("check", "--no-remote", "--no-npm", *PAGES))


def deno() -> str | None:
    """The path of Deno in this Python's environment, else of one on the PATH; None if there is none."""
    return shutil.which("deno", path=sysconfig.get_path("scripts")) or shutil.which("deno")


def check(program: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run one command of `CHECKS`; it needs no network."""
    cache = {"DENO_DIR": str(ROOT / ".tools" / "deno"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [program, *command, "--quiet"],
        cwd=ROOT,
        env={**os.environ, **cache},
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> None:
    program = deno()
    if program is None:
        raise SystemExit("Deno is missing: run `make setup`.")
    done = [check(program, *command) for command in CHECKS]
    failed = [answer for answer in done if answer.returncode]
    for answer in failed:
        print(answer.stdout + answer.stderr, file=sys.stderr)
    if failed:
        raise SystemExit(1)
    print("JavaScript: format, lint and types are clean")


if __name__ == "__main__":
    main()
