"""Keys, signatures and pictures are never in logs, errors or reprs; malformed responses raise typed errors."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.typing import EventDict

from bot.engines.volcengine import VolcConfig
from bot.engines.volcengine.codes import CallFailedError
from bot.engines.volcengine.responses import ApiResponse, parse_response, redactor
from bot.engines.volcengine.signing import sign
from bot.errors import BotError
from tests.cloud.conftest import World, hole, scene
from tests.cloud.signatures import Keys
from tests.cloud.standin import TROUBLE, CloudStandIn

CONFIG = VolcConfig("AKLTexampleexampleexampleexample01", "U0tleGFtcGxlLW5vdC1hLXJlYWwta2V5LTAwMDA=")


@pytest.mark.parametrize(
    "fault",
    [
        None,
        50411,
        50400,
        100009,
        100010,
        *[trouble for trouble in TROUBLE if trouble not in ("hang", "trickle", "huge")],
    ],
)
async def test_nothing_secret_is_logged_or_raised(
    world: World, cloud: CloudStandIn, logs: list[EventDict], caplog: pytest.LogCaptureFixture, fault: int | str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.keys = Keys(session_token="STS2exampletoken")
    engine = await world.engine()
    cloud.fail_always(fault)
    output = ""
    try:
        await engine.inpainter.inpaint(scene(160, 140), hole(160, 140), seed=0)
    except BotError as error:
        output = f"{error} {error!r} {error.__cause__!r} {error.__cause__.__dict__ if error.__cause__ else ''}"
    output += repr(logs) + caplog.text + repr(world.config()) + repr(world.notices)

    assert logs
    for secret in (cloud.keys.access_key, cloud.keys.secret_key, cloud.keys.session_token):
        assert secret not in output
    for call in cloud.calls:
        assert call.headers["authorization"].rpartition("=")[2] not in output
        for picture in call.body["binary_data_base64"]:
            assert picture[:60] not in output


def test_a_signed_request_shows_neither_signature_nor_picture() -> None:
    request = sign(CONFIG, "CVProcess", b'{"binary_data_base64": ["aW1n"]}')
    assert "Signature" not in repr(request)
    assert "aW1n" not in repr(request)
    assert "aW1n" not in repr(ApiResponse({"binary_data_base64": ["aW1n"]}, "R1"))


def test_texts_of_the_api_are_made_safe_to_log() -> None:
    redact = redactor(CONFIG)
    assert CONFIG.access_key not in redact(f"The accesskey [{CONFIG.access_key}] is invalid.")
    assert redact("Signature=" + "ab" * 32) == "…"
    assert redact("AKLTanotherkey") == "…"
    assert redact("错误\n\x1b[31mred") == "错误  [31mred"
    assert len(redact("a b " * 5000)) == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        "code": JSON | st.sampled_from([10000, "10000", 50411, True, None]),
        "data": JSON | st.fixed_dictionaries({"algorithm_base_resp": JSON, "binary_data_base64": JSON}),
        "message": JSON,
        "request_id": JSON,
        "time_elapsed": JSON,
        "ResponseMetadata": JSON
        | st.fixed_dictionaries({"Error": st.fixed_dictionaries({"CodeN": JSON, "Code": JSON, "Message": JSON})}),
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(http=st.sampled_from([200, 204, 302, 400, 401, 403, 404, 413, 429, 500, 502, 504]), envelope=ENVELOPE)
def test_any_json_is_a_response_or_a_typed_error(http: int, envelope: dict[str, Any]) -> None:
    with contextlib.suppress(CallFailedError):
        response = parse_response(http, json.dumps(envelope).encode(), redactor(CONFIG))
        assert all(isinstance(picture, str) for picture in response.pictures)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(http=st.integers(100, 599), body=st.binary(max_size=200))
def test_any_bytes_are_a_response_or_a_typed_error(http: int, body: bytes) -> None:
    with contextlib.suppress(CallFailedError):
        parse_response(http, body, redactor(CONFIG))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"code": ' + b"9" * 10_000 + b"}", b"", b"\xff\xfe", b"null"])
def test_hostile_json_raises_a_typed_error(body: bytes) -> None:
    with pytest.raises(CallFailedError):
        parse_response(200, body, redactor(CONFIG))


@pytest.mark.parametrize(
    ("http", "body", "outcome", "advice"),
    [
        (429, b"<html>slow down</html>", "cloud-busy", False),
        (401, b"<html>who are you</html>", "cloud-unavailable", True),
        (404, b"not found", "cloud-unavailable", True),
        (503, b"", "cloud-unavailable", False),
        (403, b'{"ResponseMetadata": {"Error": {"CodeN": 199999, "Code": "New"}}}', "cloud-unavailable", True),
        (400, b'{"ResponseMetadata": {"Error": {"Code": "FlowLimitExceeded"}}}', "cloud-busy", False),
        (400, b'{"code": 50411, "ResponseMetadata": {"Error": {"CodeN": 100009}}}', "cloud-unavailable", True),
    ],
)
def test_the_http_status_decides_if_the_code_is_unknown(http: int, body: bytes, outcome: str, advice: bool) -> None:
    with pytest.raises(CallFailedError) as failed:
        parse_response(http, body, redactor(CONFIG))
    assert failed.value.policy.outcome == outcome
    assert bool(failed.value.policy.advice) is advice
