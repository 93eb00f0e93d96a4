"""Every reply of the Completions fixtures, against OpenAI's own types."""

import json
import pathlib

import check_completions
import pytest

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "surface" / "completions"

REPLIES = [
    pytest.param(path, id=f"{path.parent.name}{path.suffix}")
    for path in sorted(FIXTURES.glob("*/client_response.*"))
]


@pytest.mark.parametrize("path", REPLIES)
def test_the_vendors_client_understands_the_reply(path):
    assert check_completions.validate_file(str(path)) == []


def test_a_reply_that_breaks_its_types_is_seen():
    completion = json.loads((FIXTURES / "hello" / "client_response.json").read_text())
    assert check_completions.validate(completion | {"no_such_field": 1}) != []
    assert check_completions.validate(completion | {"object": "chat.completion"}) != []


def test_a_stream_that_breaks_its_rules_is_seen():
    stream = (FIXTURES / "hello" / "client_response.sse").read_text()
    assert check_completions.validate_stream(stream) == []
    assert check_completions.validate_stream(stream.replace("[DONE]", "{}")) != []
    assert check_completions.validate_stream(stream.replace('"text":', '"taxt":')) != []
