"""Starts `python -m bot …` in processes that are forked from one that has imported the libraries already.

Importing them takes most of a start, and the tests start some hundred processes. A process that is forked has its own
environment, folder, files, session, limits and exit code, imports the program's own modules itself, and ends as every
Python does. What the interpreter itself does at its start a fork cannot show: then, and where the environment gives the
interpreter an option, a test starts a new process.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

OWN = ("bot", "webapp", "tests", "aiohttp")
"""Packages that each process imports itself: the program's register metrics, and aiohttp reads SSL_CERT_FILE."""

THREADED = ("numpy", "cv2", "onnxruntime")
"""Libraries that start threads at their import; a process with threads must not be forked."""

PROGRAM = ("bot.process", "bot.doctor", "bot.batch", "bot.model_files")
"""Modules that import all libraries that a start needs."""

MAX_REQUEST = 1 << 20
"""Bytes of a request: module, arguments, folder, environment."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a process becomes.

    Attributes:
        module: The module to run, as `python -m` does.
        arguments: Its arguments.
        folder: Its working directory.
        environment: All of its environment.
        new_session: Whether it leads a session of its own.
    """

    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]
    new_session: bool


class Forked:
    """A process, with the part of `asyncio.subprocess.Process` that tests use.

    Args:
        report: End of a pipe that gives its id, and its wait status when it has ended.
        output: End of a pipe that gives what it writes; None: it writes elsewhere.
    """

    def __init__(self, report: int, output: int | None) -> None:
        self._report = os.fdopen(report, "rb", buffering=0)
        self._output = output
        self.pid = int(self._line())
        self._returncode: int | None = None

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            read = self._report.read(1)
            if not read:
                raise RuntimeError("the process that forks has ended")
            line += read
        return line

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None: it runs."""
        if self._returncode is None and select.select([self._report], [], [], 0)[0]:
            self._returncode = os.waitstatus_to_exitcode(int(self._line()))
            self._report.close()
        return self._returncode

    async def wait(self) -> int:
        """Wait for its end; returns its exit code."""
        loop = asyncio.get_running_loop()
        while (code := self.returncode) is None:
            ended = asyncio.Event()
            watched = os.dup(self._report.fileno())  # a loop watches a number once, and several may wait
            loop.add_reader(watched, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(watched)
                os.close(watched)
        return code

    async def communicate(self) -> tuple[bytes, None]:
        """Read what it and its children write until all have ended; returns that, after its end."""
        assert self._output is not None
        reader = asyncio.StreamReader()
        pipe, self._output = os.fdopen(self._output, "rb", buffering=0), None
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            written = await reader.read()
        finally:
            transport.close()
        await self.wait()
        return written, None

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str],
    module: str = "bot",
    output: int = subprocess.PIPE,
    new_session: bool = False,
) -> Forked:
    """Start `python -m module …`.

    Args:
        arguments: Its arguments.
        folder: Its working directory.
        environment: All of its environment.
        module: The module.
        output: A file's number for what it writes, on stderr too, or PIPE.
        new_session: Whether it leads a session of its own.

    Raises:
        ValueError: The environment has an option of the interpreter, which a fork cannot obey.
    """
    options = {name for name in environment if name.startswith("PYTHON")} - {"PYTHONPATH", "PYTHONWARNINGS"}
    if options or environment.get("PYTHONWARNINGS", "default") != "default":
        raise ValueError(f"start a new process: {options or 'PYTHONWARNINGS'}")
    request = Request(module, list(arguments), str(folder), dict(environment), new_session)
    read_report, write_report = os.pipe()
    read_output, write_output = os.pipe() if output == subprocess.PIPE else (None, output)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = [nothing, write_output, write_output, write_report]
    message = json.dumps([getattr(request, name) for name in Request.__slots__]).encode()
    try:
        socket.send_fds(_forking_process(), [message], files)
    finally:
        for file in (nothing, write_report, *([write_output] if read_output is not None else [])):
            os.close(file)
    return Forked(read_report, read_output)


@functools.cache
def _forking_process() -> socket.socket:
    """Start the process that forks, once for each process of pytest; it ends when this socket is closed."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with there:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", str(there.fileno())],
            cwd=ROOT,
            env=kept | {"MALLOC_ARENA_MAX": "2"},  # read at the start alone; bots in tests have it
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    atexit.register(lambda: (here.close(), process.wait()))
    return here


# ── the process that forks ──


def main(control_file: int) -> None:
    """Fork processes on request until the other side has gone."""
    for name in _libraries():
        importlib.import_module(name)
    assert len(os.listdir("/proc/self/task")) == 1, "a library has started a thread: add it to THREADED"
    gc.freeze()  # else each process would search all that at its end
    control = socket.socket(fileno=control_file)
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    reports: dict[int, int] = {}
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    waiting.register(wake_read, select.POLLIN)
    while True:
        ready = {file for file, _ in waiting.poll()}
        if wake_read in ready:
            os.read(wake_read, 4096)
            for child, status in _ended(reports):
                _tell(reports.pop(child), status, close=True)
        if control.fileno() in ready:
            message, files, *_ = socket.recv_fds(control, MAX_REQUEST, 4)
            if not message:
                return
            child = os.fork()
            if child == 0:
                control.detach()  # its number is closed below, and may be used again
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _become(Request(*json.loads(message)), files)
                return
            *standard, reports[child] = files
            for file in standard:
                os.close(file)
            _tell(reports[child], child)


def _libraries() -> list[str]:
    """Import the program in a child of its own; returns which libraries it loads, in their order."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for name in PROGRAM:
            importlib.import_module(name)
        with os.fdopen(writing, "w") as pipe:
            json.dump([name for name, module in sys.modules.items() if getattr(module, "__spec__", None)], pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        loaded: list[str] = json.load(pipe)
    os.waitpid(child, 0)
    return [name for name in loaded if name.partition(".")[0] not in {*OWN, *THREADED, "__main__"}]


def _ended(children: Iterable[int]) -> list[tuple[int, int]]:
    """The children that have ended, and their wait status."""
    found = [os.waitpid(child, os.WNOHANG) for child in tuple(children)]
    return [(child, status) for child, status in found if child]


def _tell(report: int, number: int, *, close: bool = False) -> None:
    """Write a number; a test that is over reads no more."""
    with contextlib.suppress(BrokenPipeError):
        os.write(report, b"%d\n" % number)
    if close:
        os.close(report)


def _become(request: Request, files: list[int]) -> None:
    """Be `python -m module …`, in a child."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    if request.new_session:
        os.setsid()
    # Python's own streams know what kind of file they were made for.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- open until the end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.path[0:1] = [request.folder, *filter(None, request.environment.get("PYTHONPATH", "").split(os.pathsep))]
    if "PYTHONWARNINGS" in request.environment:
        warnings.simplefilter("default")
    sys.argv[1:] = request.arguments
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
