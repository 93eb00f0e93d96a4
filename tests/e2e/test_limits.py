"""What providers say of their limits reaches the client under OpenAI's names, whoever answered."""

import json
import re
import time

import pytest
from conftest import BUFFERED_AND_STREAMED, MODELS
from gateway import Gateway, provider
from replies import content, verdicts

#: Providers that speak OpenAI's language, and what they say of their limits in words of their own.
#: Sources, read 2026-11-21: the pages that src/exchange/reply/quota.rs names.
COMPATIBLE = {
    "openai": (
        {
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-remaining-requests": "9999",
            "x-ratelimit-reset-requests": "8ms",
            "x-ratelimit-limit-tokens": "2000000",
            "x-ratelimit-remaining-tokens": "1999981",
            "x-ratelimit-reset-tokens": "6m0s",
        },
        {
            "limit-requests": "10000",
            "remaining-requests": "9999",
            "reset-requests": "8ms",
            "limit-tokens": "2000000",
            "remaining-tokens": "1999981",
            "reset-tokens": "6m0s",
        },
    ),
    "groq": (
        {
            "x-ratelimit-limit-requests": "14400",
            "x-ratelimit-remaining-tokens": "17997",
            "x-ratelimit-reset-requests": "2m59.56s",
        },
        {"limit-requests": "14400", "remaining-tokens": "17997", "reset-requests": "2m59.56s"},
    ),
    "cerebras": (
        {
            "x-ratelimit-limit-requests-day": "1000000000",
            "x-ratelimit-remaining-tokens-minute": "999998455",
            "x-ratelimit-reset-tokens-minute": "33.5",
        },
        {
            "limit-requests": "1000000000",
            "remaining-tokens": "999998455",
            "reset-tokens": "33.5s",
        },
    ),
    "mistral": (
        {
            "x-ratelimit-limit-req-minute": "720",
            "x-ratelimit-remaining-req-minute": "717",
            "x-ratelimit-remaining-tokens-minute": "4999911",
        },
        {"limit-requests": "720", "remaining-requests": "717", "remaining-tokens": "4999911"},
    ),
    "together": (
        {
            "x-ratelimit-limit": "60",
            "x-ratelimit-remaining": "59",
            "x-ratelimit-reset": "1",
            "x-tokenlimit-limit": "30000",
            "x-tokenlimit-remaining": "29900",
        },
        {
            "limit-requests": "60",
            "remaining-requests": "59",
            "reset-requests": "1s",
            "limit-tokens": "30000",
            "remaining-tokens": "29900",
        },
    ),
}

OTHERS = ("anthropic", "silent")


@pytest.fixture(scope="module")
def limited(binaries, shared_standins, tmp_path_factory):
    openai, anthropic = shared_standins["openai"], shared_standins["anthropic"]
    providers = {name: provider(openai) | {"kind": name} for name in COMPATIBLE}
    providers |= {"anthropic": provider(anthropic), "silent": provider(openai)}
    models = {name: {"candidates": [{"provider": name, "model": "m"}]} for name in COMPATIBLE}
    models |= {name: {"candidates": [{"provider": name, "model": MODELS["openai"]}]} for name in OTHERS}
    models["anthropic"]["candidates"][0] |= {"model": MODELS["anthropic"], "defaults": {"max_tokens": 99}}
    both = [models["anthropic"]["candidates"][0], models["together"]["candidates"][0]]
    models["both"] = {"candidates": both}
    document = {
        "providers": providers,
        "models": models,
        "observe": {"longest_cool_down": "0s"},
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("limits"), document, shared_standins)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(limited):
    limited.standins.reset()
    return limited


def answer(stream):
    """A short answer in OpenAI's language, whole or as events."""
    base = {"id": "c", "created": 1, "model": "m"}
    if not stream:
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
        return {**base, "object": "chat.completion", "choices": [choice]}
    deltas = [({"role": "assistant", "content": "Hi"}, None), ({}, "stop")]
    chunks = [
        {
            **base,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }
        for delta, reason in deltas
    ]
    events = [json.dumps(chunk) for chunk in chunks] + ["[DONE]"]
    return "".join(f"data: {event}\n\n" for event in events)


def claude(stream):
    """The same in Anthropic's."""
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude"}
    text, usage = {"type": "text", "text": "Hi"}, {"input_tokens": 3, "output_tokens": 1}
    if not stream:
        return {**message, "content": [text], "stop_reason": "end_turn", "usage": usage}
    start = {**message, "content": [], "stop_reason": None, "usage": usage}
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def says(standin, body, headers):
    standin.fail({"kind": "status", "status": 200, "body": body, "headers": headers})


def told(response):
    """What the client reads under OpenAI's names."""
    names = ("limit", "remaining", "reset")
    ours = [f"{name}-{what}" for what in ("requests", "tokens") for name in names]
    values = {name: response.headers.get(f"x-ratelimit-{name}") for name in ours}
    return {name: value for name, value in values.items() if value is not None}


@BUFFERED_AND_STREAMED
@pytest.mark.parametrize("vendor", COMPATIBLE)
def test_limits_are_told_in_openais_words(gateway, vendor, stream):
    headers, expected = COMPATIBLE[vendor]
    says(gateway.standins["openai"], answer(stream), headers)
    response = gateway.chat(vendor, stream=stream)
    assert content(response, stream) == "Hi"
    assert told(response) == expected
    assert headers.items() <= dict(response.headers).items(), "its own stay as they are"


def anthropics():
    """Its headers: when a limit comes back is a date."""
    back = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 95))
    return {
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-tokens-remaining": "39000",
        "anthropic-ratelimit-tokens-reset": back,
    }


@BUFFERED_AND_STREAMED
def test_a_date_is_told_as_the_time_until_then(gateway, stream):
    says(gateway.standins["anthropic"], claude(stream), anthropics())
    response = gateway.chat("anthropic", stream=stream)
    assert content(response, stream) == "Hi"
    limits = told(response)
    assert re.fullmatch(r"1m(2[5-9]|3[0-5])(\.\d+)?s", limits.pop("reset-tokens"))
    assert limits == {
        "limit-requests": "4000",
        "remaining-requests": "3999",
        "remaining-tokens": "39000",
    }


def test_who_says_nothing_is_not_spoken_for(gateway):
    assert told(gateway.chat("silent")) == {}


@BUFFERED_AND_STREAMED
def test_only_the_limits_of_whoever_answered_are_told(gateway, stream):
    fault = {"kind": "status", "status": 500, "headers": anthropics()}
    gateway.standins["anthropic"].fail(fault)
    headers, expected = COMPATIBLE["together"]
    says(gateway.standins["openai"], answer(stream), headers)
    response = gateway.chat("both", stream=stream)
    assert verdicts(response) == [("anthropic", "server_error"), ("together", "ok")]
    assert told(response) == expected


def test_an_error_of_the_gateway_tells_no_limits(gateway):
    fault = {"kind": "status", "status": 429, "headers": anthropics(), "retry_after": 60}
    gateway.standins["anthropic"].fail(fault)
    response = gateway.chat("anthropic")
    assert response.status_code == 429 and told(response) == {}
    assert response.headers["retry-after"] == "60"
