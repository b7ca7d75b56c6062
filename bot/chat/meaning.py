"""Understands what a person asks for, however they say it: a command, a misspelt command, or words.

Only what is plain is understood. Words that fit two operations mean nothing here, and the bot asks.
"""

from __future__ import annotations

import difflib
import re

from bot.chat.colours import colour_named
from bot.edits.model import EditCommand, Operation

_NAMES = {
    Operation.REMOVE_SUBJECT: (
        "removesubject", "removethesubject", "removeperson", "removepeople", "removeobject", "deletesubject",
        "subject", "rmsubject", "nosubject",
    ),
    Operation.REMOVE_BACKGROUND: (
        "removebackground", "removethebackground", "removebg", "rmbg", "deletebackground", "background", "bg", "nobg",
        "cutout", "nobackground", "removebackdrop",
    ),
    Operation.ERASE: ("erase", "eraser", "magiceraser", "paint", "brush", "inpaint"),
}  # fmt: skip
"""Command names, without separators, that mean an operation."""

_ENOUGH_ALIKE = 0.84
"""From this similarity on (difflib's ratio) a misspelt name is taken for a known one: ``removebackgroud`` is,
``removecat`` is not."""
_LONG_ENOUGH = 8
"""Letters of a name that may be misspelt: shorter ones are alike by chance, as ``remove`` and ``removebg``."""

_BACKGROUND = r"back\s?grounds?|back\s?drop|bg"
_SUBJECT = (
    r"(main\s)?(subject|object)s?|persons?|people|(wo)?m[ae]n|girls?|boys?|guys?|kids?|child(ren)?|(grand)?(ma|pa)|"
    r"(him|her|them|it)|bystanders?|tourists?|strangers?|dogs?|cats?|animals?|pets?|birds?|horses?|cars?|bikes?"
)
_ARTICLE = r"(the|this|that|all|my|an?|main|every)"
_SUBJECT_ZH = r"主体|人物?|路人|游客|前景"
_REMOVE = r"remove|delete|erase|clean|clear|take\s+(out|away|off)|get\s+rid\s+of|cut\s+out|drop|without|no|hide"

_WORDS: tuple[tuple[Operation, re.Pattern[str]], ...] = tuple(
    (operation, re.compile(pattern, re.IGNORECASE))
    for operation, pattern in (
        (Operation.REMOVE_BACKGROUND, rf"\b({_REMOVE})\b[\s\w']{{0,20}}?\b({_BACKGROUND})\b"),
        (Operation.REMOVE_BACKGROUND, rf"\b({_BACKGROUND})\s+(removal|remover|off|away|gone|removed)\b"),
        (Operation.REMOVE_BACKGROUND, r"\bcut[\s-]?out\b(?!\s+\w)|\b(transparent|white|black)\s+background\b"),
        (Operation.REMOVE_BACKGROUND, r"(去|除|删|扣|抠|换|消)(除|掉|去|了)?(照片|图片)?的?([白黑]色?的?)?背景"),
        (Operation.REMOVE_BACKGROUND, r"背景.{0,3}(去|除|删|消)"),
        (Operation.REMOVE_BACKGROUND, r"[抠扣]图|抠像|抠出|去底|[白黑]底|透明底|透明背景"),
        (Operation.REMOVE_SUBJECT, rf"\b({_REMOVE})\b\s+({_ARTICLE}\s+){{0,3}}({_SUBJECT})\b"),
        (Operation.REMOVE_SUBJECT, rf"(去|除|删|消)(除|掉|去)?(照片|图片)?(里|中|上)?的?({_SUBJECT_ZH})"),
        (Operation.REMOVE_SUBJECT, rf"[把将].{{0,6}}?({_SUBJECT_ZH}|[他她它]们?)(都|给)?(去|除|删|消|擦|抹)"),
    )
)
_ERASE_ALONE = re.compile(
    r"(please\s+)?(erase|eraser|magic\s?eraser|paint(\s+over(\s+it)?)?|brush)(\s+please)?[.!\s]*|"
    r"(请|帮我)?(消除|涂抹|擦除|抹掉|橡皮擦|消除笔|局部消除)[。！\s]*",
    re.IGNORECASE,
)

