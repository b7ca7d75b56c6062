"""Reads the settings, and prints them as `.env.example`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from bot.errors import OperatorError
from bot.settings import Settings

_FILE = ".env"

_PREFIXES = ("TELEGRAM_", "VOLC_", "ENGINE_", "MODELS_", "EDITS_", "PENDING_", "RETENTION_", "STARS_")
"""An unknown name in the environment that begins with one of these is a misspelt setting."""

_FOREIGN = ("COMPOSE_", "DOCKER_", "POSTGRES_", "PYTHON", "MALLOC_", "HTTP_", "HTTPS_", "NO_PROXY", "TZ", "LANG")
"""Names that begin with one of these may stand in `.env` for other programs, such as Docker Compose."""


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        OperatorError: ``wrong-setting``. Its fact ``text`` is one line with the setting's name, the fault, and a valid
            example. The wrong value is not repeated: it may be part of a secret. A misspelt name is wrong, too.
    """
    for name in _unknown_names():
        raise OperatorError("wrong-setting", text=f"{name}: there is no such setting; {_nearest(name)}")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise OperatorError("wrong-setting", text=_explain(error)) from None


def _unknown_names() -> Iterator[str]:
    """The names in `.env` and in the environment that look like settings but are none."""
    known = {name.upper() for name in Settings.model_fields}
    for name in dotenv_values(_FILE):
        if name.upper() not in known and not name.upper().startswith(_FOREIGN):
            yield name
    for name in os.environ:
        if name.upper() not in known and name.upper().startswith(_PREFIXES):
            yield name


def _nearest(name: str) -> str:
    known = [known.upper() for known in Settings.model_fields]
    near = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ".env.example lists all settings"


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    message = str(first["msg"]).removeprefix("Value error, ")
    if not first["loc"]:
        return message
    name = str(first["loc"][0])
    example = (Settings.model_fields[name].examples or [""])[0]
    return f"{name.upper()}: {message[0].lower()}{message[1:]}; for example {name.upper()}={example}"


def example_env() -> str:
    """The text of `.env.example`: every setting with its sentence and default, commented out."""
    lines = ["# Settings, with their defaults. Copy this file to .env and change what you need."]
    group = ""
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        if extra["group"] != group:
            group = str(extra["group"])
            lines += ["", f"# ── {group} ──"]
        default = "" if field.default is None or field.default in (frozenset(), ()) else field.default
        shown = "" if name == "workers" else str(default).lower() if isinstance(default, bool) else default
        lines += [f"# {field.description}", f"# {name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
