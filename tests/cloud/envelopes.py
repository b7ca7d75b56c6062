"""The shapes of responses: successes, errors of the API and of its gateway, and malformed ones."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import numpy as np
from aiohttp import web
from PIL import Image

from tests.cloud import abilities
from tests.cloud.signatures import Keys

HTTP_OF_CODE = {50429: 429, 50430: 429, 50500: 500, 50501: 500, 50400: 401}
"""HTTP statuses of the API's codes; every other code has 400."""
GATEWAY = {
    100006: ("InvalidTimestamp", 400),
    100009: ("InvalidAccessKey", 401),
    100010: ("SignatureDoesNotMatch", 401),
    100012: ("LackPolicy", 403),
    100013: ("AccessDenied", 403),
    100014: ("InternalError", 500),
    100016: ("InternalServiceTimeout", 504),
    100018: ("AccountFlowLimitExceeded", 429),
}


def envelope(http: int, code: int, message: str, data: object, took: str, now: datetime) -> web.Response:
    """Return a response of the API."""
    body = {
        "code": code,
        "data": data,
        "message": message,
        "request_id": _request_id(),
        "status": code,
        "time_elapsed": took,
    }
    return _json_response(http, body, now)


def failure(code: int, keys: Keys, now: datetime, why: str = "") -> web.Response:
    """Return the response for a code in the API's or the gateway's shape. Its µs are non-ASCII, as on fast errors."""
    if code in GATEWAY:
        name, http = GATEWAY[code]
        return gateway_failure(code, name, f"The accesskey [{keys.access_key}] … {why}", http, now)
    return envelope(HTTP_OF_CODE.get(code, 400), code, f"Trouble {why}", None, "84.448µs", now)


def gateway_failure(code: int, name: str, message: str, http: int, now: datetime) -> web.Response:
    """Return a response of the gateway."""
    error = {"CodeN": code, "Code": name, "Message": message}
    return _json_response(
        http, {"ResponseMetadata": {"RequestId": _request_id(), "Service": "cv", "Error": error}}, now
    )


def odd_answer(kind: str, data: dict[str, Any], good: bytes, now: datetime) -> web.Response:
    """Return a response that is complete HTTP, but malformed or without a usable picture."""
    text = json.dumps({"code": 50500, "message": "?", "time_elapsed": "84µs"}, ensure_ascii=False)
    ghost = {"algorithm_base_resp": {"status_code": 201304, "status_message": "AI ghost face"}}
    black = abilities.encode(Image.fromarray(np.zeros((200, 200), np.uint8)), "PNG")
    odd = {
        "html-502": lambda: web.Response(status=502, text="<html>502 Bad Gateway</html>", content_type="text/html"),
        "html-200": lambda: web.Response(text="<html>Please log in to this network</html>", content_type="text/html"),
        "truncated": lambda: web.Response(body=good[: len(good) // 2], content_type="application/json"),
        "redirect": lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
        "latin-1": lambda: web.Response(status=500, body=text.encode("latin-1")),
        "null-data": lambda: envelope(200, 10000, "Success", None, "2s", now),
        "no-code": lambda: _json_response(200, {"message": "?"}, now),
        "list": lambda: web.json_response([1, 2, 3]),
        "algorithm-201304": lambda: envelope(200, 10000, "Success", ghost, "2s", now),
        "no-picture": lambda: envelope(200, 10000, "Success", {**data, "binary_data_base64": []}, "2s", now),
        "bad-picture": lambda: envelope(200, 10000, "Success", {**data, "binary_data_base64": ["aW1n"]}, "2s", now),
        "black": lambda: envelope(200, 10000, "Success", {**data, "binary_data_base64": [black]}, "2s", now),
    }
    return odd[kind]()


def _request_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}{uuid.uuid4().hex[:18].upper()}"


def _json_response(http: int, body: object, now: datetime) -> web.Response:
    return web.Response(
        status=http,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json", "Date": f"{now:%a, %d %b %Y %H:%M:%S} GMT"},
    )
