"""What the container's `.venv` leaves out is nothing that the program loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import slim_venv

ROOT = Path(__file__).resolve().parents[3]

LOAD_EVERYTHING = """
import importlib, pkgutil, sys
import bot, webapp
for package in (bot, webapp):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
import alembic.command, onnxruntime, psycopg  # imported on first use
from bot.texts import Texts
Texts()
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
files |= {line.split()[-1] for line in open("/proc/self/maps") if "site-packages" in line}
for name in sorted(filter(None, files)):
    if "site-packages/" in name:
        print(name.rpartition("site-packages/")[2])
"""


def test_nothing_that_the_program_loads_is_removed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_EVERYTHING], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    loaded = done.stdout.splitlines()
    assert len(loaded) > 500, done.stderr
    assert [path for path in loaded if slim_venv.needless(path)] == []


@pytest.mark.parametrize(
    "path",
    [
        "numpy/_core/tests/test_umath.py",
        "Crypto/SelfTest/Cipher/test_AES.py",
        "cv2/__init__.pyi",
        "numpy/_core/include/numpy/ndarrayobject.h",
        "babel/locale-data/de.dat",
        "onnxruntime/capi/libonnxruntime.so.1.32.0",
        "onnxruntime/transformers/optimizer.py",
        "pip/_internal/cli/main.py",
        "pip-26.0.dist-info/METADATA",
    ],
)
def test_what_only_developers_need_is_removed(path: str) -> None:
    assert slim_venv.needless(path)


@pytest.mark.parametrize(
    "path",
    [
        "babel/locale-data/zh.dat",
        "numpy/testing/__init__.py",
        "onnxruntime/ThirdPartyNotices.txt",
        "cv2/LICENSE-3RD-PARTY.txt",
        "pipeline/core.py",
        "volcengine/auth/SignerV4.py",
        "aiohttp-3.14.5.dist-info/licenses/LICENSE.txt",
    ],
)
def test_licences_and_what_runs_stay(path: str) -> None:
    assert slim_venv.needless(path) is None


def test_a_folder_that_is_empty_then_goes_too(tmp_path: Path) -> None:
    for path in ("one/tests/deep/test_it.py", "one/code.py", "only/tests/test_it.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("12345")
    assert slim_venv.slim(tmp_path) == {"the packages' own tests": 10}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["code.py", "one"]
