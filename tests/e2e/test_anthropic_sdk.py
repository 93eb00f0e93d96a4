"""Anthropic's own SDK cannot tell the gateway from Anthropic, whoever answers."""

import asyncio
import base64

import anthropic
import check_anthropic_reply
import pytest
from conftest import MODELS, models_by, vendor_of
from gateway import SPEAKERS
from pydantic import BaseModel
from replies import CLIENT_SECRETS, assert_carries_only_its_own_key, verdicts

#: Every speaker, and a model whose first candidate is down.
model = models_by(SPEAKERS)

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}

#: A PNG of one pixel.
PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()

both_ways = pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])


class Answer(BaseModel):
    """What a structured output must hold."""

    title: str
    score: int


@pytest.fixture
def client(gateway):
    url = gateway.envoy.url
    with anthropic.Anthropic(base_url=url, api_key="client-token", max_retries=0) as client:
        yield client


def user(content):
    return [{"role": "user", "content": content}]


def ask(client, stream, messages, **request):
    """A message, streamed or not."""
    request = {"max_tokens": 1024, "messages": messages, **request}
    if not stream:
        return client.messages.create(**request)
    with client.messages.stream(**request) as events:
        for _ in events:
            pass
        return events.get_final_message()


def post(gateway, **body):
    """The raw reply."""
    body = {"max_tokens": 1024, "messages": user("marco"), **body}
    return gateway.http.post("/v1/messages", json=body)


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def calls_of(message):
    return [block for block in message.content if block.type == "tool_use"]


@both_ways
def test_a_message(client, model, stream):
    message = ask(client, stream, user("marco"), model=model, system="Be kind.")
    vendor = vendor_of(model)
    assert f"Hello from {vendor}" in text_of(message) and "marco" in text_of(message)
    assert (message.type, message.role, message.model) == ("message", "assistant", MODELS[vendor])
    assert message.id.startswith("msg_")
    assert message.stop_reason == "end_turn" and message.stop_sequence is None
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0


@both_ways
def test_every_field_has_its_type(gateway, model, stream):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    reply = post(
        gateway,
        model=model,
        stream=stream,
        messages=user("The weather of two cities, in parallel"),
        tools=[WEATHER],
        thinking=thinking,
        max_tokens=4096,
    )
    assert reply.status_code == 200, reply.text
    if stream:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert "content-length" not in reply.headers
        assert check_anthropic_reply.validate_stream(reply.text) == []
    else:
        assert reply.headers["content-type"] == "application/json"
        assert check_anthropic_reply.validate(reply.json()) == []
    expected = [("openai", "overloaded")] if model == "openai-first" else []
    assert verdicts(reply) == [*expected, (vendor_of(model), "ok")]
    assert reply.headers["x-pointsman-answered-by"].startswith(vendor_of(model))


def test_the_asynchronous_client(gateway, model):
    async def run():
        url = gateway.envoy.url
        async with anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as client:
            async with client.messages.stream(
                model=model, max_tokens=64, messages=user("marco")
            ) as events:
                return "".join([text async for text in events.text_stream])

    assert "marco" in asyncio.run(run())


@both_ways
def test_tools_are_called_and_their_results_told_apart(client, model, stream):
    messages = user("The weather of two cities, in parallel")
    request = {"model": model, "tools": [WEATHER]}
    message = ask(client, stream, messages, **request)
    calls = calls_of(message)
    assert message.stop_reason == "tool_use"
    assert len({call.id for call in calls}) == 2
    for call in calls:
        assert call.name == "get_weather"
        assert set(call.input) == {"city", "days"}

    # The next turn holds what the last one gave, as it is.
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"result-{i}"}
        for i, call in enumerate(calls)
    ]
    results[1]["is_error"] = True
    messages += [{"role": "assistant", "content": message.content}, *user(results)]
    message = ask(client, stream, messages, **request)
    assert message.stop_reason == "end_turn"
    assert "result-0" in text_of(message) and "result-1" in text_of(message)


@pytest.mark.parametrize(
    "choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}], ids=["any", "tool"]
)
def test_a_tool_choice_is_heeded(client, model, choice):
    message = ask(client, False, user("hi"), model=model, tools=[WEATHER], tool_choice=choice)
    assert [call.name for call in calls_of(message)] == ["get_weather"]
    assert message.stop_reason == "tool_use"


@both_ways
@pytest.mark.parametrize("model", ["anthropic-only", "gemini-only"])
def test_thinking_is_shown_and_goes_back_as_it_was(client, standins, model, stream):
    messages = user("The weather, please")
    request = {"tools": [WEATHER], "thinking": {"type": "enabled", "budget_tokens": 2048}}
    request |= {"model": model, "max_tokens": 8192}
    message = ask(client, stream, messages, **request)
    thoughts = [block for block in message.content if block.type == "thinking"]
    assert thoughts and thoughts[0].thinking
    assert message.usage.output_tokens_details.thinking_tokens > 0
    (call,) = calls_of(message)

    result = {"type": "tool_result", "tool_use_id": call.id, "content": "dry"}
    messages += [{"role": "assistant", "content": message.content}, *user([result])]
    message = ask(client, stream, messages, **request)
    assert "dry" in text_of(message)
    record = standins[vendor_of(model)].records()[-1]
    assert record.refusal is None
    if model == "anthropic-only":
        (first, *_) = record.body["messages"][1]["content"]
        assert first == thoughts[0].model_dump()


