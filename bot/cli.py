"""The command line: run · worker · edit · doctor · models · sweep.

Exit codes: `bot.terminal.ExitCode`. Heavy modules are imported by the command that needs them, so that a wrong argument
is answered at once.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
import unicodedata
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from bot import __version__, garbage, terminal
from bot.errors import BotError
from bot.operator_text import OperatorText
from bot.terminal import ExitCode, explain, language, tr

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

PRIVATE = 0o077
"""The umask of all commands but `edit`: database, caches and masks are for the bot's user alone."""


class ChineseHelp(argparse.HelpFormatter):
    """Lays out help whose letters are two columns wide, with no spaces between them."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines = [""]
        # A word of Latin letters stays whole, and a line does not begin with a closing mark.
        for part in re.findall(r"(?:[!-~]+|.)[，。；：、）]*", text):
            if columns(lines[-1] + part.rstrip()) > width:
                lines.append("")
            lines[-1] += part if lines[-1] else part.lstrip()
        return lines


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


class Parser(argparse.ArgumentParser):
    """An argument parser that answers wrong arguments with one line."""

    def __init__(self, **options: Any) -> None:
        formatter = argparse.HelpFormatter if language() == "en" else ChineseHelp
        super().__init__(**{"formatter_class": formatter, **options})

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how to get help, and exit."""
        line = OperatorText("{program}: {fault} (try {program} --help)", program=self.prog, fault=message)
        self.exit(ExitCode.INPUT_ERROR, f"{tr(line)}\n")


def _parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    with _argparse_translated():
        return build_parser().parse_args(arguments)


def build_parser() -> Parser:
    """All commands and their arguments, with the help in the terminal's language."""
    parser = Parser(
        prog="python -m bot",
        description=tr("A Telegram bot that cleans photos."),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"photo-cleaning-bot {__version__}",
        help=tr("show the version and exit"),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.add_parser("run", help=tr("chat, Mini App and workers in one process (the default)"))
    commands.add_parser("worker", help=tr("only take edits from the queue (PostgreSQL); any number, on any machine"))
    _add_edit(commands)
    doctor = commands.add_parser(
        "doctor",
        help=tr("check settings, token, cloud keys, address, database, models; says what to do"),
    )
    doctor.add_argument("--json", action="store_true", help=tr("print one JSON document, for machines"))

    models = commands.add_parser("models", help=tr("the local engine's optional model files"))
    models.add_argument(
        "action",
        nargs="?",
        choices=("list", "download"),
        default="list",
        help=tr("list (the default): what there is; download: fetch and check"),
    )
    models.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=tr("models to download; none: the small default set"),
    )

    sweep = commands.add_parser("sweep", help=tr("delete what is older than RETENTION_HOURS (run does this, too)"))
    sweep.add_argument("--dry-run", action="store_true", help=tr("only count"))
    return parser


def _add_edit(commands: argparse._SubParsersAction[Parser]) -> None:
    edit = commands.add_parser("edit", help=tr("clean photos without Telegram"))
    edit.add_argument(
        "operation",
        choices=("remove-subject", "remove-background", "erase"),
        help=tr("what to do; erase needs --mask"),
    )
    edit.add_argument(
        "photos",
        nargs="+",
        type=Path,
        metavar="PHOTO",
        help=tr("photos to clean; they stay as they are"),
    )
    edit.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help=tr("a file, or FOLDER/ for several photos"),
    )
    edit.add_argument(
        "--mask",
        metavar="MASK",
        help=tr("PNG: white = erase (remove-background: white = the subject); a folder: one for each photo, by stem"),
    )
    edit.add_argument(
        "--save-mask",
        metavar="FILE",
        help=tr("write the mask that was used; FOLDER/ for several photos"),
    )
    edit.add_argument(
        "--finish",
        default="clean",
        metavar="FINISH",
        help=tr("clean, transparent, white, black, blur, gradient, crop, sticker, mask, #rrggbb, or a picture file"),
    )
    edit.add_argument(
        "--shadow",
        choices=("with", "without"),
        default="with",
        help=tr("remove-subject: remove its shadow too?"),
    )
    edit.add_argument(
        "--engine",
        choices=("auto", "volcengine", "local"),
        default=None,
        help=tr("who does the work; else ENGINE says so"),
    )
    edit.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="NUMBER",
        help=tr("another one gives another fill; the same one the same"),
    )


