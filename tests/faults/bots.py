"""Bots in processes that tests can kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp

from bot.playground import Telegram, TelegramServer
from tests import forked
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, free_port

ROOT = Path(__file__).resolve().parents[2]


def environment(server: TelegramServer, cloud: CloudStandIn, folder: Path, **changes: Any) -> dict[str, str]:
    """The settings of a bot between the two stand-ins, and nothing else of this process's environment."""
    clouds: dict[str, Any] = {
        "ENGINE": "volcengine",
        "VOLC_ACCESSKEY": cloud.keys.access_key,
        "VOLC_SECRETKEY": cloud.keys.secret_key,
        "VOLC_SESSION_TOKEN": cloud.keys.session_token,
        "VOLC_ENDPOINT": cloud.url,
        "VOLC_CONCURRENCY": 4,
    }
    return bare_environment(server, folder, **{**clouds, **changes})


def bare_environment(server: TelegramServer, folder: Path, **changes: Any) -> dict[str, str]:
    """The settings of a bot without a cloud engine."""
    values: dict[str, Any] = {
        "TELEGRAM_BOT_TOKEN": server.telegram.token,
        "TELEGRAM_API_URL": server.url,
        "DATA_DIR": folder,
        "PORT": free_port(),
        "ENGINE": "local",
        "MODELS": "off",
        "WORKERS": 4,
        "PENDING_PER_USER": 20,
        "PYTHONWARNINGS": "default",
        "MALLOC_ARENA_MAX": 2,  # as `make run` and the container set it: threads share the memory that they free
        **changes,
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {name: str(value) for name, value in values.items()}


class BotProcess:
    """`python -m bot run` (or `worker`). Its log is in its DATA_DIR, unless `log` names a file.

    `before` is a shell command that becomes the bot, `"$@"`, at its end.

    In tests, not in benchmarks, the process is forked from one that has imported the libraries (`tests.forked`).
    """

    forks = False

    def __init__(
        self,
        telegram: Telegram,
        settings: dict[str, str],
        *,
        command: str = "run",
        module: str = "bot",
        log: Path | None = None,
        before: str = "",
    ) -> None:
        self._telegram = telegram
        self._settings = settings
        self._command = command
        self._module = module
        self._prefix = ["sh", "-c", before, "sh"] if before else []
        self._process: asyncio.subprocess.Process | forked.Forked | None = None
        self._log = log or Path(settings["DATA_DIR"]) / f"{command}.log"

    async def start(self, *, wait: bool = True) -> None:
        """Start it; with `wait`, return once it asks for updates."""
        polls = self._telegram.calls["getUpdates"]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            if self.forks and not self._prefix:
                self._process = forked.start(
                    self._command,
                    module=self._module,
                    folder=ROOT,
                    environment=self._settings,
                    output=log.fileno(),
                    new_session=True,
                )
            else:
                self._process = await asyncio.create_subprocess_exec(
                    *self._prefix, sys.executable, "-m", self._module, self._command, cwd=ROOT, env=self._settings,
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
        if wait:
            await self._telegram.events.wait_until(
                lambda: self._telegram.calls["getUpdates"] > polls or self.ended, seconds=60
            )
            assert not self.ended, self.log

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.returncode is not None

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def process_id(self) -> int:
        """Its process id, which is also that of its session."""
        assert self._process is not None
        return self._process.pid

    @property
    def memory(self) -> int:
        """Bytes of its resident memory, the pixel processes not counted."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    @property
    def pixel_processes(self) -> list[int]:
        """Ids of its pixel processes: the children of its fork server."""
        assert self._process is not None
        parents = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
        servers = {
            child
            for child, parent in parents.items()
            if parent == self._process.pid and b"forkserver" in _command_line(child)
        }
        return [child for child, parent in parents.items() if parent in servers]

    def kill_pixel_processes(self) -> int:
        """SIGKILL to all of its pixel processes, as an operating system short of memory does; returns how many."""
        killed = 0
        for process in self.pixel_processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                killed += 1
        return killed

    async def number(self, name: str) -> float:
        """One of the values at /metrics."""
        url = f"http://127.0.0.1:{self._settings['PORT']}/metrics"
        async with aiohttp.ClientSession() as web, web.get(url) as answer:
            lines = (await answer.text()).splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])

    @property
    def pauses(self) -> list[float]:
        """Seconds of its loop's pauses over 0.1 s, over all its runs; pauses that the machine caused do not count."""
        return [_own_seconds(line) for line in self.pause_lines]

    @property
    def pause_lines(self) -> list[str]:
        """The lines of its log about these pauses, with what it was doing."""
        return [line for line in self.log.splitlines() if "loop_blocked" in line]

    @property
    def long_pauses(self) -> list[str]:
        """The lines of its log about pauses over 1 s.

        A busy machine makes shorter ones, so only benchmarks count those.
        """
        return [line for line in self.pause_lines if _own_seconds(line) > 1]

    async def says(self, words: str, *, seconds: float = 60) -> None:
        """Wait until its log contains these words."""
        async with asyncio.timeout(seconds):
            while words not in self.log:  # noqa: ASYNC110 -- a file sends no event when it grows
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL, the pixel processes with it."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def terminate(self, number: signal.Signals = signal.SIGTERM) -> int:
        """SIGTERM, or another signal; returns its exit code."""
        self.send(number)
        return await self.ends()

    async def ends(self) -> int:
        """Wait for its end; returns its exit code."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), 60)


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _own_seconds(line: str) -> float:
    return float(re.findall(r"\bown=([\d.]+)", line)[0])


async def send_photos(talks: Iterable[Talk], each: int, photo: Any) -> list[tuple[Talk, dict[str, Any]]]:
    """Each person sends `each` photos; returns all messages with their senders."""
    sent = []
    for _ in range(each):
        for talk in talks:
            (message,) = await talk.person.send(photo, caption="/remove_subject")
            sent.append((talk, message))
    return sent


async def all_answered(sent: list[tuple[Talk, dict[str, Any]]], *, seconds: float) -> None:
    """Wait until every photo has its picture."""
    telegram = sent[0][0].telegram

    def waiting() -> list[tuple[Talk, dict[str, Any]]]:
        return [(talk, m) for talk, m in sent if not any("photo" in a for a in talk.answers_to(m))]

    left = sent

    def none_left() -> bool:
        nonlocal left
        left = [(talk, m) for talk, m in left if not any("photo" in a for a in talk.answers_to(m))]
        return not left

    try:
        await telegram.events.wait_until(none_left, seconds=seconds)
    except TimeoutError:
        texts = [[a.get("text") for a in talk.answers_to(m)] for talk, m in waiting()]
        raise AssertionError(f"{len(texts)} of {len(sent)} without a picture: {texts[:10]}") from None


def check_once(sent: list[tuple[Talk, dict[str, Any]]]) -> None:
    """Every photo has one answer, a picture, and no other message of the bot is left in the chats."""
    for talk, message in sent:
        answers = talk.answers_to(message)
        assert len(answers) == 1, [a.get("text") or a.get("caption") for a in answers]
        assert "photo" in answers[0]
    for talk in {id(talk): talk for talk, _ in sent}.values():
        strays = [a.get("text") for a in talk.person.answers if "photo" not in a]
        assert not strays, strays