def test_a_structured_output_is_parsed(client, model):
    message = client.messages.parse(
        model=model, max_tokens=1024, messages=user("rate this"), output_format=Answer
    )
    assert isinstance(message.parsed_output, Answer)


@both_ways
def test_a_limit_is_told(client, model, stream):
    words = user("one two three four five six")
    message = ask(client, stream, words, model=model, max_tokens=3)
    assert message.stop_reason == "max_tokens"


def test_images_and_documents_are_read(client, model):
    content = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "polo"}},
        {"type": "text", "text": "marco"},
    ]
    assert "marco" in text_of(ask(client, False, user(content), model=model))


def test_a_turn_of_an_agent_reaches_anthropic_whole(client, standins):
    marker = {"cache_control": {"type": "ephemeral"}}
    message = client.messages.create(
        model="anthropic-first",
        max_tokens=1024,
        system=[{"type": "text", "text": "Rules", **marker}],
        messages=user([{"type": "text", "text": "marco", **marker}]),
        tools=[{**WEATHER, "eager_input_streaming": True, **marker}],
        metadata={"user_id": "user_" + "a" * 64 + "_session_" + "b" * 36},
    )
    assert message.usage.input_tokens > 0
    sent = standins["anthropic"].only_record().body
    assert sent["system"] == [{"type": "text", "text": "Rules", **marker}]
    assert sent["messages"] == user([{"type": "text", "text": "marco", **marker}])
    assert sent["tools"] == [{**WEATHER, "eager_input_streaming": True, **marker}]
    assert sent["metadata"]["user_id"].endswith("b" * 36)


def test_what_only_anthropic_knows_is_told_when_another_serves(gateway):
    fields = {"metadata": {"user_id": "u" * 65}}
    reply = post(gateway, model="gemini-only", **fields)
    assert "metadata.user_id" in reply.headers["x-pointsman-fidelity"]
    reply = post(gateway, model="anthropic-only", **fields)
    assert "x-pointsman-fidelity" not in reply.headers


def test_no_secret_of_the_client_reaches_a_provider(gateway, standins, model):
    body = {"model": model, "max_tokens": 64, "messages": user("marco")}
    reply = gateway.http.post("/v1/messages", json=body, headers=CLIENT_SECRETS)
    assert reply.status_code == 200
    vendor = standins[vendor_of(model)]
    assert_carries_only_its_own_key(vendor.only_record(), vendor, standins)


def test_what_runs_at_anthropic_alone_is_refused_by_name(client, standins):
    search = {"type": "web_search_20260318", "name": "web_search"}
    with pytest.raises(anthropic.BadRequestError) as refused:
        ask(client, False, user("x"), model="three", tools=[search])
    assert "web_search" in refused.value.message and "tools[0].type" in refused.value.message
    with pytest.raises(anthropic.BadRequestError):
        ask(client, False, user("x"), model="three", extra_body={"mcp_servers": [{"name": "x"}]})
    assert not any(standin.records() for standin in standins)


@both_ways
def test_errors_are_the_sdks_own(client, standins, stream):
    with pytest.raises(anthropic.NotFoundError) as unknown:
        ask(client, stream, user("x"), model="none")
    assert unknown.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.BadRequestError):
        ask(client, stream, [], model="openai-only")
    standins["gemini"].fail({"kind": "status", "status": 429, "retry_after": 3})
    with pytest.raises(anthropic.RateLimitError) as limited:
        ask(client, stream, user("x"), model="gemini-only")
    assert limited.value.response.headers["retry-after"] == "3"
    assert check_anthropic_reply.validate_error(limited.value.body) == []


@both_ways
def test_when_all_fail_the_error_tells_of_all(gateway, stream):
    for standin in gateway.standins:
        standin.fail({"kind": "status", "status": 500})
    reply = post(gateway, model="three", stream=stream)
    assert reply.status_code == 500
    assert reply.headers["content-type"] == "application/json"
    assert check_anthropic_reply.validate_error(reply.json()) == []
    assert "all 3 attempts" in reply.json()["error"]["message"]


def test_an_error_in_mid_stream_is_an_error_event(client, gateway, standins):
    standins["anthropic"].fail({"kind": "error_event_after", "events": 4})
    reply = post(gateway, model="anthropic-only", stream=True)
    assert check_anthropic_reply.validate_stream(reply.text) == []
    assert "event: error" in reply.text and "message_stop" not in reply.text
    with pytest.raises(anthropic.APIStatusError):
        ask(client, True, user("x"), model="anthropic-only")


def test_a_request_that_is_no_post_is_refused(gateway):
    reply = gateway.http.get("/v1/messages")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert check_anthropic_reply.validate_error(reply.json()) == []
