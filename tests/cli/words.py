"""Finds English sentences in what is said in Chinese."""

from __future__ import annotations

import re

_NOT_WORDS = re.compile(
    r"`[^`]*`"  # commands
    r"|“[^”]*”"  # what another program said
    r"|\w+://\S+"
    r"|[A-Z][A-Z_]+=\S+"
    r"|python -m bot\S*"
    r"|-o \S+"
)


def english_in(text: str) -> list[str]:
    """The English sentences in a text: three words in sequence, at least, without names of settings and commands."""
    return re.findall(r"[A-Za-z]+(?: [a-z']+){2,}", _NOT_WORDS.sub("…", text))


def is_chinese(text: str) -> bool:
    """Whether a text is Chinese, without an English sentence in it."""
    return bool(re.search(r"[\u4e00-\u9fff]", text)) and not english_in(text)
