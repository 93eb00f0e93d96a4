"""Replies that were translated to OpenAI's shape are what OpenAI's own SDK expects, strictly."""

import json
import pathlib

import check_openai_chat
import pytest

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "translation"

#: Their replies are written by the gateway; those of OpenAI's dialects mostly pass as they came.
WRITTEN = ["anthropic", "bedrock_converse", "cohere", "gemini", "mistral"]


def replies():
    for schema in WRITTEN:
        for path in sorted((FIXTURES / schema).glob("*/client_response.*")):
            yield pytest.param(path, id=f"{schema}/{path.parent.name}{path.suffix}")


@pytest.mark.parametrize("path", replies())
def test_the_sdk_reads_the_reply_strictly(path):
    assert check_openai_chat.validate_file(str(path)) == []


@pytest.mark.parametrize(
    "field, value",
    [("finish_reason", "end_turn"), ("index", None), ("no_such_field", 1), ("message", {})],
)
def test_a_reply_of_another_shape_is_refused(field, value):
    path = FIXTURES / "anthropic" / "plain_text" / "client_response.json"
    reply = json.loads(path.read_text())
    assert check_openai_chat.validate_reply(reply) == []
    reply["choices"][0][field] = value
    assert check_openai_chat.validate_reply(reply) != []


def test_a_stream_of_two_replies_is_refused():
    path = FIXTURES / "anthropic" / "plain_text_streamed" / "client_response.sse"
    text = path.read_text()
    assert check_openai_chat.validate_stream(text) == []
    assert check_openai_chat.validate_stream(text.replace('"id":"', '"id":"x', 1)) != []
    assert check_openai_chat.validate_stream(text + text) != []
