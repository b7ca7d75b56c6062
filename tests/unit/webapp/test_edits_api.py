"""The routes of one edit: for its owner only, within limits, with errors that say what is wrong."""

from __future__ import annotations

import io
import json
import zlib

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from bot.edits.model import Operation, State
from bot.engines import EngineRefusedError, EngineUnavailableError
from bot.errors import BotError, OperatorError, PersonError, WorldError
from bot.segmentation import Tap
from tests.unit.webapp.conftest import ADA, Page
from tests.unit.webapp.doubles import HEIGHT, WIDTH, CanvasDouble, make_edit, mask_png
from tests.unit.webapp.test_sessions import ROUTES


async def test_an_edit_is_described_to_its_page(ada: Page, canvas: CanvasDouble) -> None:
    answer = await ada.get("/edits/adas")
    assert await answer.json() == {
        "id": "adas",
        "width": WIDTH,
        "height": HEIGHT,
        "language": "en",
        "operation": "erase",
        "mask": False,
        "result": False,
        "state": "waiting_for_mask",
        "parent": None,
    }
    canvas.add(make_edit("round", ADA, parent="adas", has_mask=True))
    canvas.finish("round")
    told = await (await ada.get("/edits/round")).json()
    assert (told["parent"], told["mask"], told["result"], told["state"]) == ("adas", True, True, "done")
    canvas.add(make_edit("cut-out", ADA, operation=Operation.REMOVE_BACKGROUND))
    assert (await (await ada.get("/edits/cut-out")).json())["operation"] == "remove_background"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_persons_edit_is_answered_as_a_missing_one(
    ben: Page, canvas: CanvasDouble, method: str, path: str
) -> None:
    canvas.finish("adas")
    canvas.masks["adas"] = mask_png()
    answers = []
    for edit_id in ("adas", "missing", "x" * 64):
        answer = await ben.ask(method, f"/edits/{edit_id}{path}")
        headers = {
            name: value for name, value in answer.headers.items() if name.lower() not in ("date", "x-request-id")
        }
        answers.append((answer.status, await answer.json(), headers))
    assert answers[0][0] == 404
    assert answers[0][1]["error"] == "not-found"
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("path", ["/edits/", "/edits/a.b", "/edits/..%2fadas", "/edits/adas/else", "/nothing", "/"])
async def test_other_paths_are_not_found(ada: Page, path: str) -> None:
    answer = await ada.get(path)
    assert answer.status == 404
    assert (await answer.json())["error"] == "not-found"


async def test_a_wrong_method_is_answered_with_the_allowed_ones(ada: Page) -> None:
    answer = await ada.ask("DELETE", "/edits/adas/mask")
    assert answer.status == 405
    assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}
    assert (await answer.json())["error"] == "method-not-allowed"


async def test_pictures_are_sent_with_their_type_and_are_not_cached(ada: Page, canvas: CanvasDouble) -> None:
    canvas.finish("adas")
    canvas.masks["adas"] = mask_png()
    for path, kind in [("photo", "JPEG"), ("mask", "PNG"), ("result", "PNG"), ("result?preview=1", "JPEG")]:
        answer = await ada.get(f"/edits/adas/{path}")
        assert answer.status == 200
        assert answer.content_type == f"image/{kind.lower()}"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        with Image.open(io.BytesIO(await answer.read())) as picture:
            assert picture.format == kind


async def test_a_mask_and_a_result_are_missing_until_they_exist(ada: Page) -> None:
    assert (await ada.get("/edits/adas/mask")).status == 404
    early = await ada.get("/edits/adas/result")
    assert early.status == 409
    assert (await early.json())["error"] == "still-working"


async def test_the_chat_shows_what_the_page_shows(ada: Page, canvas: CanvasDouble) -> None:
    for query in ("", "?base=photo", "?base=else"):
        assert (await ada.ask("POST", f"/edits/adas/show{query}")).status == 204
    assert canvas.shown == [("adas", False), ("adas", True), ("adas", False)]


# ── the mask ──


async def test_a_mask_sent_twice_is_one_submission(ada: Page, canvas: CanvasDouble) -> None:
    for _ in range(3):
        answer = await ada.send_mask("adas", mask_png(), **{"Idempotency-Key": "stroke-1"})
        assert answer.status == 202
        assert await answer.json() == {"id": "adas"}
    assert canvas.masks["adas"] == mask_png()
    assert len(canvas.edits) == 2


async def test_a_mask_after_the_result_starts_a_new_round(ada: Page, canvas: CanvasDouble) -> None:
    await ada.send_mask("adas", mask_png(), **{"Idempotency-Key": "1"})
    busy = await ada.send_mask("adas", mask_png(), **{"Idempotency-Key": "2"})
    assert (busy.status, (await busy.json())["error"]) == (409, "still-working")
    canvas.finish("adas")
    further = await ada.send_mask("adas", mask_png(), **{"Idempotency-Key": "2"})
    assert further.status == 202
    round_id = (await further.json())["id"]
    assert round_id != "adas"
    assert (await (await ada.get(f"/edits/{round_id}")).json())["parent"] == "adas"


