"""The local engine's model files: list and download them, copy those that set-up brought, warn if one is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.errors import BotError
from bot.models.files import SETUP_FOLDER, copy_missing, is_intact
from bot.models.registry import DEFAULT_MODELS, MODELS, SEGMENTERS
from bot.operator_text import OperatorText
from bot.settings import Settings
from bot.terminal import show, tr

log = structlog.get_logger()


def copy_from_setup(settings: Settings, *, source: Path = SETUP_FOLDER) -> None:
    """Copy the files that set-up brought into the models folder; called once, at the start of a program.

    A failure is only logged: the program works without learned models.

    Args:
        settings: All settings.
        source: Folder that set-up puts model files into.
    """
    folder = settings.models_folder
    try:
        for path in copy_missing(source, folder):
            log.debug("model_copied", name=path.stem, folder=str(folder))
    except OSError as error:
        log.warning("models_not_copied", folder=str(folder), why=error.strerror or str(error))


def missing_segmenter(settings: Settings) -> OperatorText | None:
    """One line about what works less well without a learned segmenter, and what to do; None if there is one."""
    folder = settings.models_folder
    # The smallest first: checking a large one takes up to half a second.
    by_size = sorted((MODELS[name] for name in SEGMENTERS), key=lambda model: model.size)
    if any(is_intact(model, folder / model.file) for model in by_size):
        return None
    model = MODELS["u2netp"]
    damaged = [model.file for model in by_size if (folder / model.file).exists()]
    if damaged:
        state = OperatorText("not the published file: {files} in {folder}", files=", ".join(damaged), folder=folder)
    else:
        state = OperatorText("no {file} in {folder}", file=model.file, folder=folder)
    return OperatorText(
        "{state}. Without the learned segmenter the bot often picks the wrong subject; everything else works. "
        "Run `make setup` again, or `python -m bot models download u2netp`, with MODELS_MIRROR set where its host "
        "cannot be reached, or put the file there (SHA-256 {sha256})",
        state=state,
        sha256=model.sha256,
    )


def warn_if_missing(settings: Settings) -> None:
    """Log one warning at the start of a long-running program that has no learned segmenter."""
    advice = missing_segmenter(settings)
    if advice is not None:
        fetching = settings.models == "auto"
        log.warning("segmenter_missing", advice=advice, fetching_in_the_background=fetching)


async def list_or_download(action: str, names: Sequence[str], settings: Settings) -> None:
    """`python -m bot models`: list the models, or download some.

    Args:
        action: ``list`` or ``download``.
        names: Models to download; none: the small default set.
        settings: All settings.

    Raises:
        BotError: A model could not be downloaded.
    """
    if action == "list":
        for line in listing(settings):
            show(line)
        return
    from tqdm import tqdm

    from bot.models.fetch import download

    with tqdm(unit="B", unit_scale=True, unit_divisor=1000, disable=not sys.stderr.isatty()) as bar:
        shown = ""

        def advance(name: str, done: int, total: int) -> None:
            nonlocal shown
            if name != shown:
                shown = name
                bar.reset(total)
                bar.set_description(name)
            bar.update(done - bar.n)

        wanted = names or DEFAULT_MODELS
        paths = await download(wanted, settings.models_folder, on_progress=advance, mirror=settings.models_mirror)
    for path in paths:
        show(tr(OperatorText("{name}: in {folder}, checked", name=path.stem, folder=path.parent)))


def listing(settings: Settings) -> list[str]:
    """A line for each model of the registry: whether it is there, size, purpose, licence and author."""
    folder = settings.models_folder
    lines = []
    for model in MODELS.values():
        path = folder / model.file
        state = tr("there") if is_intact(model, path) else tr("wrong") if path.exists() else "-----"
        rights = "; ".join(part for part in (model.licence, model.notice, tr(model.terms)) if part)
        lines.append(f"{state}  {model.name:18} {model.size / 1e6:4.0f} MB  {tr(model.about)} ({rights})")
    return lines


def usable(settings: Settings) -> list[str]:
    """Names of the models whose files are there and undamaged."""
    folder = settings.models_folder
    return [model.name for model in MODELS.values() if is_intact(model, folder / model.file)]


async def fetch_default(settings: Settings) -> None:
    """With MODELS=auto: download what is missing of the small default set. Failures are only logged."""
    if settings.models != "auto":
        return
    from bot.models.fetch import download

    for name in DEFAULT_MODELS:
        try:
            await download([name], settings.models_folder, mirror=settings.models_mirror)
        except BotError as error:
            log.info(
                "model_not_fetched",
                name=name,
                reason=str(error),
                advice="the local engine works without it; MODELS_MIRROR names another host, MODELS=off ends this",
            )
