"""LangChain: replies, streams, an agent's loop, structured output, errors."""

import asyncio

import openai
import pytest
from gateway import SPEAKERS
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class Answer(BaseModel):
    """What a structured output must hold."""

    title: str
    score: int


@pytest.fixture(params=SPEAKERS)
def speaker(request):
    return request.param


@pytest.fixture
def chat(gateway, speaker):
    url = f"{gateway.envoy.url}/v1"
    return ChatOpenAI(
        model=f"{speaker}-only", base_url=url, api_key="any", max_retries=0, stream_usage=True
    )


@pytest.fixture(scope="module")
def loop():
    """One for all: LangChain keeps its connections for the next model at the same address."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


def weather():
    """A tool that remembers its calls."""
    calls = []

    @tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        calls.append(city)
        return f"dry in {city}"

    return get_weather, calls


def test_a_reply(chat, speaker):
    reply = chat.invoke("marco")
    assert f"Hello from {speaker}" in reply.text and "marco" in reply.text
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.usage_metadata["input_tokens"] > 0
    assert reply.usage_metadata["output_tokens"] > 0


def test_a_stream(chat):
    whole = None
    for chunk in chat.stream("marco"):
        whole = chunk if whole is None else whole + chunk
    assert "marco" in whole.text
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata["total_tokens"] > 0


def test_the_asynchronous_batch(chat, loop):
    replies = loop.run_until_complete(chat.abatch(["marco", "polo"]))
    assert ["marco" in replies[0].text, "polo" in replies[1].text] == [True, True]


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "stream"])
def test_an_agent_runs_its_tools(chat, stream):
    get_weather, calls = weather()
    agent = create_agent(chat, [get_weather], system_prompt="Be kind.")
    ask = {"messages": [("user", "The weather of two cities, in parallel")]}
    if stream:
        told = [message for message, _ in agent.stream(ask, stream_mode="messages")]
        last = "".join(message.text for message in told if "AI" in type(message).__name__)
    else:
        last = agent.invoke(ask)["messages"][-1].text
    assert calls == ["text", "text"]
    assert "The tool said: " in last and last.count("dry in text") == 2


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_structured_output(chat, method):
    structured = chat.with_structured_output(Answer, method=method)
    assert structured.invoke("rate this, in JSON") == Answer(title="text", score=1)


def test_an_agent_answers_in_a_structure(chat):
    agent = create_agent(chat, [], response_format=Answer)
    reply = agent.invoke({"messages": [("user", "rate this")]})
    assert reply["structured_response"] == Answer(title="text", score=1)


def test_errors_are_the_sdks_own(gateway, chat, speaker):
    gateway.standins[speaker].fail({"kind": "status", "status": 429, "retry_after": 3})
    with pytest.raises(openai.RateLimitError):
        chat.invoke("x")
