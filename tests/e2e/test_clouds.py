"""The models of the clouds: what Envoy signs, where each API is, and who gets which key."""

import hashlib
import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import check_bedrock_anthropic
import check_vertex_anthropic
from gateway import STEADFAST, Gateway, Standins, key_variable

ACCESS, SECRET, REGION = "AKIDEXAMPLE", "secret/of+aws", "us-east-1"

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + CLAUDE
PROJECT = "/v1/projects/p-1/locations/global"

#: Model, first candidate, second candidate: the first of each is made to fail, or not.
SIGNED = ["converse", "invoke", "converse-arn", "invoke-arn"]


@pytest.fixture(scope="module")
def standins(binaries, tmp_path_factory):
    names = ("openai", "anthropic", "gemini", "bedrock")
    keys = {"bedrock": f"{ACCESS}:{SECRET}"}
    standins = Standins(binaries, tmp_path_factory.mktemp("standins"), names, keys)
    yield standins
    standins.close()


@pytest.fixture(scope="module")
def clouds(binaries, standins, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clouds")
    environment = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
    environment |= {"KEY_AWS": "a-bearer-token", "AWS_EC2_METADATA_DISABLED": "true"}
    gateway = Gateway(binaries, folder, document(standins), standins, environment=environment)
    yield gateway
    gateway.close(excused="aws")


@pytest.fixture
def gateway(clouds):
    clouds.standins.reset()
    return clouds


def document(standins):
    address = {s.name: f"http://127.0.0.1:{s.port}" for s in standins}
    key = {s.name: {"env": key_variable(s)} for s in standins}

    def at(kind, name, path="", **settings):
        return {"kind": kind, "endpoint": address[name] + path, **STEADFAST, **settings}

    aws = {"aws": {"region": REGION}}
    providers = {
        "converse": at("bedrock", "bedrock", **aws),
        "invoke": at("bedrock_anthropic", "bedrock", **aws),
        "keyed": at("bedrock_anthropic", "bedrock", key={"env": "KEY_AWS"}),
        "vertex": at("vertex_anthropic", "gemini", PROJECT, key=key["gemini"]),
        "gemini": at("vertex_gemini", "gemini", PROJECT, key=key["gemini"]),
        "foundry": at("foundry_anthropic", "anthropic", "/anthropic", key=key["anthropic"]),
        "direct": at("anthropic", "anthropic", "/v1", key=key["anthropic"]),
        "azure": at("azure_openai", "openai", key=key["openai"]),
        "deployment": at("azure_openai", "openai", key=key["openai"], api_version="2024-10-21"),
    }
    of = {
        "converse": ("converse", CLAUDE),
        "invoke": ("invoke", CLAUDE),
        "converse-arn": ("converse", PROFILE),
        "invoke-arn": ("invoke", PROFILE),
        "keyed": ("keyed", CLAUDE),
        "vertex": ("vertex", "claude-sonnet-4-5@20250929"),
        "gemini": ("gemini", "gemini-3-pro-preview"),
        "foundry": ("foundry", "claude-sonnet-4-5"),
        "direct": ("direct", "claude-sonnet-4-5"),
        "azure": ("azure", "gpt/5"),
        "deployment": ("deployment", "my-gpt"),
    }

    def model(*names, **settings):
        able = {"context_window": 1_000_000, "thinking": "none"}
        candidates = [
            {"provider": of[n][0], "model": of[n][1], "capabilities": able} for n in names
        ]
        return {"candidates": candidates, **settings}

    models = {name: model(name) for name in of}
    models["thinker"] = model("deployment")
    models["thinker"]["candidates"][0]["capabilities"] = {"thinking": "effort"}
    models |= {f"direct-then-{name}": model("direct", name) for name in SIGNED}
    models |= {"keyed-then-invoke": model("keyed", "invoke")}
    models |= {"converse-then-keyed": model("converse", "keyed")}
    models |= {"gemini-then-direct": model("gemini", "direct")}
    models |= {"everywhere": model("azure", "vertex", "invoke", "direct")}
    models |= {"azure-then-direct": model("azure", "direct", fallback_on_refusal=True)}
    return {"providers": providers, "models": models}


def said(response, stream):
    """The answer's text."""
    assert response.status_code == 200, response.text
    if not stream:
        return response.json()["choices"][0]["message"]["content"]
    events = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    # Notes of Azure's filter have choices without a delta, and get an empty one.
    deltas = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def sent_bytes(record):
    """The body as it came."""
    return record.raw["text"].encode()


def assert_signed(record):
    """Amazon's own signer comes to the same signature over what arrived."""
    [claim] = record.values("authorization")
    fields = dict(part.strip().split("=", 1) for part in claim.split(" ", 1)[1].split(","))
    scope = f"/{REGION}/bedrock/aws4_request"
    assert fields["Credential"].startswith(ACCESS) and fields["Credential"].endswith(scope)
    body = sent_bytes(record)
    assert record.values("x-amz-content-sha256") == [hashlib.sha256(body).hexdigest()]
    names = fields["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256", "content-type"} <= set(names)
    [host] = record.values("host")
    request = AWSRequest("POST", f"http://{host}{record.path}", data=body)
    for name in names:
        request.headers[name] = ",".join(record.values(name))
    signer = SigV4Auth(Credentials(ACCESS, SECRET), "bedrock", REGION)
    request.context["timestamp"] = record.values("x-amz-date")[0]
    # What botocore itself would sign is of no interest: what was claimed must hold.
    signer.headers_to_sign = lambda request: request.headers
    expected = signer.signature(
        signer.string_to_sign(request, signer.canonical_request(request)), request
    )
    assert fields["Signature"] == expected


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", SIGNED)
def test_the_signature_covers_what_was_written_for_bedrock(gateway, model, stream):
    response = gateway.chat(model, "sign this", stream=stream)
    assert "sign this" in said(response, stream)
    record = gateway.standins["bedrock"].only_record()
    assert_signed(record)
    operation = {"converse": "/converse", "invoke": "/invoke"}[model.split("-")[0]]
    assert operation in record.path and "%3A" in record.path and ":" not in record.path


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", SIGNED)
def test_the_signature_holds_after_a_failover(gateway, model, stream):
    gateway.standins["anthropic"].fail({"kind": "status", "status": 503})
    response = gateway.chat(f"direct-then-{model}", "go on", stream=stream)
    assert "go on" in said(response, stream)
    record = gateway.standins["bedrock"].only_record()
    assert_signed(record)
    assert record.values("x-api-key") == []


@pytest.mark.parametrize("stream", [False, True])
def test_a_key_and_a_signature_go_to_one_address_each_on_its_own(gateway, stream):
    """The stand-in verifies signatures: it refuses the key, which must still have come alone."""
    response = gateway.chat("keyed-then-invoke", "both ways", stream=stream)
    assert "both ways" in said(response, stream)
    keyed, signed = gateway.standins["bedrock"].records()
    assert keyed.values("authorization") == ["Bearer a-bearer-token"]
    assert keyed.values("x-amz-date") == []
    assert_signed(signed)


def test_after_a_signature_a_key_goes_alone(gateway):
    gateway.standins["bedrock"].fail({"kind": "status", "status": 503}, times=1)
    response = gateway.chat("converse-then-keyed", "hello")
    assert response.status_code != 200
    signed, keyed = gateway.standins["bedrock"].records()
    assert_signed(signed)
    assert keyed.values("authorization") == ["Bearer a-bearer-token"]
    assert keyed.values("x-amz-date") == keyed.values("x-amz-content-sha256") == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["invoke", "vertex", "foundry"])
