"""Reads the settings, and prints them as `.env.example`."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bot.errors import OperatorError
from bot.settings import Settings


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        OperatorError: ``wrong-setting``. Its fact ``text`` is one line with the setting's name, the fault, and a valid
            example. The wrong value is not repeated: it may be part of a secret.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise OperatorError("wrong-setting", text=_explain(error)) from None


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
        default = "" if field.default is None or field.default == frozenset() else field.default
        shown = "" if name == "workers" else str(default).lower() if isinstance(default, bool) else default
        lines += [f"# {field.description}", f"# {name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
