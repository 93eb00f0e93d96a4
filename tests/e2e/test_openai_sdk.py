"""OpenAI's own SDK cannot tell the gateway from OpenAI, whoever answers."""

import asyncio
import base64
import json

import openai
import pytest
from conftest import MODELS, models_by, vendor_of
from gateway import SPEAKERS
from pydantic import BaseModel

#: Every speaker, and a model whose first candidate is down.
model = models_by(SPEAKERS)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}

#: A PNG of one pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Answer(BaseModel):
    """What a structured output must hold."""

    title: str
    score: int
    tags: list[str]


def ask(text):
    return [{"role": "user", "content": text}]


def test_a_reply(client, model):
    reply = client.chat.completions.create(model=model, messages=ask("marco"))
    vendor = vendor_of(model)
    (choice,) = reply.choices
    assert choice.finish_reason == "stop"
    assert f"Hello from {vendor}" in choice.message.content
    assert "marco" in choice.message.content
    assert (reply.object, reply.model) == ("chat.completion", MODELS[vendor])
    assert reply.id and reply.created > 0
    assert reply.usage.prompt_tokens > 0 and reply.usage.completion_tokens > 0
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_a_stream(client, model):
    stream = client.chat.completions.create(
        model=model,
        messages=ask("marco"),
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert f"Hello from {vendor_of(model)}" in text and "marco" in text
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert last.choices == [] and last.usage.total_tokens > 0


def test_the_accumulating_stream(client, model):
    with client.chat.completions.stream(model=model, messages=ask("marco")) as stream:
        for _ in stream:
            pass
        whole = stream.get_final_completion()
    assert "marco" in whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "stop"


def test_the_asynchronous_client(gateway, model):
    async def run():
        url = f"{gateway.envoy.url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
            create = client.chat.completions.create
            reply = await create(model=model, messages=ask("marco"))
            stream = await create(model=model, messages=ask("polo"), stream=True)
            pieces = [c.choices[0].delta.content or "" async for c in stream if c.choices]
            return reply.choices[0].message.content, "".join(pieces)

    reply, streamed = asyncio.run(run())
    assert "marco" in reply
    assert "polo" in streamed


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_a_tool_is_called_and_its_result_heard(client, model, stream):
    messages = ask("What is the weather?")
    message = complete(client, stream, model=model, messages=messages, tools=[WEATHER])
    (call,) = message.tool_calls
    assert call.type == "function" and call.id
    assert call.function.name == "get_weather"
    arguments = json.loads(call.function.arguments)
    assert set(arguments) == {"city", "days"}

    messages.append(said(message))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"})
    message = complete(client, stream, model=model, messages=messages, tools=[WEATHER])
    assert not message.tool_calls
    assert "sunny, 21 degrees" in message.content


def said(message):
    """A message as a turn of the conversation, without what only the SDK knows."""
    calls = [each.to_dict() for each in message.tool_calls]
    for each in calls:
        each.pop("index", None)
        each["function"].pop("parsed_arguments", None)
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


def complete(client, stream, **request):
    """The message of a reply, streamed or not."""
    if not stream:
        reply = client.chat.completions.create(**request)
    else:
        with client.chat.completions.stream(**request) as events:
            for _ in events:
                pass
            reply = events.get_final_completion()
    (choice,) = reply.choices
    assert choice.finish_reason == ("tool_calls" if choice.message.tool_calls else "stop")
    return choice.message


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_tools_are_called_in_parallel_and_their_results_told_apart(client, model, stream):
    messages = ask("The weather of two cities, in parallel")
    message = complete(client, stream, model=model, messages=messages, tools=[WEATHER])
    assert len(message.tool_calls) == 2
    assert len({call.id for call in message.tool_calls}) == 2
    for call in message.tool_calls:
        assert set(json.loads(call.function.arguments)) == {"city", "days"}

    messages.append(said(message))
    for number, call in enumerate(message.tool_calls):
        result = f"result-{number}"
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    message = complete(client, stream, model=model, messages=messages, tools=[WEATHER])
    assert "result-0" in message.content and "result-1" in message.content


@pytest.mark.parametrize(
    "choice, called",
    [
        ("none", False),
        ("required", True),
        ({"type": "function", "function": {"name": "get_weather"}}, True),
    ],
    ids=["none", "required", "named"],
)
def test_a_tool_choice_is_heeded(client, model, choice, called):
    reply = client.chat.completions.create(
        model=model,
        messages=ask("hi" if called else "the weather"),
        tools=[WEATHER],
        tool_choice=choice,
    )
    assert bool(reply.choices[0].message.tool_calls) is called


def test_calls_are_not_parallel_when_forbidden(client, model):
    response = client.chat.completions.with_raw_response.create(
        model=model,
        messages=ask("weather, in parallel"),
        tools=[WEATHER],
        parallel_tool_calls=False,
    )
    if vendor_of(model) in ("gemini", "bedrock", "cohere", "deepseek"):
        # These cannot be told; the client is told instead.
        assert "parallel_tool_calls" in response.headers["x-pointsman-fidelity"]
    else:
        assert len(response.parse().choices[0].message.tool_calls) == 1


def test_a_structured_output_is_parsed(client, model):
    reply = client.chat.completions.parse(
        model=model, messages=ask("rate this"), response_format=Answer
    )
    assert isinstance(reply.choices[0].message.parsed, Answer)


def test_a_streamed_structured_output_is_parsed(client, model):
    with client.chat.completions.stream(
        model=model, messages=ask("rate this"), response_format=Answer
    ) as stream:
        for _ in stream:
            pass
        reply = stream.get_final_completion()
    assert isinstance(reply.choices[0].message.parsed, Answer)


def test_a_json_object(client, standins, model):
    reply = client.chat.completions.create(
        model=model,
        messages=ask("some JSON, please"),
        response_format={"type": "json_object"},
    )
    text = reply.choices[0].message.content
    if vendor_of(model) in ("anthropic", "bedrock"):
        # These have no such mode: they are asked in words, which a stand-in does not read.
        sent = standins[vendor_of(model)].only_record().body
        assert "JSON" in json.dumps(sent.get("system", ""))
    else:
        assert json.loads(text)["ok"] is True


def test_an_image_arrives(client, standins, model):
    url = "data:image/png;base64," + base64.b64encode(PIXEL).decode()
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    messages = [{"role": "user", "content": parts}]
    reply = client.chat.completions.create(model=model, messages=messages)
    assert "what is this?" in reply.choices[0].message.content
    sent = json.dumps(standins[vendor_of(model)].only_record().body)
    assert base64.b64encode(PIXEL).decode() in sent


def test_reasoning_is_asked_for_shown_and_counted(client, standins, model):
    stream = client.chat.completions.create(
        model=model,
        messages=ask("think"),
        reasoning_effort="high",
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    thoughts = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    vendor = vendor_of(model)
    if vendor == "openai":
        assert standins["openai"].only_record().body["reasoning_effort"] == "high"
    elif vendor != "gemini":  # It thinks, but shows it only when asked to.
        assert "The user wants an answer" in thoughts
    if vendor not in ("bedrock", "cohere", "mistral"):  # They do not tell.
        assert last.usage.completion_tokens_details.reasoning_tokens == 7
    assert "think" in "".join(delta.content or "" for delta in deltas)


@pytest.mark.parametrize("model", ["openai-only", "gemini-only"])
def test_several_choices(client, gateway, model):
    reply = client.chat.completions.create(model=model, messages=ask("marco"), n=2)
    assert [choice.index for choice in reply.choices] == [0, 1]
    assert all("marco" in choice.message.content for choice in reply.choices)
    stream = client.chat.completions.create(
        model=model, messages=ask("marco"), n=2, stream=True
    )
    texts = ["", ""]
    for chunk in stream:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert all("marco" in text for text in texts)


def test_sampling_parameters_and_stops_are_heeded(client, model):
    reply = client.chat.completions.create(
        model=model,
        messages=ask("one two three four five six seven eight nine ten eleven twelve"),
        temperature=0.5,
        top_p=0.9,
        stop=["three"],
    )
    assert reply.choices[0].finish_reason == "stop"
    assert "three" not in reply.choices[0].message.content
    reply = client.chat.completions.create(
        model=model, messages=ask("one two three four five six"), max_completion_tokens=3
    )
    assert reply.choices[0].finish_reason == "length"


def test_errors_are_the_sdks_own(client, standins, gateway):
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="none", messages=ask("x"))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="openai-only", messages=[])
    standins["gemini"].fail({"kind": "status", "status": 429, "retry_after": 3})
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model="gemini-only", messages=ask("x"))
    assert limited.value.response.headers["retry-after"] == "3"
    assert limited.value.type == "rate_limit_error"


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
@pytest.mark.parametrize("speaker", SPEAKERS)
@pytest.mark.parametrize(
    "fault, kind, code",
    [
        ({"kind": "status", "status": 400}, openai.BadRequestError, None),
        ({"kind": "context_overflow"}, openai.BadRequestError, "context_length_exceeded"),
        ({"kind": "status", "status": 429}, openai.RateLimitError, None),
        ({"kind": "quota"}, openai.RateLimitError, "insufficient_quota"),
        ({"kind": "model_gone"}, openai.NotFoundError, "model_not_found"),
        ({"kind": "status", "status": 500}, openai.InternalServerError, None),
    ],
    ids=["bad request", "overflow", "rate", "quota", "gone", "broken"],
)
def test_errors_of_every_speaker_are_the_sdks_own(
    client, standins, speaker, fault, kind, code, stream
):
    standins[speaker].fail(fault)
    with pytest.raises(kind) as raised:
        client.chat.completions.create(
            model=f"{speaker}-only", messages=ask("x"), stream=stream
        )
    assert raised.value.body["message"]
    assert code in (None, raised.value.code)


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_a_stream_that_breaks_is_raised_by_the_sdk(client, standins, speaker):
    standins[speaker].fail({"kind": "error_event_after", "events": 4})
    # On a busy machine all events may come at once, and then there is no stream at all.
    with pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(
            model=f"{speaker}-only", messages=ask("x"), stream=True
        ):
            pass


def test_the_models_are_listed(client, gateway):
    assert {each.id for each in client.models.list()} == set(gateway.document["models"])
    assert client.models.retrieve("three").id == "three"
