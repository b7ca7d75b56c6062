"""Reads the settings, and prints them as `.env.example`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.errors import OperatorError
from bot.operator_text import OperatorText, system_reason
from bot.settings import Settings

_FILE = ".env"

_PREFIXES = ("TELEGRAM_", "VOLC_", "ENGINE_", "MODELS_", "EDITS_", "PENDING_", "RETENTION_", "SENTRY_", "STARS_")
"""An unknown name in the environment that begins with one of these is a misspelt setting."""

_FOREIGN = ("COMPOSE_", "DOCKER_", "POSTGRES_", "PYTHON", "MALLOC_", "HTTP_", "HTTPS_", "NO_PROXY", "TZ", "LANG")
"""Names that begin with one of these may stand in `.env` for other programs, such as Docker Compose."""

_WHOLE_NUMBER = OperatorText("input should be a valid integer")
_NUMBER = OperatorText("input should be a valid number")

_FAULTS = {
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_parsing": OperatorText("input should be true or false"),
}
"""What is wrong with a value, by pydantic's type of the error (docs.pydantic.dev/latest/errors/validation_errors)."""


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        OperatorError: ``wrong-setting``. Its fact ``text`` is one line with the setting's name, the fault, and a valid
            example. The wrong value is not repeated: it may be part of a secret. A misspelt name is wrong, too.
    """
    for name in _unknown_names():
        text = OperatorText("{name}: there is no such setting; {advice}", name=name, advice=_nearest(name))
        raise OperatorError("wrong-setting", text=text)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise OperatorError("wrong-setting", text=_explain(error)) from None


def _unknown_names() -> Iterator[str]:
    """The names in `.env` and in the environment that look like settings but are none."""
    known = {name.upper() for name in Settings.model_fields}
    for name in _names_in_file():
        if name.upper() not in known and not name.upper().startswith(_FOREIGN):
            yield name
    for name in os.environ:
        if name.upper() not in known and name.upper().startswith(_PREFIXES):
            yield name


def _names_in_file() -> list[str]:
    if not os.path.lexists(_FILE):
        return []
    try:
        return list(dotenv_values(_FILE, encoding="utf-8"))
    except UnicodeError:
        text = OperatorText(
            ".env: is not text in UTF-8; save it as UTF-8 in the editor, or turn GBK into it by "
            "`iconv -f GB18030 -t UTF-8 .env > .env.new && mv .env.new .env`"
        )
    except OSError as error:
        text = OperatorText(
            ".env: cannot be read ({reason}); make it a file of the bot's user, such as by `sudo chown $(id -u) .env`",
            reason=system_reason(error),
        )
    raise OperatorError("wrong-setting", text=text)


def _nearest(name: str) -> OperatorText:
    known = [known.upper() for known in Settings.model_fields]
    near = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.6)
    if near:
        return OperatorText("did you mean {name}?", name=near[0])
    return OperatorText(".env.example lists all settings")


def _explain(error: ValidationError) -> OperatorText:
    first = error.errors()[0]
    raised = first.get("ctx", {}).get("error")
    fault, *examples = raised.args if isinstance(raised, ValueError) else (_fault(first),)
    if not first["loc"]:
        return OperatorText("{fault}", fault=fault)
    name = str(first["loc"][0])
    return OperatorText(
        "{name}: {fault}; for example {name}={example}",
        name=name.upper(),
        fault=fault,
        example=(examples or Settings.model_fields[name].examples or [""])[0],
    )


def _fault(error: ErrorDetails) -> OperatorText:
    """What is wrong with a value that pydantic itself refuses. Its own text is not used: it may repeat the value."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        *others, last = str(context["expected"]).replace(" or ", ", ").split(", ")
        return OperatorText("input should be {others} or {last}", others=", ".join(others), last=last)
    if kind == "less_than_equal":
        return OperatorText("input should be less than or equal to {limit}", limit=_plain(context["le"]))
    if kind == "greater_than_equal":
        return OperatorText("input should be greater than or equal to {limit}", limit=_plain(context["ge"]))
    return _FAULTS.get(kind, OperatorText("is not valid"))


def _plain(number: float) -> str:
    return f"{number:g}" if number < 1e6 else f"{number:.0f}"


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
