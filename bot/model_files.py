"""The local engine's model files from the command line and in the background: what is there, fetching what is not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.errors import BotError
from bot.models.files import SETUP_FOLDER, copy_missing, is_intact
from bot.models.registry import DEFAULT_MODELS, MODELS, SEGMENTERS
from bot.settings import Settings

log = structlog.get_logger()


def models_folder(settings: Settings) -> Path:
    """The one folder that the program reads model files from."""
    return settings.data_dir / "models"


def copy_from_setup(settings: Settings, *, source: Path = SETUP_FOLDER) -> None:
    """Copy what set-up brought into the models folder; called once at the start of a program.

    A folder that cannot be written is no reason to stop: the program works without learned models.

    Args:
        settings: All settings.
        source: Where set-up puts model files.
    """
    folder = models_folder(settings)
    try:
        for path in copy_missing(source, folder):
            log.debug("model_copied", name=path.stem, folder=str(folder))
    except OSError as error:
        log.warning("models_not_copied", folder=str(folder), why=error.strerror or str(error))


def missing_segmenter(settings: Settings) -> str | None:
    """What it means that no learned segmenter is there, and what to do; None where there is one."""
    folder = models_folder(settings)
    # The smallest first: the large ones take up to half a second to check.
    by_size = sorted((MODELS[name] for name in SEGMENTERS), key=lambda model: model.size)
    if any(is_intact(model, folder / model.file) for model in by_size):
        return None
    model = MODELS["u2netp"]
    damaged = [model.file for model in by_size if (folder / model.file).exists()]
    state = f"not the published file: {', '.join(damaged)} in {folder}" if damaged else f"no {model.file} in {folder}"
    return (
        f"{state}. Without the learned segmenter the subject is often the wrong thing, all else works. "
        f"Run `make setup` again, or `python -m bot models download u2netp`, with MODELS_MIRROR set where its host "
        f"cannot be reached, or put the file there (SHA-256 {model.sha256})"
    )


def warn_if_missing(settings: Settings) -> None:
    """Log one warning at the start of a long-running program that has no learned segmenter."""
    advice = missing_segmenter(settings)
    if advice is not None:
        fetching = settings.models == "auto"
        log.warning("segmenter_missing", advice=advice, fetching_in_the_background=fetching)


async def models(action: str, names: Sequence[str], settings: Settings) -> int:
    """`python -m bot models`: list them, or fetch some; returns the exit code.

    Args:
        action: ``list`` or ``download``.
        names: Which to fetch; none: the small default set.
        settings: All settings.

    Raises:
        BotError: One could not be fetched.
    """
    if action == "list":
        for line in listing(settings):
            print(line)
        return 0
    from tqdm import tqdm

    from bot.models.fetch import download

    with tqdm(unit="B", unit_scale=True, unit_divisor=1000, disable=not sys.stderr.isatty()) as bar:
        shown = ""

        def show(name: str, done: int, total: int) -> None:
            nonlocal shown
            if name != shown:
                shown = name
                bar.reset(total)
                bar.set_description(name)
            bar.update(done - bar.n)

        wanted = names or DEFAULT_MODELS
        paths = await download(wanted, models_folder(settings), on_progress=show, mirror=settings.models_mirror)
    for path in paths:
        print(f"{path.stem}: in {path.parent}, checked")
    return 0


def listing(settings: Settings) -> list[str]:
    """A line for each model of the registry: whether it is there, what it does, its licence and whose work it is."""
    folder = models_folder(settings)
    lines = []
    for model in MODELS.values():
        path = folder / model.file
        state = "there" if is_intact(model, path) else "wrong" if path.exists() else "-----"
        rights = "; ".join(part for part in (model.licence, model.notice, model.terms) if part)
        lines.append(f"{state}  {model.name:18} {model.size / 1e6:4.0f} MB  {model.about} ({rights})")
    return lines


def usable(settings: Settings) -> list[str]:
    """Names of the models whose files are there and sound."""
    folder = models_folder(settings)
    return [model.name for model in MODELS.values() if is_intact(model, folder / model.file)]


async def fetch_default(settings: Settings) -> None:
    """With MODELS=auto: fetch what is missing of the small default set, once; until then the engine works without."""
    if settings.models != "auto":
        return
    from bot.models.fetch import download

    for name in DEFAULT_MODELS:
        try:
            await download([name], models_folder(settings), mirror=settings.models_mirror)
        except BotError as error:
            advice = "the local engine works without; MODELS_MIRROR names another host, MODELS=off stops the trying"
            log.info("model_not_fetched", name=name, reason=str(error), advice=advice)