_FINISHES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("transparent", re.compile(r"\b(transparent|png|alpha)\b|透明", re.IGNORECASE)),
    ("white", re.compile(r"(?<!the )\bwhite\b|(?<!去掉)(?<!去除)白(?!色?的?背景[去删移消])", re.IGNORECASE)),
    ("black", re.compile(r"(?<!the )\bblack\b|(?<!去掉)(?<!去除)黑(?!色?的?背景[去删移消])", re.IGNORECASE)),
    ("gradient", re.compile(r"\bgradient\b|渐变", re.IGNORECASE)),
    ("crop", re.compile(r"\bcrop(ped)?\b|裁剪", re.IGNORECASE)),
    ("sticker", re.compile(r"\bsticker\b|贴纸", re.IGNORECASE)),
    ("blur", re.compile(r"\bblur(red|ry)?\b|\bbokeh\b|模糊|虚化", re.IGNORECASE)),
)
_CLEAN = re.compile(r"\bclean\b|干净", re.IGNORECASE)
_MORE = re.compile(r"\b(more|strong(er)?|strongly|heavy|heavily|very)\b|强|更|重", re.IGNORECASE)
_LESS = re.compile(r"\b(less|light(er)?|lightly|slight(ly)?|little|bit|soft(ly)?)\b|轻|弱|少|微", re.IGNORECASE)
_HEX = re.compile(r"(?<![\w#])#(?P<digits>[0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?!\w)")


def meaning_of_command(text: str) -> EditCommand | None:
    """The meaning of a text that begins with a slash, also a misspelt one: ``/remove-background white``; else None."""
    found = re.match(r"/(?P<name>[^\s@]{1,40})(?:@\w+)?(?P<rest>.*)", text.strip(), re.DOTALL)
    if found is None:
        return None
    operation = _operation_named(found["name"])
    if operation is None:
        return None
    return edit_command(operation, found["rest"], after_slash=True)


def meaning_of_words(text: str) -> EditCommand | None:
    """The meaning of a short text without a slash, where it is plain; else None."""
    if len(text) > _LONGEST:
        return None
    found = {operation for operation, pattern in _WORDS if pattern.search(text)}
    if not found and _ERASE_ALONE.fullmatch(text.strip()):
        found = {Operation.ERASE}
    if len(found) != 1:
        return None
    (operation,) = found
    return edit_command(operation, text)


_LONGEST = 120
"""Characters of a text that is looked at: a longer one is a conversation, not a request."""


def edit_command(operation: Operation, text: str, *, after_slash: bool = False) -> EditCommand:
    """The operation with the finish that a text names, where it has one.

    Args:
        operation: The operation.
        text: The words of the request.
        after_slash: Whether they stand behind a command. There "clean" names a finish; in "clean the background" it
            says that the background goes.
    """
    if operation is not Operation.REMOVE_BACKGROUND:
        return EditCommand(operation)
    finish = finish_in(text)
    if finish is None and after_slash:
        finish = "clean" if _CLEAN.search(text) else colour_named(text)
    return EditCommand(operation, finish)


LONGEST_NAME = 30
"""Characters of a text that may name a background: a longer one talks about something."""


def background_named(text: str) -> str | None:
    """The finish that a short text without a slash names: a colour, or a finish by its name; else None."""
    if not text or text.startswith("/") or len(text) > LONGEST_NAME:
        return None
    return finish_in(text) or colour_named(text)


def finish_in(text: str) -> str | None:
    """The finish that a text names, as a word or as ``#rrggbb``; None for none, or for two.

    "Remove the white background" names the background that goes.
    """
    found = {finish for finish, pattern in _FINISHES if pattern.search(text)}
    for colour in _HEX.finditer(text):
        digits = colour["digits"].lower()
        found.add("#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits)))
    finish = found.pop() if len(found) == 1 else None
    if finish == "blur":
        return "blur-more" if _MORE.search(text) else "blur-less" if _LESS.search(text) else "blur"
    return finish


def _operation_named(name: str) -> Operation | None:
    plain = re.sub(r"[^a-z]", "", name.lower())
    for operation, names in _NAMES.items():
        if plain in names:
            return operation
    near = {
        operation
        for operation, names in _NAMES.items()
        if len(plain) >= _LONG_ENOUGH and difflib.get_close_matches(plain, names, 1, cutoff=_ENOUGH_ALIKE)
    }
    return near.pop() if len(near) == 1 else None
