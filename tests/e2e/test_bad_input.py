"""Requests that are wrong: refused before any provider hears of them, in OpenAI's words."""

import gzip
import json

import pytest
from conftest import PER_TRY_MS
from replies import attempts, content, error, verdicts

#: Stands in every wrong request, and must never come back.
PROMPT = "the-secret-prompt"

URL = "/v1/chat/completions"

MESSAGES = [{"role": "user", "content": PROMPT}]

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def body(**fields):
    return json.dumps({"model": "openai-only", "messages": MESSAGES, **fields}).encode()


WRONG_BODIES = {
    "empty": (b"", None),
    "white": (b" \n", None),
    "truncated": (body()[:-5], None),
    "not_json": (f"model={PROMPT}".encode(), None),
    "not_utf8": (body()[:-3] + b"\xff\xfe\"}", None),
    "array": (b'["' + PROMPT.encode() + b'"]', None),
    "string": (b'"' + PROMPT.encode() + b'"', None),
    "null": (b"null", None),
    "model_missing": (json.dumps({"messages": MESSAGES}).encode(), "model"),
    "model_number": (body(model=7), "model"),
    "model_empty": (body(model=""), "model"),
    "messages_missing": (b'{"model": "openai-only"}', "messages"),
    "messages_string": (body(messages=PROMPT), "messages"),
    "messages_empty": (body(messages=[]), "messages"),
    "message_string": (body(messages=[PROMPT]), "messages[0]"),
    "role_missing": (body(messages=[{"content": PROMPT}]), "messages[0].role"),
    "role_unknown": (body(messages=[{"role": PROMPT, "content": "x"}]), "messages[0].role"),
    "content_number": (body(messages=[{"role": "user", "content": 7}]), "messages[0].content"),
    "part_unknown": (
        body(messages=[{"role": "user", "content": [{"type": PROMPT}]}]),
        "messages[0].content[0].type",
    ),
    "stream_string": (body(stream=PROMPT), "stream"),
    "tools_object": (body(tools={"a": PROMPT}), "tools"),
}


