"""Every translated request body of the fixtures, against the vendors' own types."""

import base64
import importlib
import json
import pathlib

import pytest

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "translation"

# The schemas whose vendors publish types that a body can be checked against.
CHECKED = {
    "anthropic": "check_anthropic",
    "bedrock_anthropic": "check_bedrock_anthropic",
    "bedrock_converse": "check_bedrock",
    "cohere": "check_cohere",
    "foundry_anthropic": "check_anthropic",
    "gemini": "check_gemini",
    "mistral": "check_mistral",
    "vertex_anthropic": "check_vertex_anthropic",
}


def bodies():
    for schema in CHECKED:
        for path in sorted((FIXTURES / schema).glob("*/upstream_request.json")):
            yield pytest.param(schema, path, id=f"{schema}/{path.parent.name}")


@pytest.mark.parametrize("schema, path", bodies())
def test_the_vendor_accepts_the_body(schema, path):
    check = importlib.import_module(CHECKED[schema])
    assert check.validate(json.loads(path.read_text())) == []


@pytest.mark.parametrize("schema", CHECKED)
def test_a_body_with_an_unknown_field_is_refused(schema):
    check = importlib.import_module(CHECKED[schema])
    path = next((FIXTURES / schema).glob("*/upstream_request.json"))
    assert check.validate(json.loads(path.read_text()) | {"no_such_field": 1}) != []


BROKEN = [
    ({"messages": [{"role": "user", "content": [{"text": " "}]}]}, "blank text"),
    ({"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}, "begin with the user"),
    ({"messages": [{"role": "user", "content": [{"text": "Hi", "image": {}}]}]}, "union"),
    ({"inferenceConfig": {"temperature": 1.5}}, "more than 1"),
    ({"toolConfig": {"tools": [{"toolSpec": {"name": "a.b", "inputSchema": {"json": {}}}}]}}, "match"),
    ({"toolConfig": {"tools": [], "toolChoice": {"none": {}}}}, "none"),
    ({"serviceTier": {"type": "scale"}}, "not one of"),
]


@pytest.mark.parametrize("fields, words", BROKEN)
def test_a_body_that_bedrock_would_refuse_is_refused(fields, words):
    check = importlib.import_module("check_bedrock")
    plain = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    assert check.validate(plain) == []
    violations = " ".join(check.validate(plain | fields))
    assert words.lower() in violations.lower()


@pytest.mark.parametrize(
    "schema, fields",
    [
        ("cohere", {"tool_choice": "AUTO"}),
        ("cohere", {"messages": [{"role": "developer", "content": "x"}]}),
        ("cohere", {"messages": [{"role": "user", "content": "x", "name": "y"}]}),
        ("cohere", {"p": 1.0}),
        ("cohere", {"tools": [{"type": "function", "function": {"name": "x"}}]}),
        ("mistral", {"seed": 1}),
        ("mistral", {"stream_options": {}}),
        ("mistral", {"tool_choice": "must"}),
        ("mistral", {"messages": [{"role": "developer", "content": "x"}]}),
        ("mistral", {"messages": [{"role": "tool", "content": "x", "tool_call_id": "call_1"}]}),
        ("mistral", {"tools": [{"type": "function", "function": {"name": "x"}}]}),
    ],
)
def test_a_body_of_openais_schema_is_refused(schema, fields):
    check = importlib.import_module(CHECKED[schema])
    plain = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert check.validate(plain) == []
    assert check.validate(plain | fields) != []


def binary_streams():
    for schema in ("bedrock_converse", "bedrock_anthropic"):
        for path in sorted((FIXTURES / schema).glob("*/upstream_response.bin")):
            yield pytest.param(path, id=f"{schema}/{path.parent.name}")


@pytest.mark.parametrize("path", binary_streams())
def test_the_vendor_reads_the_frames_that_the_fixture_says(path):
    check = importlib.import_module("check_bedrock")
    told = json.loads(path.with_name("upstream_events.json").read_text())
    whole = [event for event in told if "raw" not in event]
    try:
        read = check.read_frames(path.read_bytes())
    except Exception:
        assert whole != told, "a stream of whole frames must be readable"
        return
    for event, (name, payload) in zip(whole, read, strict=True):
        expected = event.get("exception") or event.get("error") or next(iter(event))
        assert name == expected
        if name == "chunk" and isinstance(event[name], dict):
            payload = json.loads(base64.b64decode(payload["bytes"]))
        if payload is not None and name in event and not isinstance(event[name], str):
            assert payload == event[name]


def chunk_streams():
    for path in sorted((FIXTURES / "bedrock_anthropic").glob("*/upstream_response.bin")):
        if not path.with_name("stream_failure.json").exists():
            yield pytest.param(path, id=path.parent.name)


@pytest.mark.parametrize("path", chunk_streams())
def test_anthropics_own_client_reads_the_chunks(path):
    """What the SDK's decoder for Bedrock hands on is what the fixture put into its chunks."""
    stream_decoder = importlib.import_module("anthropic.lib.bedrock._stream_decoder")
    told = json.loads(path.with_name("upstream_events.json").read_text())
    expected = [e["chunk"] for e in told if isinstance(e.get("chunk"), dict)]
    try:
        events = stream_decoder.AWSEventStreamDecoder().iter_bytes(iter([path.read_bytes()]))
        read = [json.loads(event.data) for event in events]
    except Exception:
        assert path.parent.name == "broken_chunks_are_skipped"
        return
    assert read == expected
