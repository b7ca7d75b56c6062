"""The routes of one edit: its photo, its mask, a selection, its result.

Every route checks the owner first: another person's edit is answered exactly as one that does not exist. The id comes
from the path and the person from the session, never from a body.

A mask is a PNG, white where something is erased. For the operation ``remove_background`` it is white where the subject
is, which stays, in both directions: like ``--mask`` of ``remove-background`` on the command line.

The page asks for pictures by ``?side=``, the long side in pixels. Such an answer stays in the browser's cache, but the
browser must ask each time whether it may still use it: the owner is checked, a deleted edit answers 404, and an
unchanged picture 304 without a body (docs/decisions.md#a-preview-is-kept-but-asked-for-again).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from http import HTTPStatus
from typing import Annotated

from aiohttp import ETag, web
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from bot.edits.canvas import MAX_TAPS, PREVIEW_SIDES, Canvas
from bot.edits.model import MAX_MASK_BYTES, Edit, PhotoRef, State
from bot.segmentation import Tap
from webapp.bodies import MAX_JSON_BYTES, read_body
from webapp.callers import PERSON
from webapp.errors import RefusedError
from webapp.languages import LANGUAGE
from webapp.limits import RateLimiter

WORK_SECONDS = 60.0
"""Time limit for one answer, including the pixel work and its queue."""

MASK_KEY = re.compile(r"[!-~]{1,128}")
"""An Idempotency-Key: visible ASCII."""

REVALIDATE = "private, no-cache"
"""Cache-Control of a picture that the browser may keep: it must ask before each use."""

EDIT = "/edits/{id:[A-Za-z0-9_-]{1,64}}"


class _Point(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    x: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    y: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    keep: StrictBool = True


class _Selection(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    points: Annotated[list[_Point], Field(min_length=1, max_length=MAX_TAPS)]


async def find_edit(request: web.Request, canvas: Canvas) -> Edit:
    """The caller's edit that the path names.

    Raises:
        RefusedError: 404: there is none, or it is another person's.
    """
    edit = await canvas.own(request.match_info["id"], request[PERSON])
    if edit is None:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    request[LANGUAGE] = edit.language  # what the person has chosen; the session tells only what Telegram says
    return edit


class EditsApi:
    """The routes under /edits/ID, without the events.

    Args:
        canvas: Carries out the requests.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        # The page makes 3 such requests to open; then come taps and masks, each some tenths of a second of a core.
        self._pixel_work = RateLimiter(rate=2.0, burst=40.0)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get(EDIT, self.describe)
        router.add_get(f"{EDIT}/photo", self.photo)
        router.add_get(f"{EDIT}/mask", self.mask)
        router.add_post(f"{EDIT}/mask", self.submit_mask)
        router.add_post(f"{EDIT}/select", self.select)
        router.add_post(f"{EDIT}/cancel", self.cancel)
        router.add_get(f"{EDIT}/result", self.result)
        router.add_post(f"{EDIT}/show", self.show)

    async def describe(self, request: web.Request) -> web.Response:
        """GET /edits/ID: what the page needs to open. ``operation`` says what white means in the masks."""
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
        return web.json_response(
            {
                "id": edit.id,
                "width": edit.width,
                "height": edit.height,
                "language": edit.language,
                "operation": edit.operation,
                "mask": edit.has_mask,
                "result": edit.result is not None,
                "state": edit.state,
                "parent": await self._canvas.previous(edit),
            }
        )

    async def photo(self, request: web.Request) -> web.Response:
        """GET …/photo: the photo, small enough for a phone's canvas, or with ?side= for its screen."""
        side = _side(request)
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            if side is None:
                self._pixel_work.check(request[PERSON])
                return _picture(await self._canvas.photo_preview(edit), "jpeg")
            tag = _tag(edit.photo, side)
            if _matches(request, tag):
                return _not_modified(tag)
            self._pixel_work.check(request[PERSON])
            return _cacheable(_picture(await self._canvas.photo_preview(edit, side), "jpeg"), tag)

    async def mask(self, request: web.Request) -> web.Response:
        """GET …/mask: the painted or found mask; an erasing mask is dilated, a keeping one is as it was found.

        With ?keep=1 the browser may keep it.
        """
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            self._pixel_work.check(request[PERSON])
            found = await self._canvas.mask(edit)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND)
        if request.query.get("keep") != "1":
            return _picture(found, "png")
        tag = hashlib.sha256(found).hexdigest()[:32]
        return _not_modified(tag) if _matches(request, tag) else _cacheable(_picture(found, "png"), tag)

    async def submit_mask(self, request: web.Request) -> web.Response:
        """POST …/mask: take a painted mask; 202 with the id of the edit that now runs, which may be a new one.

        A repeated Idempotency-Key, or without a key a repeated mask, is the same submission. ?base=photo erases on the
        edit's photo even if the edit has a result, because the page has undone that round. ``remove_background`` always
        cuts the photo itself out.
        """
        key = request.headers.get("Idempotency-Key")
        if key is not None and not MASK_KEY.fullmatch(key):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "bad-request")
        on_photo = request.query.get("base") == "photo"
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            self._pixel_work.check(request[PERSON])
            png = await read_body(request, "image/png", MAX_MASK_BYTES)
            started = await self._canvas.submit_mask(edit, png, key=key, on_photo=on_photo)
        return web.json_response({"id": started.id}, status=HTTPStatus.ACCEPTED)

    async def select(self, request: web.Request) -> web.Response:
        """POST …/select: the mask of the object at the tapped points."""
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            self._pixel_work.check(request[PERSON])
            taps = _taps(await read_body(request, "application/json", MAX_JSON_BYTES), edit)
            on_photo = request.query.get("base") == "photo"
            return _picture(await self._canvas.select(edit, taps, on_photo=on_photo), "png")

    async def cancel(self, request: web.Request) -> web.Response:
        """POST …/cancel: stop the edit; 204, also if it is stopped already."""
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            if edit.state is not State.CANCELLED:
                await self._canvas.cancel(edit)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def show(self, request: web.Request) -> web.Response:
        """POST …/show: show this edit's result in the chat, or with ?base=photo its photo; 204."""
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            self._pixel_work.check(request[PERSON])
            await self._canvas.show(edit, photo=request.query.get("base") == "photo")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def result(self, request: web.Request) -> web.Response:
        """GET …/result: the result picture at full size, or with ?preview=1 small enough for a phone's canvas.

        With ?side=, small enough for its screen.
        """
        side = _side(request)
        async with asyncio.timeout(WORK_SECONDS):
            edit = await find_edit(request, self._canvas)
            tag = _tag(edit.result, side) if side is not None and edit.result is not None else None
            if tag is not None and _matches(request, tag):
                return _not_modified(tag)
            self._pixel_work.check(request[PERSON])
            if side is not None:
                picture = _picture(await self._canvas.result_preview(edit, side), "jpeg")
                return picture if tag is None else _cacheable(picture, tag)
            if request.query.get("preview") == "1":
                return _picture(await self._canvas.result_preview(edit), "jpeg")
            data, file_format = await self._canvas.result(edit)
        return _picture(data, file_format.lower())


