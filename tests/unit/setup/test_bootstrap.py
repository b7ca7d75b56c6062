"""Set-up hands pip's settings on to uv, which does not read them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those that a test makes: pip reads this file alone."""
    for name in ("PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_SYSTEM_CERTS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "pip.conf").touch()
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setattr(bootstrap, "SYSTEM_CERTIFICATES", tmp_path / "system.crt")


def python_with_pip() -> str:
    """The Python that set up `.venv` has pip; where that came from the package python3-venv alone, `.venv` has it."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    asked = subprocess.run([base, "-m", "pip", "--version"], capture_output=True, check=False)
    return sys.executable if asked.returncode else str(base)


def test_settings_of_pips_file_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.sys, "executable", python_with_pip())
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://index.example/simple\ncert = /etc/company.crt\n")
    env = bootstrap.pip_settings_for_uv()
    assert env["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert env["SSL_CERT_FILE"] == "/etc/company.crt"
    assert "UV_SYSTEM_CERTS" not in env


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://index.example/simple\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    assert bootstrap.pip_settings_for_uv()["UV_DEFAULT_INDEX"] == "https://other.example/simple"


@pytest.mark.parametrize("has_certificates", [True, False])
def test_the_systems_certificates_are_trusted_where_there_are_some(tmp_path: Path, has_certificates: bool) -> None:
    if has_certificates:
        (tmp_path / "system.crt").touch()
    env = bootstrap.pip_settings_for_uv()
    assert ("UV_SYSTEM_CERTS" in env) is has_certificates
    assert "UV_DEFAULT_INDEX" not in env
