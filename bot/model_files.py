"""The local engine's model files from the command line and in the background: what is there, fetching what is not."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import structlog
from tqdm import tqdm

from bot.errors import BotError
from bot.models.fetch import download
from bot.models.files import is_sound
from bot.models.registry import DEFAULT, MODELS
from bot.settings import Settings

log = structlog.get_logger()


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
    with tqdm(unit="B", unit_scale=True, unit_divisor=1000, disable=not sys.stderr.isatty()) as bar:

        def show(name: str, done: int, total: int | None) -> None:
            if bar.desc != f"{name}: ":
                bar.reset(total)
                bar.set_description(name)
            bar.update(done - bar.n)

        paths = await download(names or DEFAULT, settings.data_dir / "models", on_progress=show)
    for path in paths:
        print(f"{path.stem}: in {path.parent}, checked")
    return 0


def listing(settings: Settings) -> list[str]:
    """A line for each model of the registry."""
    folder = settings.data_dir / "models"
    lines = []
    for model in MODELS.values():
        there = "there" if is_sound(model, folder / model.file) else "-----"
        terms = f"{model.licence}; {model.terms}" if model.terms else model.licence
        lines.append(f"{there}  {model.name:18} {model.rough_size / 1e6:4.0f} MB  {model.about} ({terms})")
    return lines


def state_of(settings: Settings) -> list[str]:
    """What the doctor says about them."""
    folder = settings.data_dir / "models"
    there = [model.name for model in MODELS.values() if is_sound(model, folder / model.file)]
    if there:
        return [f"works, with the learned models {', '.join(there)}"]
    return ["works without learned models; `python -m bot models download` fetches two small ones for better pictures"]


async def fetch_default(settings: Settings) -> None:
    """Fetch the small default set in the background, once; until it is there the engine works without."""
    if settings.models != "auto":
        return
    try:
        await download(DEFAULT, settings.data_dir / "models")
    except BotError as error:
        log.info("models_not_fetched", reason=str(error), advice="the local engine works without; MODELS=off is quiet")
