"""One bot on a DATA_DIR: a second one is refused, the short commands work beside it, a killed one blocks nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.playground import TelegramServer
from tests.faults.bots import ROOT, BotProcess, bare_environment
from tests.faults.postgres import PostgresServer
from tests.support import encoded, free_port, scene


async def command(settings: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run `python -m bot …`; returns the exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=ROOT, env=settings,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return process.returncode, output.decode()


def modes(folder: Path) -> dict[str, int]:
    """Permissions of all files and folders that others may use, by name."""
    found = {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    return {name: mode for name, mode in found.items() if mode & 0o077}


async def test_a_second_bot_is_refused_and_short_commands_work_beside_the_first(
    server: TelegramServer, tmp_path: Path
) -> None:
    data, photo, out = tmp_path / "data", tmp_path / "photo.png", tmp_path / "out.png"
    photo.write_bytes(encoded(scene(160, 120)))
    settings = bare_environment(server, data, WORKERS=1)
    bot = BotProcess(server.telegram, settings)
    data.mkdir(mode=0o700)
    try:
        await bot.start()
        elsewhere = {"DATA_DIR": str(tmp_path / "other"), "DATABASE_URL": f"sqlite:///{data}/bot.sqlite"}
        for changes, name in (({}, "DATA_DIR"), (elsewhere, "DATABASE_URL")):
            code, output = await command({**settings, **changes, "PORT": str(free_port())}, "run")
            assert code == 2
            assert f"python -m bot: {name}: another bot runs on " in output
            assert "Traceback" not in output
        edit = ("edit", "remove-background", str(photo), "-o", str(out))
        for words in (("sweep",), ("doctor",), ("models",), edit):
            code, output = await command({**settings, "LOG_LEVEL": "ERROR"}, *words)
            assert (code, "Traceback" in output) == (0, False), output
        assert (data / "bot.sqlite").exists()
        (data / "bot.log").unlink(missing_ok=True)
        written = modes(data)
        written.pop("run.log")  # the test's own
        assert written == {}, "only the bot's user reads what the bot writes"
        assert out.stat().st_mode & 0o777 == photo.stat().st_mode & 0o777, "a result keeps the user's umask"
        assert len(list((data / "scratch").glob("run-*"))) == 1, "the folder of the running bot alone"
        (left,) = (data / "scratch").glob("run-*")
        await bot.kill()
        await bot.start()
        assert not left.exists(), "what the killed bot left is removed"
    finally:
        await bot.kill()


async def test_workers_on_postgresql_share_a_folder_with_a_bot(
    server: TelegramServer, postgres: PostgresServer, tmp_path: Path
) -> None:
    settings = bare_environment(server, tmp_path, WORKERS=1, DATABASE_URL=postgres.new_database())
    bot = BotProcess(server.telegram, settings)
    worker = BotProcess(server.telegram, settings, command="worker")
    try:
        await bot.start()
        await worker.start(wait=False)
        await worker.says("working")
        assert await worker.terminate() == 0
        code, output = await command({**settings, "PORT": str(free_port())}, "run")
        assert (code, "DATA_DIR: another bot runs on" in output) == (2, True), output
        assert await bot.terminate() == 0
    finally:
        await bot.kill()
        await worker.kill()
