"""A tool loop that begins at one provider goes on at any other, through OpenAI's own SDK."""

import json

import pytest
from gateway import SPEAKERS
from test_openai_sdk import WEATHER, ask, complete

PAIRS = [(a, b) for a in SPEAKERS for b in SPEAKERS if a != b]


def returned(message):
    """The whole message as the SDK gives it back: reasoning and signatures too."""
    turn = {name: value for name, value in message.to_dict().items() if value is not None}
    turn.pop("parsed", None)
    for call in turn["tool_calls"]:
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return turn


def begin(client, model, stream):
    """A conversation whose last turn answers two calls of this model."""
    messages = ask("The weather of two cities, in parallel")
    settings = {"tools": [WEATHER], "reasoning_effort": "high"}
    message = complete(client, stream, model=model, messages=messages, **settings)
    assert len(message.tool_calls) == 2
    messages.append(returned(message))
    for number, call in enumerate(message.tool_calls):
        assert set(json.loads(call.function.arguments)) == {"city", "days"}
        found = f"result-{number}"
        messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
    return messages, settings


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
@pytest.mark.parametrize("first, second", PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
def test_another_provider_goes_on(client, standins, first, second, stream):
    messages, settings = begin(client, f"{first}-only", stream)
    message = complete(client, stream, model=f"{second}-only", messages=messages, **settings)
    assert not message.tool_calls
    assert "result-0" in message.content and "result-1" in message.content
    assert standins[second].only_record().refusal is None

    # Back to who began: what it signed itself is still there.
    messages += [{"role": "assistant", "content": message.content}, *ask("marco")]
    complete(client, stream, model=f"{first}-only", messages=messages, **settings)
    assert [record.refusal for record in standins[first].records()] == [None, None]


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
@pytest.mark.parametrize(
    "first, second", [("openai", "anthropic"), ("anthropic", "gemini"), ("gemini", "openai")]
)
def test_a_failure_in_the_middle_of_the_loop_is_not_noticed(
    client, standins, first, second, stream
):
    messages, settings = begin(client, f"{first}-first", stream)
    standins[first].fail({"kind": "status", "status": 503})
    message = complete(client, stream, model=f"{first}-first", messages=messages, **settings)
    assert "result-0" in message.content and "result-1" in message.content
    assert standins[second].only_record().refusal is None
