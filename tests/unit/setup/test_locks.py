"""The lock files hold what the program needs, and nothing else."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "requirements"

SIGN = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(name)

BLOCKED = set(sys.argv[1:])
sys.meta_path.insert(0, Blocked())
from bot.engines.volcengine.config import VolcConfig
from bot.engines.volcengine.signing import sign
print(sign(VolcConfig(access_key="a", secret_key="b"), "CVProcess", b"{}").headers["Authorization"].split()[0])
"""


def names_in(file: str) -> set[str]:
    """The packages that a requirements file names."""
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", (REQUIREMENTS / file).read_text(), re.MULTILINE)
    return {str(canonicalize_name(name)) for name in found}


def needed(name: str, extras: set[str], left_out: set[str], known: set[str]) -> None:
    """Add a package, and what it requires on any platform, to `known`."""
    if name in known and not extras:
        return
    known.add(name)
    try:
        requires = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return  # for another platform
    for requirement in map(Requirement, requires):
        wanted = str(canonicalize_name(requirement.name))
        asked = requirement.marker is None or "extra" not in str(requirement.marker)
        asked = asked or any(requirement.marker.evaluate({"extra": extra}) for extra in extras if requirement.marker)
        if asked and wanted not in left_out:
            needed(wanted, set(requirement.extras), left_out, known)


def test_the_signer_needs_none_of_the_packages_that_are_left_out() -> None:
    left_out = names_in("run.excludes")
    assert left_out
    assert not left_out & (names_in("run.lock") | names_in("dev.lock"))
    done = subprocess.run(
        [sys.executable, "-c", SIGN, *left_out, "bs4", "soupsieve", "urllib3", "charset_normalizer", "decorator", "py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("HMAC-SHA256\n", "")


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_every_locked_package_is_asked_for(lock: str) -> None:
    known: set[str] = set()
    for file in {"run.in", f"{lock}.in"}:
        for line in (REQUIREMENTS / file).read_text().splitlines():
            if line and line[0] not in "#-":
                asked = Requirement(line)
                needed(str(canonicalize_name(asked.name)), set(asked.extras), names_in("run.excludes"), known)
    assert names_in(f"{lock}.lock") <= known, "no package asks for it"


def test_no_lock_file_names_an_index() -> None:
    for lock in REQUIREMENTS.glob("*.lock"):
        assert "://" not in lock.read_text(), lock.name
