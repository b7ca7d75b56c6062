"""Compare the locked packages with known vulnerabilities, by pip-audit: `tools/audit.py [--osv-url URL]`.

Exit code 1 if a locked version has a known vulnerability. Where the database cannot be reached, or pip-audit cannot be
installed, it says so in a line and ends with 0: a machine without network is no fault. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("run", "dev")
TARGET = ROOT / ".tools" / "audit"
OSV = "https://api.osv.dev/v1/query"
"""The database of pip-audit's service `osv`."""

REACH_SECONDS = 4.0
AUDIT_SECONDS = 120.0


def is_reachable(url: str, seconds: float = REACH_SECONDS) -> bool:
    """Whether the database answers a question about a package as the database does, and not a proxy in its place.

    Args:
        url: Of the database's queries.
        seconds: Time limit of the connection and of the answer.
    """
    question = json.dumps({"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "0.1"}).encode()
    request = urllib.request.Request(url, question, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return isinstance(json.load(answer), dict)
    except (OSError, ValueError):
        return False


def install(target: Path, lock: Path) -> bool:
    """Install pip-audit from its lock file, unless it is there; whether it is there now."""
    stamp = target / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if stamp.exists():
        return True
    pip = (sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade")
    command = (*pip, "--target", str(target), "--require-hashes", "-r", str(lock))
    quiet = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    if subprocess.run(command, env=quiet, capture_output=True, check=False).returncode:
        return False
    stamp.touch()
    return True


def findings(report: str) -> list[str] | None:
    """One line for each known vulnerability in pip-audit's JSON; None: this is no report."""
    try:
        return [
            f"{package['name']} {package['version']}: {known['id']}, fixed in {' '.join(known['fix_versions']) or '–'}"
            for package in json.loads(report)["dependencies"]
            for known in package.get("vulns", [])
        ]
    except (ValueError, KeyError, TypeError):
        return None


def audit(lock: Path, osv_url: str, target: Path) -> list[str] | None:
    """The vulnerabilities of a lock file's packages, a line each; None: the database stopped answering."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--require-hashes", "--disable-pip", "-f", "json"]
    options = ["--progress-spinner", "off", "--timeout", "10", "-s", "osv", "--osv-url", osv_url]
    path = {**os.environ, "PYTHONPATH": str(target)}
    try:
        done = subprocess.run(
            [*command, *options], env=path, capture_output=True, text=True, timeout=AUDIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return findings(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    """Audit the lock files; see the module."""
    parser = argparse.ArgumentParser(prog="tools/audit.py")
    parser.add_argument("--osv-url", default=OSV)
    parser.add_argument("--target", type=Path, default=TARGET, help="folder that pip-audit is installed into")
    given = parser.parse_args(arguments)
    if not is_reachable(given.osv_url):
        print("· known vulnerabilities: not checked, their database (osv.dev) cannot be reached from here")
        return 0
    if not install(given.target, ROOT / "requirements" / "audit.lock"):
        print("· known vulnerabilities: not checked, pip-audit could not be installed")
        return 0
    found: set[str] = set()
    for name in LOCKS:
        lines = audit(ROOT / "requirements" / f"{name}.lock", given.osv_url, given.target)
        if lines is None:
            print(f"· known vulnerabilities: {name}.lock not checked, their database stopped answering")
            continue
        found.update(lines)
    for line in sorted(found):
        print(f"✗ {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
