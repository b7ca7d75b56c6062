"""A real PostgreSQL server, started from the installed programs in a temporary folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.support import free_port

USERS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root; root runs it as one of these."""


def programs() -> Path | None:
    """The folder of initdb and postgres, the newest where there are several; None where there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return folders[-1] if folders else None


class PostgresServer:
    """One server with its own files and port."""

    def __init__(self) -> None:
        # Not a folder of pytest: only its owner can read those, and this one may belong to another user.
        self._files = tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True)
        self._folder = Path(self._files.name)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._user = next((user for user in USERS if _known(user)), None) if os.geteuid() == 0 else None
        self._databases = 0

    def create(self) -> None:
        """Make its files."""
        binaries = programs()
        assert binaries is not None
        if self._user:
            shutil.chown(self._folder, self._user)
        command = [binaries / "initdb", "-D", self._folder, "-U", "bot", "--auth=trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(command, user=self._user, check=True, capture_output=True, cwd="/")

    async def start(self) -> None:
        """Start it, and return once it answers."""
        binaries = programs()
        assert binaries is not None
        command = [binaries / "postgres", "-D", self._folder, "-p", str(self._port), "-h", "127.0.0.1"]
        options = ["-k", "", "-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB"]
        await asyncio.to_thread(self._launch, [*command, *options])
        async with asyncio.timeout(30):
            while not self._answers():  # noqa: ASYNC110 -- it sends no event when it is ready
                await asyncio.sleep(0.05)

    def _launch(self, command: list[Path | str]) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, user=self._user, stdout=quiet, stderr=quiet, cwd="/")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    async def stop(self) -> None:
        """Stop it at once, with clients connected ("fast shutdown")."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            await asyncio.to_thread(self._process.wait)
            self._process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server and all its processes hang until the block ends: connections stay open, nothing answers."""
        assert self._process is not None
        pids = [self._process.pid, *_children(self._process.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        """Delete its files."""
        self._files.cleanup()

    def new_database(self) -> str:
        """The address of an empty database."""
        self._databases += 1
        name = f"bot{self._databases}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://bot@127.0.0.1:{self._port}/{database}"


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
