"""Requests carry the signature that the documented rules and the SDK compute."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from volcengine.auth.SignerV4 import SignerV4

from bot.engines.volcengine import VolcConfig
from bot.engines.volcengine.signing import sign
from bot.errors import OperatorError
from tests.cloud import signatures
from tests.cloud.signatures import DeniedError, Keys

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["made_up"]
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CASES = [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]]


def config_for(case: dict[str, Any]) -> VolcConfig:
    host = case["host_header"]
    return VolcConfig(
        VECTORS["ak"],
        VECTORS["sk"],
        session_token=case["security_token"],
        endpoint=f"http://{host}" if host.startswith("127.") else f"https://{host}",
    )


@pytest.mark.parametrize("case", CASES)
def test_every_test_vector_gets_its_signature(case: dict[str, Any]) -> None:
    request = sign(config_for(case), case["query"]["Action"], case["body"].encode(), now=AT)

    assert request.headers["Authorization"].endswith(f"Signature={case['signature']}")
    assert f"SignedHeaders={case['signed_headers']}," in request.headers["Authorization"]
    assert request.headers["X-Content-Sha256"] == case["body_sha256"]
    assert request.body == case["body"].encode()


@pytest.mark.parametrize("case", CASES)
def test_the_stand_in_computes_every_test_vector_without_the_sdk(case: dict[str, Any]) -> None:
    headers = {
        "content-type": VECTORS["content_type"],
        "host": case["host_header"],
        "x-content-sha256": case["body_sha256"],
        "x-date": VECTORS["x_date"],
        "x-security-token": case["security_token"],
    }
    query = "&".join(f"{name}={value}" for name, value in case["query"].items())
    canonical = signatures.canonical_request(
        "POST", "/", query, headers, case["signed_headers"].split(";"), case["body"].encode()
    )
    keys = Keys(VECTORS["ak"], VECTORS["sk"], case["security_token"])
    assert signatures.signature(keys, VECTORS["x_date"], canonical) == case["signature"]
    key = signatures.signing_key(VECTORS["sk"], "20260102", "cn-north-1", "cv")
    assert key.hex() == VECTORS["k_signing_hex"]


@pytest.mark.parametrize("token", ["", "STS2exampletoken"])
def test_a_request_equals_the_one_that_the_sdk_sends(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    # requirements/run.excludes leaves out what only the SDK's service class needs.
    reason = "requests is not installed: only the bench set brings it"
    pytest.importorskip("requests", reason=reason)
    visual = pytest.importorskip("volcengine.visual.VisualService", reason=reason)
    form = {"req_key": "i2i_inpainting", "binary_data_base64": ["aW1n", "bWFzaw=="], "seed": 3, "prompt": "删除"}
    monkeypatch.setattr(SignerV4, "get_current_format_date", staticmethod(lambda: VECTORS["x_date"]))
    monkeypatch.delenv("VOLC_ACCESSKEY", raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    service = visual.VisualService()
    service.set_ak(VECTORS["ak"])
    service.set_sk(VECTORS["sk"])
    service.set_session_token(token)
    service.set_scheme("https")
    sent: dict[str, Any] = {}

    class Answered:
        status_code = 200

        def json(self) -> dict[str, int]:
            return {"code": 10000}

    def post(url: str, **kwargs: Any) -> Answered:
        sent.update(kwargs, url=url)
        return Answered()

    monkeypatch.setattr(service.session, "post", post)
    service.cv_process(form)

    ours = sign(
        VolcConfig(VECTORS["ak"], VECTORS["sk"], session_token=token), "CVProcess", sent["data"].encode(), now=AT
    )
    theirs = {name: value for name, value in sent["headers"].items() if name != "User-Agent"}
    assert ours.url == sent["url"]
    assert ours.headers == theirs
    assert ours.body == json.dumps(form).encode() == sent["data"].encode()


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        ({"body": b"{}"}, 100010),
        ({"x-content-sha256": "0" * 64}, 100010),
        ({"host": "elsewhere.example"}, 100010),
        ({"x-date": "20260102T025005Z"}, 100010),
        ({"x-date": "20260102T023405Z"}, 100006),
        ({"x-date": "yesterday"}, 100004),
        ({"authorization": ""}, 100003),
        ({"authorization": "Basic dTpw"}, 100005),
        ({"x-security-token": "STS2other"}, 100009),
        ({"query": "Action=CVProcess&Version=2020-08-26"}, 100010),
    ],
)
def test_the_stand_in_rejects_a_request_changed_after_signing(tamper: dict[str, Any], code: int) -> None:
    request = sign(VolcConfig(VECTORS["ak"], VECTORS["sk"]), "CVProcess", b'{"req_key": "x"}', now=AT)
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = tamper.pop("query", request.url.partition("?")[2])
    body = tamper.pop("body", request.body)
    with pytest.raises(DeniedError) as denied:
        signatures.verify(
            Keys(), method="POST", path="/", raw_query=query, headers={**headers, **tamper}, body=body, now=AT
        )
    assert denied.value.code == code


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://visual.volcengineapi.com",
        "http://10.0.0.7:8080",
        "http://127.0.0.1.example.com",
        "ftp://visual.volcengineapi.com",
        "visual.volcengineapi.com",
        "https://user:word@visual.volcengineapi.com",
        "https://visual.volcengineapi.com/v1",
        "https://visual.volcengineapi.com:port",
        "",
    ],
)
def test_an_unsafe_or_invalid_endpoint_is_rejected(endpoint: str) -> None:
    with pytest.raises(OperatorError) as refused:
        VolcConfig("AKLTx", "secret", endpoint=endpoint)
    assert refused.value.facts["setting"] == "VOLC_ENDPOINT"


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://visual.volcengineapi.com", "visual.volcengineapi.com"),
        ("https://visual.volcengineapi.com:443/", "visual.volcengineapi.com"),
        ("https://proxy.example:8443", "proxy.example:8443"),
        ("http://localhost:9000", "localhost:9000"),
        ("http://[::1]:9000", "[::1]:9000"),
    ],
)
def test_the_signed_host_is_the_host_header(endpoint: str, host: str) -> None:
    assert VolcConfig("AKLTx", "secret", endpoint=endpoint).host == host


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_key": ""},
        {"secret_key": "with space"},
        {"secret_key": "line\n"},
        {"inpaint": "magic"},
        {"strength": 0.0},
        {"scale": 21},
        {"steps": 0},
        {"quality": "best"},
        {"longest_side": 5000},
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(OperatorError) as refused:
        VolcConfig(**{"access_key": "AKLTx", "secret_key": "secret", **wrong})
    assert refused.value.message_id == "wrong-setting"
    text = str(refused.value.facts["text"])
    assert "such as" in text
    assert "with space" not in text, "keys are not repeated"
