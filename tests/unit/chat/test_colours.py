"""Colours and finishes that a text names."""

from __future__ import annotations

import pytest
from PIL import ImageColor

from bot.chat.colours import colour_named
from bot.chat.meaning import finish_in


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#ff8800", "#ff8800"),
        ("#F80", "#ff8800"),
        ("ff8800", "#ff8800"),
        (" Orange ", "#ffa500"),
        ("light blue", "#add8e6"),
        ("dark slate grey", "#2f4f4f"),
        ("red background", "#ff0000"),
        ("红色", "#e53935"),
        ("浅蓝", "#1e88e5"),
        ("红色背景", "#e53935"),
    ],
)
def test_a_colour_is_known_by_its_name_or_number(text: str, colour: str) -> None:
    ImageColor.getrgb("orange")  # Pillow then keeps the parsed colour in place of its text
    assert colour_named(text) == colour


@pytest.mark.parametrize(
    "text", ["", "#", "#12345", "what a nice red", "redd", "色", "背景", "background", "rgb(1,2,3)", "x" * 10_000, "\0"]
)
def test_other_texts_are_no_colour(text: str) -> None:
    assert colour_named(text) is None


@pytest.mark.parametrize(
    ("text", "finish"),
    [
        ("blur", "blur"),
        ("more blur", "blur-more"),
        ("blur it a little", "blur-less"),
        ("虚化强一点", "blur-more"),
        ("轻微虚化", "blur-less"),
        ("a bit more white", "white"),
    ],
)
def test_a_blur_is_weak_or_strong_as_the_words_say(text: str, finish: str) -> None:
    assert finish_in(text) == finish