def test_anthropics_language_is_spoken_on_every_cloud(gateway, model, stream):
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
    response = gateway.chat(model, "hello there", stream=stream, tools=tools, max_tokens=50)
    assert "hello there" in said(response, stream)
    assert "answered-by" in " ".join(response.headers)
    standin = {"invoke": "bedrock", "vertex": "gemini", "foundry": "anthropic"}[model]
    record = gateway.standins[standin].only_record()
    if model == "invoke":
        assert check_bedrock_anthropic.validate(record.body) == []
        assert record.path.endswith("/invoke-with-response-stream" if stream else "/invoke")
    if model == "vertex":
        assert check_vertex_anthropic.validate(record.body) == []
        method = "streamRawPredict" if stream else "rawPredict"
        path = "/publishers/anthropic/models/claude-sonnet-4-5@20250929:"
        assert record.path == PROJECT + path + method
        assert record.values("authorization") == ["Bearer secret-of-gemini"]
        assert record.values("anthropic-version") == []
    if model == "foundry":
        assert record.path == "/anthropic/v1/messages"
        assert record.values("x-api-key") == ["secret-of-anthropic"]


@pytest.mark.parametrize("model", ["converse", "invoke", "invoke-arn", "vertex", "gemini", "foundry"])
def test_tokens_are_counted_by_the_cloud(gateway, model):
    """Whoever counts cannot know the client's API: it is sent what it would be asked."""
    tools = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}]
    messages = [{"role": "user", "content": "how long is this?"}]
    body = {"model": model, "messages": messages, "system": "Be brief.", "tools": tools}
    response = gateway.http.post("/v1/messages/count_tokens", json=body)
    assert response.status_code == 200, response.text
    assert response.json()["input_tokens"] > 0 and response.json().keys() == {"input_tokens"}
    assert "x-pointsman-estimated" not in response.headers
    if model in ("converse", "gemini"):
        body = {"model": model, "input": "how long is this?"}
        response = gateway.http.post("/v1/responses/input_tokens", json=body)
        assert response.json()["object"] == "response.input_tokens"
        assert response.json()["input_tokens"] > 0
    standin = {"vertex": "gemini", "gemini": "gemini", "foundry": "anthropic"}.get(model, "bedrock")
    record = gateway.standins[standin].records()[0]
    if standin == "bedrock":
        assert_signed(record)
        assert record.path == f"/model/{CLAUDE.replace(':', '%3A')}/count-tokens"


