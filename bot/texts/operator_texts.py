"""The texts for the operator in the terminal's language: help, errors of the command line and of settings, `doctor`.

The catalogue is `operator.po`. Its ids are the English templates of `OperatorText`, and argparse's own messages. A test
checks that it has each text that the program uses, and no other.
"""

from __future__ import annotations

from bot.operator_text import OperatorText
from bot.texts import catalogue


def translated(text: str, language: str) -> str:
    """A text for the operator in one of `LANGUAGES`; English where the catalogue does not have it.

    Args:
        text: An `OperatorText`; another string is looked up as it is.
        language: One of `LANGUAGES`.
    """
    if language == "en":
        return str(text)
    entries = catalogue(language, "operator")
    if not isinstance(text, OperatorText):
        return entries.gettext(text) if text else text
    template = entries.gettext(text.template)
    if not text.values:
        return template
    values = {n: translated(v, language) if isinstance(v, OperatorText) else v for n, v in text.values.items()}
    return template.format(**values)
