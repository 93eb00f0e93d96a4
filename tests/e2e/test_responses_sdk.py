"""OpenAI's own SDK, on the Responses API: every provider answers it, none of them speaks it."""

import asyncio
import json

import check_openai_types
import openai
import pytest
from conftest import MODELS, models_by, vendor_of
from gateway import VENDORS
from pydantic import BaseModel
from replies import verdicts

#: Every schema, and a model whose first candidate is down.
model = models_by(VENDORS)

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Answer(BaseModel):
    """What a structured output must hold."""

    title: str
    score: int


def post(gateway, **body):
    """The raw reply."""
    return gateway.http.post("/v1/responses", json={"input": "marco", **body})


def ask(client, stream, **request):
    """A response, streamed or not."""
    if not stream:
        return client.responses.create(**request)
    with client.responses.stream(**request) as events:
        for _ in events:
            pass
        return events.get_final_response()


def test_a_response(client, model):
    response = client.responses.create(model=model, input="marco", instructions="Be kind.")
    vendor = vendor_of(model)
    assert f"Hello from {vendor}" in response.output_text and "marco" in response.output_text
    assert (response.status, response.model) == ("completed", MODELS[vendor])
    assert response.id.startswith("resp_") and response.created_at > 0
    assert response.instructions == "Be kind."
    assert response.usage.input_tokens > 0 and response.usage.output_tokens > 0


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_every_field_has_its_type(gateway, model, stream):
    reply = post(gateway, model=model, stream=stream, tools=[WEATHER], metadata={"a": "b"})
    assert reply.status_code == 200
    if stream:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert "content-length" not in reply.headers
        assert check_openai_types.validate_stream(reply.text) == []
    else:
        assert check_openai_types.validate(reply.json()) == []
    expected = [("openai", "overloaded")] if model == "openai-first" else []
    assert verdicts(reply) == [*expected, (vendor_of(model), "ok")]
    assert reply.headers["x-pointsman-answered-by"].startswith(vendor_of(model))


def test_a_stream(client, model):
    stream = client.responses.create(model=model, input="marco", stream=True)
    events = list(stream)
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert f"Hello from {vendor_of(model)}" in text and "marco" in text
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == text
    assert last.response.usage.total_tokens > 0


def test_the_accumulating_stream(client, model):
    response = ask(client, True, model=model, input="marco")
    assert "marco" in response.output_text


def test_the_asynchronous_client(gateway, model):
    async def run():
        url = f"{gateway.envoy.url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
            response = await client.responses.create(model=model, input="marco")
            return response.output_text

    assert "marco" in asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_tools_are_called_and_their_results_told_apart(client, model, stream):
    items = [{"role": "user", "content": "The weather of two cities, in parallel"}]
    request = {"model": model, "tools": [WEATHER]}
    response = ask(client, stream, input=items, **request)
    calls = [item for item in response.output if item.type == "function_call"]
    assert len({call.call_id for call in calls}) == 2
    for call in calls:
        assert call.name == "get_weather"
        assert set(json.loads(call.arguments)) == {"city", "days"}

    # The next turn holds what the last one gave, as it is.
    items += [item.model_dump(exclude={"parsed_arguments"}) for item in response.output]
    items += [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"result-{i}"}
        for i, call in enumerate(calls)
    ]
    response = ask(client, stream, input=items, **request)
    assert "result-0" in response.output_text and "result-1" in response.output_text


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "name": "get_weather"}], ids=["required", "named"]
)
def test_a_tool_choice_is_heeded(client, model, choice):
    response = client.responses.create(
        model=model, input="hi", tools=[WEATHER], tool_choice=choice
    )
    calls = [item.name for item in response.output if item.type == "function_call"]
    assert calls == ["get_weather"]


def test_a_structured_output_is_parsed(client, model):
    response = client.responses.parse(model=model, input="rate this", text_format=Answer)
    assert isinstance(response.output_parsed, Answer)


def test_a_streamed_structured_output_is_parsed(client, model):
    with client.responses.stream(model=model, input="rate this", text_format=Answer) as events:
        for _ in events:
            pass
        response = events.get_final_response()
    assert isinstance(response.output_parsed, Answer)


def test_a_limit_makes_it_incomplete(client, model):
    response = client.responses.create(
        model=model, input="one two three four five six", max_output_tokens=16
    )
    assert response.status in ("completed", "incomplete")
    response = client.responses.create(
        model=model, input="one two three four five six", max_output_tokens=3
    )
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"


def test_reasoning_is_asked_for_and_counted(client, standins, model):
    response = client.responses.create(model=model, input="think", reasoning={"effort": "high"})
    assert response.usage.output_tokens_details.reasoning_tokens == 7
    sent = json.dumps(standins[vendor_of(model)].only_record().body)
    assert "high" in sent.lower() or "budget" in sent.lower()


def test_what_is_lost_is_told_in_front_of_what_the_attempt_lost(gateway):
    reply = post(gateway, model="anthropic-only", store=True, prompt_cache_key="k")
    assert reply.status_code == 200
    told = reply.headers["x-pointsman-fidelity"]
    assert told.startswith("dropped store") and "prompt_cache_key" in told
    assert gateway.envoy.logged(reply)["pointsman.fidelity"] == told
    assert reply.json()["store"] is False


def test_what_needs_a_servers_memory_is_refused_by_name(client, gateway, standins):
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="three", input="x", previous_response_id="resp_1")
    assert refused.value.param == "previous_response_id"
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="three", input="x", tools=[{"type": "web_search"}])
    assert "web_search" in refused.value.message
    assert not any(standin.records() for standin in standins)


def test_errors_are_the_sdks_own(client, standins):
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="none", input="x")
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model="openai-only", input=[])
    standins["gemini"].fail({"kind": "status", "status": 429, "retry_after": 3})
    for stream in (False, True):
        with pytest.raises(openai.RateLimitError) as limited:
            client.responses.create(model="gemini-only", input="x", stream=stream)
        assert limited.value.response.headers["retry-after"] == "3"
        assert limited.value.type == "rate_limit_error"


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_when_all_fail_the_error_tells_of_all(gateway, stream):
    for standin in gateway.standins:
        standin.fail({"kind": "status", "status": 500})
    reply = post(gateway, model="three", stream=stream)
    assert reply.status_code == 500
    assert reply.headers["content-type"] == "application/json"
    assert "all 3 attempts" in reply.json()["error"]["message"]


def test_an_error_in_mid_stream_fails_the_response(gateway, standins):
    standins["anthropic"].fail({"kind": "error_event_after", "events": 4})
    reply = post(gateway, model="anthropic-only", stream=True)
    assert check_openai_types.validate_stream(reply.text) == []
    name, last = list(check_openai_types.read_events(reply.text))[-1]
    assert name == "response.failed"
    assert last["response"]["error"]["message"]


def test_a_request_that_is_no_post_is_refused(gateway):
    reply = gateway.http.get("/v1/responses")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_large_request_does_not_make_a_large_reply(gateway, model, stream):
    reply = post(gateway, model=model, stream=stream, instructions="word " * 100_000)
    assert reply.status_code == 200
    assert len(reply.content) < 64 * 1024
    assert "marco" in reply.text
