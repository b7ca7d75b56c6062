"""What people write is understood where it is plain, and nowhere else."""

from __future__ import annotations

import pytest

from bot.chat.meaning import finish_in, meaning_of_command, meaning_of_words
from bot.edits.model import EditCommand, Operation

SUBJECT, BACKGROUND, ERASE = Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND, Operation.ERASE


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("/removesubject", EditCommand(SUBJECT)),
        ("/remove-subject", EditCommand(SUBJECT)),
        ("/Remove_Subject please", EditCommand(SUBJECT)),
        ("/remove_suject", EditCommand(SUBJECT)),
        ("/remove-background", EditCommand(BACKGROUND)),
        ("/RemoveBG", EditCommand(BACKGROUND)),
        ("/removebackgroud", EditCommand(BACKGROUND)),
        ("/rmbg white", EditCommand(BACKGROUND, "white")),
        ("/remove_background #FF8800", EditCommand(BACKGROUND, "#ff8800")),
        ("/remove_background #f80", EditCommand(BACKGROUND, "#ff8800")),
        ("/remove_background@PhotoBot transparent", EditCommand(BACKGROUND, "transparent")),
        ("/remove_background blur", EditCommand(BACKGROUND, "blur")),
        ("/remove_background gradient", EditCommand(BACKGROUND, "gradient")),
        ("/remove_background sticker", EditCommand(BACKGROUND, "sticker")),
        ("/rmbg crop", EditCommand(BACKGROUND, "crop")),
        ("/rmbg clean", EditCommand(BACKGROUND, "clean")),
        ("/rmbg Clean please", EditCommand(BACKGROUND, "clean")),
        ("/rmbg 干净", EditCommand(BACKGROUND, "clean")),
        ("/rmbg clean white", EditCommand(BACKGROUND, "white")),
        ("/remove_subject clean", EditCommand(SUBJECT)),
        ("/eraser", EditCommand(ERASE)),
        ("/erase white", EditCommand(ERASE)),
        ("/remove", None),
        ("/help", None),
        ("/start", None),
        ("/settings", None),
        ("/ban", None),
        ("remove background", None),
        ("/", None),
    ],
)
def test_commands(text: str, meaning: EditCommand | None) -> None:
    assert meaning_of_command(text) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("remove the background", EditCommand(BACKGROUND)),
        ("Remove background please", EditCommand(BACKGROUND)),
        ("can you delete this background?", EditCommand(BACKGROUND)),
        ("clean the background", EditCommand(BACKGROUND)),
        ("clean the background white", EditCommand(BACKGROUND, "white")),
        ("white background", EditCommand(BACKGROUND, "white")),
        ("black background", EditCommand(BACKGROUND, "black")),
        ("remove the black background", EditCommand(BACKGROUND)),
        ("remove the white background", EditCommand(BACKGROUND)),
        ("去掉白色背景", EditCommand(BACKGROUND)),
        ("把黑色背景去掉", EditCommand(BACKGROUND)),
        ("去背景，换成黑色", EditCommand(BACKGROUND, "black")),
        ("transparent background please", EditCommand(BACKGROUND, "transparent")),
        ("no bg", EditCommand(BACKGROUND)),
        ("cut out", EditCommand(BACKGROUND)),
        ("去背景", EditCommand(BACKGROUND)),
        ("去掉背景", EditCommand(BACKGROUND)),
        ("帮我把背景去掉", EditCommand(BACKGROUND)),
        ("抠图", EditCommand(BACKGROUND)),
        ("抠图，白底", EditCommand(BACKGROUND, "white")),
        ("换成透明背景", EditCommand(BACKGROUND, "transparent")),
        ("erase the person", EditCommand(SUBJECT)),
        ("Remove the man", EditCommand(SUBJECT)),
        ("delete all people", EditCommand(SUBJECT)),
        ("get rid of the dog", EditCommand(SUBJECT)),
        ("remove it", EditCommand(SUBJECT)),
        ("把主体去掉", EditCommand(SUBJECT)),
        ("去掉路人", EditCommand(SUBJECT)),
        ("消除人物", EditCommand(SUBJECT)),
        ("erase", EditCommand(ERASE)),
        ("Eraser!", EditCommand(ERASE)),
        ("消除", EditCommand(ERASE)),
        ("帮我涂抹", EditCommand(ERASE)),
        ("hello", None),
        ("", None),
        ("what a nice background", None),
        ("who is that person?", None),
        ("my dog", None),
        ("remove", None),
        ("消除人物和背景，去背景", None),
        ("remove the person and remove the background", None),
        ("I went to the beach and the background was lovely " * 4 + "remove background", None),
    ],
)
def test_words(text: str, meaning: EditCommand | None) -> None:
    assert meaning_of_words(text) == meaning


@pytest.mark.parametrize(
    ("text", "finish"),
    [("#abc", "#aabbcc"), ("#12345", None), ("#1234567", None), ("white or blur", None), ("", None), ("虚化", "blur")],
)
def test_finishes(text: str, finish: str | None) -> None:
    assert finish_in(text) == finish
