"""Pictures that the browser may keep: it asks before each use, and only the owner of an existing edit may go on."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.edits.canvas import PREVIEW_SIDES
from bot.edits.model import PhotoRef
from tests.unit.webapp.conftest import Page
from tests.unit.webapp.doubles import HEIGHT, WIDTH, CanvasDouble, mask_png
from webapp.callers import FRESH_SESSION_HEADER

KEPT = ("photo?side=768", "result?preview=1&side=768", "mask?keep=1")


@pytest.fixture
def canvas_with_all(canvas: CanvasDouble) -> CanvasDouble:
    """A canvas on which the edit has a result and a mask."""
    canvas.finish("adas")
    canvas.masks["adas"] = mask_png()
    return canvas


async def ask_again(page: Page, path: str, tag: str) -> tuple[int, bytes, str]:
    """Status, body and Cache-Control of a request by a browser that has the picture."""
    answer = await page.ask("GET", f"/edits/adas/{path}", headers={"If-None-Match": tag})
    return answer.status, await answer.read(), answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", KEPT)
async def test_an_unchanged_picture_is_not_sent_again(ada: Page, canvas_with_all: CanvasDouble, path: str) -> None:
    first = await ada.get(f"/edits/adas/{path}")
    assert (first.status, first.headers["Cache-Control"]) == (200, "private, no-cache")
    assert "Vary" not in first.headers, "a fresh token is the same person"
    made = len(canvas_with_all.previews)
    assert await ask_again(ada, path, first.headers["ETag"]) == (304, b"", "private, no-cache")
    assert len(canvas_with_all.previews) == made, "nothing is computed"


@pytest.mark.parametrize("path", KEPT)
async def test_a_browser_that_has_a_picture_of_another_person_or_of_a_deleted_edit_gets_404(
    ada: Page, ben: Page, canvas_with_all: CanvasDouble, path: str
) -> None:
    tag = (await ada.get(f"/edits/adas/{path}")).headers["ETag"]
    for page in (ben, ada):
        status, _, caching = await ask_again(page, path, tag)
        assert (status, caching) == ((404, "private, no-store") if page is ben else (304, "private, no-cache"))
    del canvas_with_all.edits["adas"]
    assert (await ask_again(ada, path, tag))[::2] == (404, "private, no-store")


async def test_another_picture_or_size_is_sent(ada: Page, canvas_with_all: CanvasDouble) -> None:
    tags = {(await ada.get(f"/edits/adas/photo?side={side}")).headers["ETag"] for side in PREVIEW_SIDES}
    assert len(tags) == len(PREVIEW_SIDES)
    assert canvas_with_all.previews == list(PREVIEW_SIDES)
    tag = (await ada.get("/edits/adas/result?preview=1&side=768")).headers["ETag"]
    edit = canvas_with_all.edits["adas"]
    canvas_with_all.edits["adas"] = replace(edit, result=PhotoRef("next", "next"))
    assert (await ask_again(ada, "result?preview=1&side=768", tag))[0] == 200
    tag = (await ada.get("/edits/adas/mask?keep=1")).headers["ETag"]
    canvas_with_all.masks["adas"] = mask_png(WIDTH // 2, HEIGHT // 2)
    assert (await ask_again(ada, "mask?keep=1", tag))[0] == 200


async def test_a_preview_is_no_larger_than_asked(ada: Page, canvas: CanvasDouble) -> None:
    answer = await ada.get("/edits/adas/photo?side=768")
    with Image.open(io.BytesIO(await answer.read())) as picture:
        assert max(picture.size) <= 768


@pytest.mark.parametrize("side", ["0", "767", "2049", "99999", "-768", "768.0", "", "x"])
async def test_other_sizes_are_refused_before_any_work(ada: Page, canvas: CanvasDouble, side: str) -> None:
    answer = await ada.get(f"/edits/adas/photo?side={side}")
    assert answer.status == 400
    assert canvas.previews == []


@pytest.mark.parametrize("path", KEPT)
async def test_an_answer_that_the_browser_keeps_has_no_session_token(
    ada: Page, canvas_with_all: CanvasDouble, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.tokens.RENEW_AFTER", -1)
    assert FRESH_SESSION_HEADER in (await ada.get("/edits/adas")).headers
    first = await ada.get(f"/edits/adas/{path}")
    assert FRESH_SESSION_HEADER not in first.headers
    again = await ada.ask("GET", f"/edits/adas/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert FRESH_SESSION_HEADER not in again.headers
