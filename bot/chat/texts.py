"""What the bot says, in the person's language: gettext catalogues in `locales/`, read at start.

The message ids are short names (``photo-broken``); both languages have a catalogue, and a test holds them to the same
ids and placeholders.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.errors import BotError

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("en", "zh")


@cache
def catalogue(language: str) -> gettext.GNUTranslations:
    """One language's catalogue."""
    with (LOCALES / language / "LC_MESSAGES" / "bot.po").open("rb") as file:
        source = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, source)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Texts:
    """All languages, and which one a person gets.

    Args:
        default: For people whose language the bot does not speak.
    """

    def __init__(self, default: str = "en") -> None:
        self._default = default
        for language in LANGUAGES:
            catalogue(language)

    def language(self, code: str | None) -> str:
        """The catalogue for a language code as Telegram gives it (``en``, ``zh-hans``); None: the default."""
        short = (code or "").replace("_", "-").split("-")[0].lower()
        return short if short in LANGUAGES else self._default

    def get(self, language: str, message_id: str, **values: object) -> str:
        """The text with its placeholders filled in.

        Raises:
            KeyError: There is no such text.
        """
        text = catalogue(self.language(language)).gettext(message_id)
        if text == message_id:
            raise KeyError(message_id)
        return text.format(**values)

    def error(self, language: str, error: BotError) -> str:
        """What went wrong, in the person's words."""
        try:
            return self.get(language, error.message_id, **error.facts)
        except KeyError:
            return self.get(language, "something-broke")

    def lines(self, language: str, message_ids: Iterable[str]) -> str:
        """Several texts, a line each."""
        return "\n".join(self.get(language, message_id) for message_id in message_ids)
