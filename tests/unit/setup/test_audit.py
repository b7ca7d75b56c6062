"""`tools/audit.py` looks for known vulnerabilities where their database is reached; elsewhere it says so and ends."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


class Database(BaseHTTPRequestHandler):
    """Answers /v1/query as osv.dev does, and any other path as a proxy that knows nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_query = self.path == "/v1/query"
        body = b"{}" if is_query else b"<html>not here</html>"
        self.send_response(200 if is_query or self.path == "/page" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_database_is_told_from_a_proxy_in_its_place(audit: ModuleType, database: str) -> None:
    assert audit.is_reachable(f"{database}/v1/query")
    assert not audit.is_reachable(f"{database}/page"), "an answer that is no JSON"
    assert not audit.is_reachable(f"{database}/missing")


def test_a_machine_without_network_is_told_so_and_goes_on(
    audit: ModuleType, database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert audit.main(["--osv-url", f"{database}/missing", "--target", str(tmp_path)]) == 0
    assert "not checked" in capsys.readouterr().out


def test_a_known_vulnerability_is_named_and_fails(
    audit: ModuleType,
    database: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In the place of pip-audit, which is installed from the index: its report.
    vulnerable = {"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
    report = json.dumps({"dependencies": [{"name": "numpy", "version": "2", "vulns": []}, vulnerable], "fixes": []})
    (tmp_path / "pip_audit.py").write_text(f"print({report!r})")
    monkeypatch.setattr(audit, "install", lambda *_: True)
    asked = ["--osv-url", f"{database}/v1/query", "--target", str(tmp_path)]
    assert audit.main(asked) == 1
    assert capsys.readouterr().err == "✗ pillow 1.0: PYSEC-1, fixed in 1.1\n"
    (tmp_path / "pip_audit.py").write_text("raise SystemExit('no answer')")
    assert audit.main(asked) == 0
    assert "stopped answering" in capsys.readouterr().out


def test_a_pip_that_reaches_no_index_is_no_fault(
    audit: ModuleType,
    database: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{database}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    assert audit.main(["--osv-url", f"{database}/v1/query", "--target", str(tmp_path)]) == 0
    assert "could not be installed" in capsys.readouterr().out
