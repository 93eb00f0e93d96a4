"""Requests reshaped for one candidate, on a real Envoy: tools and schemas in words, shorter
conversations, system prompts by provider; and the header that tells of each.

The stand-ins repeat what the user says: that is how a model without tools answers with a call.
"""

import json

import pytest
from conftest import candidate
from gateway import STEADFAST, Gateway, Standins, provider
from replies import attempts, content, read_stream, verdicts

NAMES = ("openai", "anthropic")

FIDELITY = "x-pointsman-fidelity"

#: A model that lacks what others have.
LACKS = {"tools": False, "json_schema": False, "json_mode": False}

TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}

SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
}

CALL = '\n{"tool_calls":[{"name":"lookup","arguments":{"city":"Oslo"}}]}'


def document(standins):
    providers = {s.name: provider(s, **STEADFAST) for s in standins}
    providers["anthropic"]["template"] = "house"
    words = {"degrade": {"tools": "prompt", "json_schema": "prompt"}}
    weak = candidate("openai", capabilities=LACKS)
    small = candidate("openai", capabilities={"context_window": 600})
    plain, other = candidate("openai"), candidate("anthropic")
    return {
        "providers": providers,
        "models": {
            "weak-first": {**words, "candidates": [weak, other]},
            "weak-only": {**words, "candidates": [weak]},
            "strict": {**words, "on_unsupported": "reject", "candidates": [weak, other]},
            "small-first": {"fit": {"trim": "oldest_turns", "keep_last": 1}, "candidates": [small, other]},
            "house": {"candidates": [other]},
            "stand-in": {"candidates": [other, plain | {"template_on_fallback": "stand-in"}]},
            "stand-in-first": {"candidates": [plain | {"template_on_fallback": "stand-in"}]},
        },
        "templates": {
            "house": {"prefix": "You are {model} of {provider}, asked for as {alias}."},
            "stand-in": {"suffix": "Keep answers short."},
        },
        "defaults": {"timeouts": {"per_try": "1500ms", "idle": "2s"}},
        "observe": {"longest_cool_down": "0s"},
    }


@pytest.fixture(scope="module")
def adapting(binaries, tmp_path_factory):
    standins = Standins(binaries, tmp_path_factory.mktemp("adapt-standins"), NAMES)
    gateway = Gateway(binaries, tmp_path_factory.mktemp("adapt"), document(standins), standins)
    yield gateway
    gateway.close()
    standins.close()


@pytest.fixture(autouse=True)
def forgotten(adapting):
    adapting.standins.reset()


def sent_to(adapting, name):
    """The one body that this provider received."""
    return adapting.standins[name].only_record().body


def test_a_call_in_words_becomes_a_call(adapting):
    response = adapting.chat("weak-first", CALL, tools=[TOOL])
    assert response.status_code == 200, response.text
    choice = response.json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "lookup"
    assert json.loads(call["function"]["arguments"]) == {"city": "Oslo"}
    assert response.headers[FIDELITY] == "downgraded tools"
    sent = sent_to(adapting, "openai")
    assert "tools" not in sent
    assert "lookup" in sent["messages"][0]["content"]


def test_a_streamed_call_in_words_becomes_a_call(adapting):
    response = adapting.chat("weak-first", CALL, stream=True, tools=[TOOL])
    assert response.status_code == 200, response.text
    stream = read_stream(response.text)
    assert stream.done and not stream.errors, response.text
    choices = [choice for chunk in stream.chunks for choice in chunk["choices"]]
    calls = [call for choice in choices for call in choice["delta"].get("tool_calls") or []]
    assert [call["function"]["name"] for call in calls if call["function"].get("name")] == ["lookup"]
    arguments = "".join(call["function"].get("arguments", "") for call in calls)
    assert json.loads(arguments) == {"city": "Oslo"}
    assert [c["finish_reason"] for c in choices if c.get("finish_reason")] == ["tool_calls"]
    assert "tool_calls" not in stream.text
    assert response.headers[FIDELITY] == "downgraded tools"


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_no_known_function_stays_text(adapting, stream):
    text = '\n{"tool_calls":[{"name":"other","arguments":{}}]}'
    response = adapting.chat("weak-first", text, stream=stream, tools=[TOOL])
    assert '"name":"other"' in content(response, stream)


def test_earlier_calls_and_results_are_told_in_words(adapting):
    call = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": '{"city":"Oslo"}'}}
    messages = [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "four degrees"},
    ]
    response = adapting.post({"model": "weak-first", "messages": messages, "tools": [TOOL]})
    assert content(response, False)
    sent = sent_to(adapting, "openai")["messages"]
    assert not [message for message in sent if message["role"] == "tool" or "tool_calls" in message]
    assert "four degrees" in json.dumps(sent)