@pytest.mark.parametrize(("query", "on_photo"), [("", False), ("?base=photo", True), ("?base=result", False)])
async def test_a_mask_after_an_undone_round_is_erased_on_the_photo(
    ada: Page, canvas: CanvasDouble, query: str, on_photo: bool
) -> None:
    canvas.finish("adas")
    answer = await ada.post(f"/edits/adas/mask{query}", data=mask_png(), headers={"Content-Type": "image/png"})
    assert answer.status == 202
    assert canvas.on_photo[(await answer.json())["id"]] is on_photo


async def test_an_edit_can_be_cancelled_until_it_is_done(ada: Page, canvas: CanvasDouble) -> None:
    for _ in range(2):
        assert (await ada.post("/edits/adas/cancel")).status == 204
        assert canvas.edits["adas"].state is State.CANCELLED
    canvas.add(make_edit("done", ADA))
    canvas.finish("done")
    late = await ada.post("/edits/done/cancel")
    assert (late.status, (await late.json())["error"]) == (409, "too-late")


def png_of(mode: str, size: tuple[int, int], colour: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def noise_of_5_mb() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20_000


def bomb() -> bytes:
    """A small PNG that says it has 30 000 × 22 500 pixels, of the photo's aspect."""
    header = (30_000).to_bytes(4) + (22_500).to_bytes(4) + b"\x01\x00\x00\x00\x00"
    start = b"\x89PNG\r\n\x1a\n" + len(header).to_bytes(4) + b"IHDR" + header + zlib.crc32(b"IHDR" + header).to_bytes(4)
    rows = zlib.compress(b"\0" * ((30_000 // 8 + 1) * 22_500), 9)
    return start + len(rows).to_bytes(4) + b"IDAT" + rows + zlib.crc32(b"IDAT" + rows).to_bytes(4)


BAD_MASKS = {
    "wrong aspect": (lambda: mask_png(WIDTH, HEIGHT * 2), 422, "mask-wrong-shape"),
    "empty": (lambda: png_of("1", (WIDTH, HEIGHT), 0), 422, "mask-empty"),
    "all white": (lambda: png_of("1", (WIDTH, HEIGHT), 1), 422, "mask-everything"),
    "16 bits": (lambda: png_of("I;16", (WIDTH, HEIGHT), 300), 422, "mask-broken"),
    "nothing": (lambda: b"", 422, "mask-broken"),
    "cut off": (lambda: mask_png()[:60], 422, "mask-broken"),
    "a JPEG": (lambda: b"\xff\xd8\xff\xe0" + bytes(100), 422, "mask-broken"),
    "a bomb": (bomb, 422, "mask-wrong-shape"),
    "5 MB of noise": (noise_of_5_mb, 413, "too-large"),
}


@pytest.mark.parametrize("name", BAD_MASKS)
async def test_a_bad_mask_is_answered_with_its_fault(ada: Page, canvas: CanvasDouble, name: str) -> None:
    make, status, code = BAD_MASKS[name]
    answer = await ada.send_mask("adas", io.BytesIO(make()))
    told = await answer.json()
    assert (answer.status, told["error"]) == (status, code)
    assert told["message"]
    assert canvas.edits["adas"].state is State.WAITING_FOR_MASK
    assert not canvas.masks


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "image/jpeg"}, {"Content-Type": ""}, {"Content-Encoding": "gzip"}]
)
async def test_only_an_uncompressed_png_body_is_read(ada: Page, canvas: CanvasDouble, headers: dict[str, str]) -> None:
    answer = await ada.send_mask("adas", mask_png(), **headers)
    assert answer.status == 415
    assert (await answer.json())["error"] == "wrong-type"
    assert not canvas.masks


async def test_a_body_of_unknown_length_is_refused_at_the_limit(ada: Page, canvas: CanvasDouble) -> None:
    async def endless():
        for _ in range(200):
            yield bytes(65_536)

    answer = await ada.post("/edits/adas/mask", data=endless(), headers={"Content-Type": "image/png"})
    assert answer.status == 413
    assert not canvas.masks


@pytest.mark.parametrize("key", ["", "a b", "ключ", "k" * 129, "a\tb"])
async def test_a_malformed_idempotency_key_is_refused(ada: Page, key: str) -> None:
    answer = await ada.send_mask("adas", mask_png(), **{"Idempotency-Key": key})
    assert answer.status == 400


# ── selecting by taps ──


async def test_taps_return_a_mask(ada: Page, canvas: CanvasDouble) -> None:
    points = [{"x": 10, "y": 20.5, "keep": True}, {"x": WIDTH, "y": 0, "keep": False}, {"x": 1, "y": 1}]
    answer = await ada.post("/edits/adas/select", json={"points": points})
    assert answer.status == 200
    assert answer.content_type == "image/png"
    assert canvas.taps == [Tap(10, 20.5, True), Tap(WIDTH, 0, False), Tap(1, 1, True)]
    assert not canvas.selected_on_photo
    assert (await ada.post("/edits/adas/select?base=photo", json={"points": points})).status == 200
    assert canvas.selected_on_photo, "a round was taken back: the photo itself is on the stage"


HOSTILE_JSON = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"points"',
    b'{"points": []}',
    b'{"points": {}}',
    b'{"points": [[1, 2]]}',
    b'{"points": [{"x": 1}]}',
    b'{"points": [{"x": "1", "y": 2}]}',
    b'{"points": [{"x": true, "y": 2}]}',
    b'{"points": [{"x": null, "y": 2}]}',
    b'{"points": [{"x": NaN, "y": 2}]}',
    b'{"points": [{"x": Infinity, "y": 2}]}',
    b'{"points": [{"x": 1e999, "y": 2}]}',
    b'{"points": [{"x": -1, "y": 2}]}',
    b'{"points": [{"x": 321, "y": 2}]}',
    b'{"points": [{"x": ' + b"9" * 5000 + b', "y": 2}]}',
    b'{"points": [{"x": 1, "y": 2, "keep": 1}]}',
    b'{"points": [{"x": 1, "y": 2, "keep": "true"}]}',
    b'{"points": [{"x": 1, "y": 2, "person": 1}]}',
    b'{"points": [{"x": 1, "y": 2}], "edit": "bens"}',
    b'{"points": [{"x": 1, "y": 2}]} {}',
    b'{"points": ' + b"[" * 8000 + b"]" * 8000 + b"}",
    json.dumps({"points": [{"x": 1, "y": 2}] * 65}).encode(),
    '{"points": [{"x": 1, "y": 2}]}'.encode("utf-16"),
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("body", HOSTILE_JSON, ids=range(len(HOSTILE_JSON)))
async def test_hostile_json_is_refused(ada: Page, canvas: CanvasDouble, body: bytes) -> None:
    answer = await ada.post("/edits/adas/select", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert (await answer.json())["error"] == "bad-request"
    assert canvas.taps == []


async def test_json_of_another_size_or_type_is_refused(ada: Page) -> None:
    large = b'{"points": [{"x": 1, "y": 2}]' + b" " * 17_000 + b"}"
    answer = await ada.post("/edits/adas/select", data=large, headers={"Content-Type": "application/json"})
    assert (answer.status, (await answer.json())["error"]) == (413, "too-large")
    form = await ada.post("/edits/adas/select", data={"points": "[]"})
    assert form.status == 415


async def test_pixel_work_is_limited_for_each_person(ada: Page, ben: Page, canvas: CanvasDouble) -> None:
    statuses = []
    while not statuses or statuses[-1] == 200:
        answer = await ada.get("/edits/adas/photo")
        statuses.append(answer.status)
    assert statuses[-1] == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert (await ben.get("/edits/bens/photo")).status == 200


# ── errors ──

TROUBLE = [
    (PersonError("photo-broken"), 422, "photo-broken"),
    (PersonError("photo-gone"), 410, "photo-gone"),
    (PersonError("too-many-pending", limit=3), 429, "too-many-pending"),
    (PersonError("not-yours"), 404, "not-found"),
    (PersonError("invented-later"), 422, "invented-later"),
    (EngineRefusedError("cloud-refused"), 422, "cloud-refused"),
    (EngineUnavailableError("cloud-busy"), 503, "cloud-busy"),
    (WorldError("telegram-trouble"), 503, "telegram-trouble"),
    (OperatorError("wrong-setting", text="secret-detail"), 503, "wrong-setting"),
    (BotError("something-broke"), 503, "something-broke"),
    (TimeoutError("secret-detail"), 504, "took-too-long"),
    (ValueError("secret-detail"), 500, "something-broke"),
    (ConnectionResetError("secret-detail"), 500, "something-broke"),
]


@pytest.mark.parametrize(("trouble", "status", "code"), TROUBLE, ids=[str(case[0])[:20] for case in TROUBLE])
async def test_errors_are_reported_without_details(
    ada: Page, canvas: CanvasDouble, trouble: Exception, status: int, code: str
) -> None:
    canvas.planned_error = trouble
    answer = await ada.get("/edits/adas/photo")
    told = await answer.json()
    assert (answer.status, told["error"]) == (status, code)
    assert set(told) == {"error", "message"}
    assert told["message"]
    assert "secret" not in str(told) + str(dict(answer.headers))
    assert (int(answer.headers.get("Retry-After", 0)) > 0) == (status in (429, 503))
    assert len(answer.headers["X-Request-Id"]) == 16


async def test_the_connection_stays_open_between_requests(client: TestClient, ada: Page) -> None:
    for _ in range(3):
        answer = await ada.get("/edits/adas")
        assert answer.version is not None
        assert answer.version >= (1, 1)
        assert answer.headers.get("Connection", "keep-alive").lower() == "keep-alive"