def test_a_count_falls_over_to_the_next(gateway):
    gateway.standins["gemini"].fail({"kind": "status", "status": 503})
    messages = [{"role": "user", "content": "how long is this?"}]
    response = gateway.http.post(
        "/v1/messages/count_tokens", json={"model": "gemini-then-direct", "messages": messages}
    )
    assert response.json()["input_tokens"] > 0, response.text
    assert response.headers["x-pointsman-answered-by"].startswith("direct/")


def test_calls_of_tools_come_back_over_chunks(gateway):
    tool = {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}
    body = {"tools": [{"type": "function", "function": tool}], "tool_choice": "required"}
    for stream in (False, True):
        response = gateway.chat("invoke", "weather?", stream=stream, **body)
        assert response.status_code == 200 and "get_weather" in response.text


@pytest.mark.parametrize("stream", [False, True])
def test_a_failover_crosses_every_cloud(gateway, stream):
    overloaded = {"kind": "status", "status": 503}
    for name in ("openai", "gemini", "bedrock"):
        gateway.standins[name].fail(overloaded)
    response = gateway.chat("everywhere", "anyone?", stream=stream)
    assert "anyone?" in said(response, stream)
    assert response.headers["x-pointsman-answered-by"].startswith("direct/")
    assert_signed(gateway.standins["bedrock"].only_record())
    last = gateway.standins["anthropic"].only_record()
    assert last.values("authorization") == [] and last.values("x-amz-date") == []