def test_the_next_candidate_gets_the_tools_as_they_came(adapting):
    adapting.standins["openai"].fail({"kind": "status", "status": 503})
    response = adapting.chat("weak-first", "Is it tool weather?", tools=[TOOL])
    assert response.json()["choices"][0]["finish_reason"] == "tool_calls"
    assert sent_to(adapting, "anthropic")["tools"][0]["name"] == "lookup"
    assert "downgraded tools" not in response.headers.get(FIDELITY, "")


def test_who_wants_it_all_is_sent_where_nothing_is_lost(adapting):
    response = adapting.chat("strict", tools=[TOOL])
    assert [each.provider for each in attempts(response)] == ["anthropic"]


def test_an_answer_that_is_no_json_leads_to_the_next_candidate(adapting):
    response = adapting.chat("weak-first", response_format=SCHEMA)
    assert isinstance(json.loads(content(response, False)), dict)
    assert verdicts(response) == [("openai", "not_json"), ("anthropic", "ok")]
    sent = sent_to(adapting, "openai")
    assert "response_format" not in sent
    assert "properties" in json.dumps(sent["messages"])


def test_json_of_the_last_candidate_is_taken_out_and_chatter_is_told(adapting):
    found = adapting.chat("weak-only", '\n```json\n{"a":"b"}\n```', response_format=SCHEMA)
    assert json.loads(content(found, False)) == {"a": "b"}
    assert found.headers[FIDELITY] == "downgraded response_format"
    chatter = adapting.chat("weak-only", "no", response_format=SCHEMA)
    assert "You said: no" in content(chatter, False)
    assert chatter.headers[FIDELITY] == "downgraded response_format; dropped response_format"


TURNS = [
    {"role": role, "content": f"{role} {i} " + "word " * 100}
    for i in range(5)
    for role in ("user", "assistant")
]


def conversation():
    return {
        "model": "small-first",
        "max_tokens": 50,
        "messages": [{"role": "system", "content": "Be brief."}, *TURNS, {"role": "user", "content": "And now?"}],
    }


@pytest.mark.parametrize("stream", [False, True])
def test_the_oldest_turns_are_left_out_for_the_small_model(adapting, stream):
    response = adapting.post(conversation() | {"stream": stream})
    assert content(response, stream)
    sent = sent_to(adapting, "openai")["messages"]
    assert sent[0]["content"] == "Be brief."
    assert sent[-1]["content"] == "And now?"
    kept = [message["content"].split(" word")[0] for message in sent[1:-1]]
    assert len(kept) < len(TURNS)
    assert kept == [turn["content"].split(" word")[0] for turn in TURNS[len(TURNS) - len(kept) :]]
    assert f"dropped messages[1..{len(TURNS) - len(kept)}]" in response.headers[FIDELITY]


def test_the_large_model_gets_the_whole_conversation(adapting):
    adapting.standins["openai"].fail({"kind": "status", "status": 503})
    response = adapting.post(conversation())
    assert [each.provider for each in attempts(response)] == ["openai", "anthropic"]
    assert len(sent_to(adapting, "anthropic")["messages"]) == len(TURNS) + 1
    assert "dropped messages" not in response.headers[FIDELITY]


@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_template_stands_before_the_clients_prompt(adapting, stream):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    response = adapting.post({"model": "house", "max_tokens": 50, "messages": messages, "stream": stream})
    assert content(response, stream)
    sent = sent_to(adapting, "anthropic")
    prompt = json.dumps(sent["system"])
    assert f"You are {sent['model']} of anthropic, asked for as house." in prompt
    assert prompt.index("You are") < prompt.index("Be brief.")
    assert response.headers[FIDELITY] == "rewritten system prompt by template house"


def test_a_stand_in_has_its_own_template_only_when_it_stands_in(adapting):
    first = adapting.chat("stand-in-first")
    assert content(first, False)
    assert "Keep answers short." not in json.dumps(sent_to(adapting, "openai"))
    assert FIDELITY not in first.headers
    adapting.standins.reset()
    adapting.standins["anthropic"].fail({"kind": "status", "status": 503})
    second = adapting.chat("stand-in")
    assert [each.provider for each in attempts(second)] == ["anthropic", "openai"]
    assert "Keep answers short." in json.dumps(sent_to(adapting, "openai"))
    assert second.headers[FIDELITY] == "rewritten system prompt by template stand-in"