@contextlib.contextmanager
def _argparse_translated() -> Iterator[None]:
    """Let argparse look its own headings and errors up in the operator's catalogue.

    argparse translates them by `gettext.gettext` and `gettext.ngettext`, which it imports under the names `_` and
    `ngettext`. These read compiled files from a folder only, and follow the environment only, not LANGUAGE in `.env`.
    So the two names are set for as long as arguments are parsed. A Python without them, or with a message that the
    catalogue does not have, speaks English.
    """
    if language() == "en":
        yield
        return

    def plural(singular: str, plural: str, number: int) -> str:
        return tr(singular) if number == 1 or tr(plural) == plural else tr(plural)

    names = vars(argparse)
    replaced: dict[str, object] = {name: names[name] for name in ("_", "ngettext") if name in names}
    new: dict[str, object] = {"_": tr, "ngettext": plural}
    names.update({name: new[name] for name in replaced})
    try:
        yield
    finally:
        names.update(replaced)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the name of a file may be no text
    try:
        return _run(_parse(arguments))
    finally:
        terminal.flush()


def _run(given: argparse.Namespace) -> int:
    if given.command == "edit":
        _prepare_pixel_processes()
    elif given.command in (None, "run", "worker"):
        from bot.stopping import exit_at_sigterm

        exit_at_sigterm()
    from bot.settings_file import load_settings

    try:
        settings = load_settings(**({"engine": given.engine} if getattr(given, "engine", None) else {}))
        return _command(given, settings)
    except BotError as error:
        if given.command == "doctor" and given.json:
            from bot.doctor import print_settings_error

            print_settings_error(error)
        else:
            terminal.complain(f"python -m bot: {explain(error)}")
        return ExitCode.INPUT_ERROR
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _prepare_pixel_processes() -> None:
    """Start the fork server, whose imports run on another core meanwhile; saves half a second.

    Pixel processes have the umask and the environment of this moment.
    """
    from bot.imaging.preloading import start_fork_server
    from bot.preload import PRELOAD

    start_fork_server(PRELOAD)


def _command(given: argparse.Namespace, settings: Settings) -> int:
    import asyncio

    from bot import logs, model_files
    from bot.data_dir import make_writable
    from bot.engine_wiring import secrets_in

    command = given.command or "run"
    if command != "edit":  # its results belong to the person at the terminal, who has chosen a umask
        os.umask(PRIVATE)
    if command != "doctor":  # it reports this among the rest
        make_writable(settings.data_dir)
    quiet = command in ("edit", "doctor", "models", "sweep")
    level = "ERROR" if quiet and settings.log_level == "INFO" else settings.log_level
    logs.configure(level, settings.log_format, secrets_in(settings))
    if command != "sweep":
        model_files.copy_from_setup(settings)
    if command == "edit":
        from bot.batch import edit_photos

        _warn_if_segmenter_is_missing(given, settings)
        return _run_to_end(edit_photos(given, settings))
    if command == "doctor":
        from bot.doctor import print_report

        return _run_to_end(print_report(settings, as_json=given.json))
    if command == "models":
        _run_to_end(model_files.list_or_download(given.action, given.names, settings))
        return ExitCode.DONE
    if command != "sweep":
        _prepare_pixel_processes()
    from bot import process
    from bot.loop_monitor import MonitoredLoop

    if command == "sweep":
        _run_to_end(process.sweep_once(settings, dry_run=given.dry_run))
        return ExitCode.DONE
    model_files.warn_if_missing(settings)
    with _reported(settings), asyncio.Runner(loop_factory=MonitoredLoop) as runner:
        garbage.resume()
        runner.run(process.run(settings) if command == "run" else process.work(settings))
    return ExitCode.DONE


def _run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a short command, now that its modules are imported."""
    import asyncio

    garbage.resume()
    return asyncio.run(work)


@contextlib.contextmanager
def _reported(settings: Settings) -> Iterator[None]:
    """Inside the block, errors of the log are also sent to Sentry, if SENTRY_DSN says where."""
    if settings.sentry_dsn is None:
        yield
        return
    from bot import error_reports, logs
    from bot.engine_wiring import secrets_in

    stop = error_reports.start(settings.sentry_dsn.get_secret_value(), logs.hider(secrets_in(settings)))
    try:
        yield
    finally:
        stop()


def _warn_if_segmenter_is_missing(given: argparse.Namespace, settings: Settings) -> None:
    """Warn on stderr if this machine has to find the subject without the learned segmenter."""
    from bot.model_files import missing_segmenter

    if given.operation == "erase" or given.mask or settings.uses_cloud:
        return
    advice = missing_segmenter(settings)
    if advice is not None:
        terminal.complain(f"python -m bot edit: {tr(OperatorText('warning: {advice}', advice=advice))}")
