"""Whether a result is sent as a photo or as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bot.chat.file_rules import must_be_file
from bot.edits.model import Operation, PhotoRef
from bot.edits.person_settings import Delivery
from bot.edits.ports import ResultFile
from tests.support import encoded, scene
from tests.unit.webapp.doubles import make_edit

AS_SENT, FILE, PHOTO = Delivery
JPEG, PNG = encoded(scene()), encoded(scene(), "PNG")
GREY = encoded(scene().convert("L"), "PNG")
CLEAR = encoded(scene().convert("RGBA"), "PNG")
CLEAR_GREY = encoded(scene().convert("LA"), "PNG")
PALETTE = encoded(scene().quantize(16), "PNG")
KEYED = encoded(scene(), "PNG", transparency=(90, 110, 140))
WEBP = encoded(Image.new("RGB", (320, 240)), "WEBP")


@pytest.mark.parametrize(
    ("delivery", "as_file", "data", "finish", "expected"),
    [
        (AS_SENT, False, JPEG, "clean", False),
        (AS_SENT, True, JPEG, "clean", True),
        (AS_SENT, False, PNG, "clean", True),
        (FILE, False, JPEG, "clean", True),
        (FILE, True, PNG, "clean", True),
        (PHOTO, True, JPEG, "clean", False),
        (PHOTO, True, PNG, "clean", False),
        (PHOTO, True, GREY, "clean", False),
        (PHOTO, True, CLEAR, "transparent", True),
        (PHOTO, True, CLEAR_GREY, "clean", True),
        (PHOTO, True, PALETTE, "clean", True),
        (PHOTO, True, KEYED, "clean", True),
        (PHOTO, False, GREY, "mask", True),
        (PHOTO, True, WEBP, "clean", True),
    ],
)
def test_by_what_the_person_wants_and_what_telegram_takes(
    delivery: Delivery, as_file: bool, data: bytes, finish: str, expected: bool
) -> None:
    photo = PhotoRef("file", "unique", as_file=as_file)
    edit = make_edit("edit", 7, photo=photo, finish=finish, operation=Operation.REMOVE_BACKGROUND)
    kind = {b"\xff\xd8": "JPEG", b"\x89P": "PNG", b"RI": "WEBP"}[data[:2]]
    made = ResultFile(Path("result"), kind, 320, 240, "local")
    assert must_be_file(edit, made, data, delivery) is expected


def test_what_telegram_refuses_as_a_photo_is_a_file() -> None:
    made = ResultFile(Path("result"), "JPEG", 9000, 1001, "local")
    assert must_be_file(make_edit("edit", 7), made, JPEG, PHOTO)
