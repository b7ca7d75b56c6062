"""Sentences for the operator: in English for logs, and in the terminal's language for the command line.

The English template is the key in the catalogue of the other languages (`bot/texts/operator_texts.py`), so English
needs no catalogue, and the code reads as the operator does.
"""

from __future__ import annotations

from typing import Any, Self


class OperatorText(str):
    """An English sentence that remembers its template and values, so that it can be translated where it is shown.

    Args:
        template: The sentence, with placeholders as for `str.format`. Without values it is taken as it is.
        values: What the placeholders stand for. Values of this class are translated, too.
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Self:
        """Make the English sentence."""
        text = super().__new__(cls, template.format(**values) if values else template)
        text.template, text.values = template, values
        return text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.template, self.values)


def _rebuild(template: str, values: dict[str, Any]) -> OperatorText:
    return OperatorText(template, **values)


def system_reason(error: OSError) -> OperatorText:
    """What the operating system says about a failure, such as "Permission denied"."""
    return OperatorText(error.strerror or type(error).__name__)
