"""Names of results."""

from __future__ import annotations

import unicodedata

import pytest

from bot.chat.file_rules import safe_stem


@pytest.mark.parametrize(
    ("stem", "safe"),
    [
        ("cafe\u0301", "café"),
        ("हिन्दी", "हिन्दी"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("holiday\u202egpj", "holidaygpj"),
        ('a<b>:"c|d?*e', "a_b_c_d_e"),
        ("a\0b\nc\x7f", "abc"),
        ("  two   words . ", "two words"),
        ("..", ""),
        ("x" * 100, "x" * 60),
        ("\ufeffmark", "mark"),
    ],
)
def test_safe_stem(stem: str, safe: str) -> None:
    assert safe_stem(stem) == safe


def test_a_long_name_is_not_cut_amid_a_letter() -> None:
    cut = safe_stem("क" * 59 + "षि" * 10)
    assert len(cut) <= 60
    assert not unicodedata.category(cut[-1]).startswith("M") or cut.endswith("षि")
    assert cut == "क" * 59, "the letter whose mark does not fit goes too"