def _taps(body: bytes, edit: Edit) -> list[Tap]:
    """The taps of a selection; 400 if one lies outside the photo."""
    try:
        selection = _Selection.model_validate_json(body)
    except ValidationError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad-request") from None
    assert edit.width is not None
    assert edit.height is not None
    if any(point.x > edit.width or point.y > edit.height for point in selection.points):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad-request")
    return [Tap(point.x, point.y, point.keep) for point in selection.points]


def _picture(data: bytes, kind: str) -> web.Response:
    return web.Response(body=data, content_type=f"image/{kind}")


def _side(request: web.Request) -> int | None:
    """The long side that the page asks for; 400 if it is none of `PREVIEW_SIDES`."""
    asked = request.query.get("side")
    if asked is None:
        return None
    if asked not in map(str, PREVIEW_SIDES):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad-request")
    return int(asked)


def _tag(picture: PhotoRef, side: int) -> str:
    """The version of a preview: another picture or another size has another one."""
    return hashlib.sha256(f"{picture.unique_id} {side}".encode()).hexdigest()[:32]


def _matches(request: web.Request, tag: str) -> bool:
    """Whether the browser has this version."""
    return any(known.value == tag for known in request.if_none_match or ())


def _cacheable(response: web.Response, tag: str) -> web.Response:
    """The same answer, for the browser to keep."""
    response.headers["Cache-Control"] = REVALIDATE
    response.etag = ETag(tag)
    return response


def _not_modified(tag: str) -> web.Response:
    return _cacheable(web.Response(status=HTTPStatus.NOT_MODIFIED), tag)
