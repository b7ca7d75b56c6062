"""The command line: run · worker · edit · doctor · models · sweep.

Exit codes: `bot.terminal.ExitCode`. Heavy modules are imported by the command that needs them, so that a wrong argument
is answered at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bot import __version__
from bot.errors import BotError
from bot.stopping import exit_at_sigterm
from bot.terminal import ExitCode, explain

if TYPE_CHECKING:
    from bot.settings import Settings


PRIVATE = 0o077
"""The umask of all commands but `edit`: database, caches and masks are for the bot's user alone."""


class Parser(argparse.ArgumentParser):
    """An argument parser that answers wrong arguments with one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how to get help, and exit."""
        self.exit(ExitCode.INPUT_ERROR, f"{self.prog}: {message} (try {self.prog} --help)\n")


def build_parser() -> Parser:
    """All commands and their arguments."""
    parser = Parser(prog="python -m bot", description="A Telegram bot that cleans photos.")
    parser.add_argument("--version", action="version", version=f"photo-cleaning-bot {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.add_parser("run", help="chat, Mini App and workers in one process (the default)")
    commands.add_parser("worker", help="only take edits from the queue (PostgreSQL); any number, on any machine")

    edit = commands.add_parser("edit", help="clean photos without Telegram")
    edit.add_argument("operation", choices=("remove-subject", "remove-background", "erase"))
    edit.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    edit.add_argument("-o", "--output", required=True, metavar="OUT", help="a file, or FOLDER/ for several photos")
    edit.add_argument(
        "--mask",
        metavar="MASK",
        help="PNG: white = erase (remove-background: white = the subject); a folder: one for each photo, by stem",
    )
    edit.add_argument("--save-mask", metavar="FILE", help="write the mask that was used; FOLDER/ for several photos")
    edit.add_argument(
        "--finish",
        default="clean",
        help="clean, transparent, white, black, blur, gradient, crop, sticker, mask, #rrggbb, or a picture file",
    )
    edit.add_argument(
        "--shadow",
        choices=("with", "without"),
        default="with",
        help="remove-subject: remove its shadow too?",
    )
    edit.add_argument("--engine", choices=("auto", "volcengine", "local"), default=None)
    edit.add_argument("--seed", type=int, default=0)

    commands.add_parser("doctor", help="check settings, token, cloud keys, address, database, models")

    models = commands.add_parser("models", help="the local engine's optional model files")
    models.add_argument("action", nargs="?", choices=("list", "download"), default="list")
    models.add_argument("names", nargs="*", metavar="NAME")

    sweep = commands.add_parser("sweep", help="delete what is older than RETENTION_HOURS (run does this, too)")
    sweep.add_argument("--dry-run", action="store_true", help="only count")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = build_parser().parse_args(arguments)
    if given.command == "edit":
        _prepare_pixel_processes()
    elif given.command in (None, "run", "worker"):
        exit_at_sigterm()
    from bot.settings_file import load_settings

    try:
        settings = load_settings(**({"engine": given.engine} if getattr(given, "engine", None) else {}))
        return _command(given, settings)
    except BotError as error:
        print(f"python -m bot: {explain(error)}", file=sys.stderr)
        return ExitCode.INPUT_ERROR
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _prepare_pixel_processes() -> None:
    """Start the fork server, whose imports run on another core meanwhile; saves half a second."""
    from bot.engine_wiring import PRELOAD
    from bot.imaging.pool import start_fork_server

    start_fork_server(PRELOAD)


def _command(given: argparse.Namespace, settings: Settings) -> int:
    from bot import logs, model_files
    from bot.data_dir import make_writable
    from bot.engine_wiring import secrets_in

    command = given.command or "run"
    if command != "edit":  # its results belong to the person at the terminal, who has chosen a umask
        os.umask(PRIVATE)
    make_writable(settings.data_dir)
    quiet = command in ("edit", "doctor", "models", "sweep")
    level = "ERROR" if quiet and settings.log_level == "INFO" else settings.log_level
    logs.configure(level, settings.log_format, secrets_in(settings))
    if command != "sweep":
        model_files.copy_from_setup(settings)
    if command == "edit":
        from bot.batch import edit_photos

        _warn_if_segmenter_is_missing(given, settings)
        return asyncio.run(edit_photos(given, settings))
    if command == "doctor":
        from bot.doctor import print_report

        return asyncio.run(print_report(settings))
    if command == "models":
        asyncio.run(model_files.list_or_download(given.action, given.names, settings))
        return ExitCode.DONE
    from bot import process
    from bot.loop_monitor import MonitoredLoop

    if command == "sweep":
        asyncio.run(process.sweep_once(settings, dry_run=given.dry_run))
        return ExitCode.DONE
    model_files.warn_if_missing(settings)
    with asyncio.Runner(loop_factory=MonitoredLoop) as runner:
        runner.run(process.run(settings) if command == "run" else process.work(settings))
    return ExitCode.DONE


def _warn_if_segmenter_is_missing(given: argparse.Namespace, settings: Settings) -> None:
    """Warn on stderr if this machine has to find the subject without the learned segmenter."""
    from bot.model_files import missing_segmenter

    if given.operation == "erase" or given.mask or settings.uses_cloud:
        return
    advice = missing_segmenter(settings)
    if advice is not None:
        print(f"python -m bot edit: warning: {advice}", file=sys.stderr)