@pytest.mark.parametrize("wrong, param", WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_wrong_body_is_refused_where_it_is_wrong(gateway, wrong, param):
    response = gateway.http.post(URL, content=wrong)

    told = error(response, 400)
    assert told["type"] == "invalid_request_error"
    assert told["param"] == param
    assert_nobody_heard(gateway, response)


def assert_nobody_heard(gateway, response):
    assert PROMPT not in response.text
    assert PROMPT not in str(gateway.envoy.logged(response))
    assert PROMPT not in gateway.envoy.log()
    assert not [each.name for each in gateway.standins if each.records()]


def test_an_unknown_model_is_answered_with_the_known_ones(gateway):
    response = gateway.http.post(URL, content=body(model="gpt-unheard-of"))
    told = error(response, 404)
    assert (told["code"], told["param"]) == ("model_not_found", "model")
    for known in ("openai-only", "anthropic-first", "three"):
        assert known in told["message"]
    assert_nobody_heard(gateway, response)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_wrong_method_is_refused_with_the_right_one(gateway, method):
    response = gateway.http.request(method, URL)
    assert error(response, 405)["code"] == "method_not_allowed"
    assert response.headers["allow"] == "POST"


def test_models_are_only_read(gateway):
    response = gateway.http.post("/v1/models", content=b"{}")
    error(response, 405)
    assert response.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/completionsx", "/v1/chat/completionsx", "/x"])
def test_an_unknown_path_is_not_found(gateway, path):
    response = gateway.http.post(path, content=body())
    assert error(response, 404)["code"] == "not_found"
    assert_nobody_heard(gateway, response)


def test_a_query_in_the_path_does_no_harm(gateway):
    assert gateway.http.post(URL + "?api-version=1", content=body()).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_refused(gateway, encoding):
    headers = {"content-encoding": encoding}
    response = gateway.http.post(URL, content=gzip.compress(body()), headers=headers)
    error(response, 415)
    assert_nobody_heard(gateway, response)


# === size ===


OVER_THE_LIMIT = 30 * 1024 * 1024


def test_a_body_over_the_limit_is_refused_by_its_announced_length(gateway):
    response = gateway.http.post(URL, content=body(user="x" * OVER_THE_LIMIT))
    assert error(response, 413)["code"] == "request_too_large"
    assert_nobody_heard(gateway, response)


def test_a_body_over_the_limit_is_refused_when_its_length_is_not_announced(gateway):
    whole = body(user="x" * OVER_THE_LIMIT)
    parts = (whole[at : at + 65536] for at in range(0, len(whole), 65536))
    response = gateway.http.post(URL, content=parts)
    assert error(response, 413)["code"] == "request_too_large"
    assert_nobody_heard(gateway, response)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_within_the_limit_fails_over_whole(gateway, standins, chunked):
    standins["openai"].fail({"kind": "status", "status": 500})
    text = "y" * (4 * 1024 * 1024)
    whole = body(model="openai-first", messages=[{"role": "user", "content": text}])
    parts = (whole[at : at + 65536] for at in range(0, len(whole), 65536))
    response = gateway.http.post(URL, content=parts if chunked else whole)
    assert "Hello from anthropic" in content(response, False)
    sent = standins["anthropic"].only_record().body["messages"][0]["content"]
    assert text in json.dumps(sent)


# === what candidates cannot do ===


def test_a_parameter_that_would_be_lost_is_refused_where_the_model_is_strict(gateway):
    response = gateway.http.post(URL, content=body(model="strict", logit_bias={"50256": -100}))
    told = error(response, 400)
    assert told["code"] == "no_able_candidate"
    assert "logit_bias" in told["message"]
    assert_nobody_heard(gateway, response)


def test_a_parameter_that_would_be_lost_is_reported_otherwise(gateway):
    sent = body(model="anthropic-only", logit_bias={"50256": -100})
    response = gateway.http.post(URL, content=sent)
    assert response.status_code == 200
    assert "logit_bias" in response.headers["x-pointsman-fidelity"]
    assert "logit_bias" in gateway.envoy.logged(response)["pointsman.fidelity"]


def test_a_request_that_no_candidate_can_serve_is_refused(gateway):
    response = gateway.http.post(URL, content=body(model="without-tools", tools=[TOOL]))
    told = error(response, 400)
    assert told["code"] == "no_able_candidate"
    assert "no tools" in told["message"]
    assert_nobody_heard(gateway, response)


# === headers ===


FORGED = {
    "x-envoy-max-retries": "0",
    "x-envoy-retry-on": "5xx",
    "x-envoy-attempt-count": "3",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-upstream-rq-per-try-timeout-ms": "1",
    "x-envoy-hedge-on-per-try-timeout": "true",
    "x-envoy-upstream-alt-stat-name": "forged",
    "x-envoy-original-path": "/forged",
    "x-envoy-force-trace": "true",
    "x-envoy-internal": "true",
    "x-forwarded-for": "10.0.0.1",
    "x-pointsman-cluster": "gemini",
    "x-pointsman-chain": "chain.gemini",
    "x-pointsman-plan": "{}",
    "x-pointsman-key-anthropic": "forged-key",
    "x-pointsman-escalate": "1",
    "x-pointsman-failed": "1",
    "x-pointsman-attempts": "forged",
}


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_client_cannot_steer_envoy_by_headers(gateway, standins, stream):
    standins["openai"].fail({"kind": "status", "status": 500})
    response = gateway.chat("openai-first", stream=stream, headers=FORGED)
    assert "Hello from anthropic" in content(response, stream)
    assert verdicts(response) == [("openai", "server_error"), ("anthropic", "ok")]
    assert not standins["gemini"].records()
    for vendor in ("openai", "anthropic"):
        seen = json.dumps(standins[vendor].only_record().raw)
        assert "forged" not in seen and "10.0.0.1" not in seen
    assert gateway.envoy.logged(response)["path"] == URL


def test_a_client_cannot_shorten_the_time_of_an_attempt(gateway, standins):
    standins["openai"].fail({"kind": "stall", "ms": 300})
    response = gateway.chat("openai-first", headers=FORGED)
    assert "Hello from openai" in content(response, False)
    (attempt,) = attempts(response)
    assert 300 <= attempt.ms < PER_TRY_MS


# === models ===


def test_the_models_are_listed(gateway):
    response = gateway.http.get("/v1/models")
    assert response.status_code == 200
    listed = response.json()
    assert listed["object"] == "list"
    assert {each["id"] for each in listed["data"]} == set(gateway.document["models"])
    assert {each["object"] for each in listed["data"]} == {"model"}


def test_one_model_is_shown(gateway):
    response = gateway.http.get("/v1/models/openai-only")
    assert response.status_code == 200
    assert response.json()["id"] == "openai-only"


def test_a_model_that_is_not_there_is_not_found(gateway):
    assert error(gateway.http.get("/v1/models/none"), 404)["code"] == "model_not_found"
