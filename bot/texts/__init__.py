"""Every text of the chat and the web API, and every text that operators read in a terminal, in English and Chinese.

The catalogues are gettext's, in `locales/`, and are compiled in memory. In `bot.po` the message ids are short names
(``photo-broken``); those of the web API begin with ``api-``. A test checks that all languages have the same ids and
placeholders. `operator.po` is for the terminal: see `operator_texts`.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from bot.errors import BotError

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("en", "zh")
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
"""Each language's own name."""


@cache
def catalogue(language: str, domain: str = "bot") -> gettext.NullTranslations:
    """The catalogue of one of `LANGUAGES`: ``bot``, or ``operator``; without a file the latter is in English."""
    path = LOCALES / language / "LC_MESSAGES" / f"{domain}.po"
    if domain == "operator" and not path.exists():
        return gettext.NullTranslations()
    # Imported here: it takes 0.1 s, and the command line in English does without.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        source = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, source)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def supported_language(code: str | None) -> str | None:
    """The one of `LANGUAGES` that an IETF language tag such as ``zh-hans`` or ``en_GB`` belongs to, if any."""
    language = (code or "").replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else None


def first_supported(locales: str) -> str | None:
    """The first of `LANGUAGES` in a list of locales, as gettext's variables have it: ``zh_CN.UTF-8:en``; None: none."""
    return next(filter(None, (supported_language(name.partition(".")[0]) for name in locales.split(":"))), None)


class Texts:
    """Looks texts up in all languages.

    Args:
        default: The language for people whose own the bot does not speak, one of `LANGUAGES`.
    """

    def __init__(self, default: str = "en") -> None:
        self._default = default
        for language in LANGUAGES:
            catalogue(language)

    def language(self, code: str | None) -> str:
        """The catalogue for a language code as Telegram sends it (``en``, ``zh-hans``); the default for all others."""
        return supported_language(code) or self._default

    def get(self, language: str, message_id: str, **values: object) -> str:
        """A text with its placeholders filled in.

        Raises:
            KeyError: There is no text with this id.
        """
        text = catalogue(self.language(language)).gettext(message_id)
        if text == message_id:
            raise KeyError(message_id)
        return text.format(**values)

    def error(self, language: str, error: BotError) -> str:
        """The text of an error; ``something-broke`` for an error that has none."""
        try:
            return self.get(language, error.message_id, **error.facts)
        except KeyError:
            return self.get(language, "something-broke")