def test_an_error_in_the_first_chunk_leads_on(gateway):
    gateway.standins["bedrock"].fail({"kind": "error_event_first"})
    gateway.standins["openai"].fail({"kind": "status", "status": 503})
    gateway.standins["gemini"].fail({"kind": "status", "status": 503})
    response = gateway.chat("everywhere", "on", stream=True)
    assert "on" in said(response, True)
    assert "invoke/" in response.headers["x-pointsman-attempts"]


BETAS = "context-1m-2025-08-07,advanced-tool-use-2025-11-20,files-api-2025-04-14"
ON_CLOUDS = ["context-1m-2025-08-07", "tool-search-tool-2025-10-19"]


@pytest.mark.parametrize("model", ["direct", "foundry", "vertex", "invoke"])
def test_a14_betas_are_filtered_for_each_cloud(gateway, model):
    response = gateway.chat(model, "beta", headers={"anthropic-beta": BETAS})
    assert response.status_code == 200, response.text
    standin = {"invoke": "bedrock", "vertex": "gemini"}.get(model, "anthropic")
    record = gateway.standins[standin].only_record()
    told = response.headers.get("x-pointsman-fidelity", "")
    if model == "invoke":
        assert record.body["anthropic_beta"] == ON_CLOUDS
        assert record.values("anthropic-beta") == []
    elif model == "vertex":
        assert record.values("anthropic-beta") == [",".join(ON_CLOUDS)]
    else:
        assert record.values("anthropic-beta") == [BETAS]
    assert ("dropped anthropic-beta" in told) == (model in ("invoke", "vertex"))


def test_a14_betas_outlive_other_providers_and_are_reported_there(gateway):
    headers = {"anthropic-beta": "context-1m-2025-08-07"}
    alone = gateway.chat("azure", "beta", headers=headers)
    assert "dropped anthropic-beta" in alone.headers["x-pointsman-fidelity"]
    gateway.standins.reset()
    gateway.standins["openai"].fail({"kind": "status", "status": 503})
    response = gateway.chat("azure-then-direct", "beta", headers=headers)
    assert "anthropic-beta" not in response.headers.get("x-pointsman-fidelity", "")
    assert gateway.standins["openai"].only_record().values("anthropic-beta") == []
    record = gateway.standins["anthropic"].only_record()
    assert record.values("anthropic-beta") == ["context-1m-2025-08-07"]


@pytest.mark.parametrize("stream", [False, True])
def test_z4_each_path_of_azure_keeps_its_version(gateway, stream):
    """Z1 and Z2 ride along: the stand-in annotates its streams as Azure's filter does."""
    assert "v1" in said(gateway.chat("azure", "v1", stream=stream), stream)
    assert "dep" in said(gateway.chat("deployment", "dep", stream=stream), stream)
    v1, deployment = gateway.standins["openai"].records()
    assert (v1.path, v1.query) == ("/openai/v1/chat/completions", None)
    assert deployment.path == "/openai/deployments/my-gpt/chat/completions"
    assert deployment.query == "api-version=2024-10-21"
    for record in (v1, deployment):
        assert record.values("api-key") == ["secret-of-openai"]
        assert record.values("authorization") == []


def test_z3_the_limits_name_follows_the_declared_family(gateway):
    assert gateway.chat("deployment", max_tokens=20).status_code == 200
    assert gateway.chat("thinker", max_tokens=20).status_code == 200
    plain, thinker = (record.body for record in gateway.standins["openai"].records())
    assert plain["max_tokens"] == 20 and "max_completion_tokens" not in plain
    assert thinker["max_completion_tokens"] == 20 and "max_tokens" not in thinker


def test_z5_a_filtered_prompt_is_a_refusal(gateway):
    gateway.standins["openai"].fail({"kind": "content_filter"})
    response = gateway.chat("azure", "bad words")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "content_filter"
    response = gateway.chat("azure-then-direct", "bad words")
    assert response.headers["x-pointsman-answered-by"].startswith("direct/")
