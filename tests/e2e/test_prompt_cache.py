"""The provider's own cache: beginnings that come again are marked, and the saving is told."""

import json
import uuid

import check_anthropic
import check_bedrock
import pytest
from conftest import MODELS
from gateway import Gateway, Standins, provider

#: USD for a million tokens.
PRICES = {"input": 4, "cached_input": 0.4, "cache_write": 5, "output": 20}

CLAUDE = {"anthropic": "claude-sonnet-4-5", "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0"}


@pytest.fixture(scope="module")
def standins(binaries, tmp_path_factory):
    names = ("openai", "anthropic", "bedrock")
    standins = Standins(binaries, tmp_path_factory.mktemp("standins"), names)
    yield standins
    standins.close()


@pytest.fixture(scope="module")
def economical(binaries, standins, tmp_path_factory):

    def serves(vendor, model, **more):
        return {"candidates": [{"provider": vendor, "model": model, "prices": PRICES}], **more}

    document = {
        "providers": {v: provider(standins[v]) for v in ("openai", *CLAUDE)},
        "models": {
            **{v: serves(v, m, prompt_cache="auto") for v, m in CLAUDE.items()},
            "openai": serves("openai", MODELS["openai"], prompt_cache="auto"),
            "plain": serves("anthropic", CLAUDE["anthropic"]),
        },
    }
    gateway = Gateway(binaries, tmp_path_factory.mktemp("economical"), document, standins)
    yield gateway
    gateway.close()


@pytest.fixture
def beginning():
    """Long, and of this test alone."""
    return f"{uuid.uuid4()} " + "You are a patient helper. " * 400


def ask(gateway, model, system, *turns, **body):
    messages = [{"role": "system", "content": system}]
    roles = ("user", "assistant")
    messages += [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]
    response = gateway.chat(model, messages=messages, **body)
    assert response.status_code == 200, response.text
    return response, gateway.envoy.logged(response)


@pytest.mark.parametrize("vendor", CLAUDE)
@pytest.mark.parametrize("stream", [False, True])
def test_a_beginning_is_marked_when_it_comes_again_and_pays_at_the_third_time(
    economical, vendor, stream, beginning
):
    lines, replies = [], []
    for question in ("one?", "two?", "three?"):
        response, line = ask(economical, vendor, beginning, question, stream=stream)
        lines.append(line)
        replies.append(response)
    first, second, third = lines
    assert "cache_control" not in replies[0].headers.get("x-pointsman-fidelity", "")
    assert "defaulted cache_control" in replies[1].headers["x-pointsman-fidelity"]
    assert first["gen_ai.usage.cache_read.input_tokens"] == "0"
    assert first["pointsman.saved_nano_usd"] in (None, "-")
    # Writing costs a quarter more, reading a tenth.
    written = -int(second["pointsman.saved_nano_usd"]) // 1000
    assert written > 2000
    assert third["gen_ai.usage.cache_read.input_tokens"] == str(written)
    assert int(third["pointsman.saved_nano_usd"]) == written * 3600
    for name in ("saved", "surcharge"):
        assert economical.counts(f"pointsman_prompt_cache_{name}_nano_usd_total", vendor)


def test_a_conversation_is_kept_up_to_its_end(economical, standins, beginning):
    turns = ["one?", "One.", "two?", "Two.", "three?"]
    for count in (1, 3, 5):
        _, line = ask(economical, "anthropic", beginning, *turns[:count])
    sent = standins["anthropic"].records()[-1].body
    marked = [bool(turn["content"][-1].get("cache_control")) for turn in sent["messages"]]
    assert marked == [False] * 4 + [True]
    assert sent["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert int(line["gen_ai.usage.cache_read.input_tokens"]) > 2000


CHECKS = {"anthropic": check_anthropic.validate, "bedrock": check_bedrock.validate}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]


@pytest.mark.parametrize("vendor", CLAUDE)
def test_the_vendors_own_types_take_what_is_marked(economical, standins, vendor, beginning):
    standins[vendor].reset()
    turns = ["one?", "One.", "two?"]
    for count in (1, 3):
        ask(economical, vendor, beginning, *turns[:count], tools=TOOLS)
    # Behind the first message, and behind the tools, where there is nothing longer.
    for _ in range(2):
        ask(economical, vendor, "Be brief.", beginning, "One.", "two?")
    bodies = [record.body for record in standins[vendor].records()]
    marks = [json.dumps(body).count("ephemeral") + json.dumps(body).count("cachePoint") for body in bodies]
    assert marks == [0, 2, 0, 2]
    assert [CHECKS[vendor](body) for body in bodies] == [[]] * 4


def test_nothing_is_marked_that_is_short_or_marked_or_not_asked_for(economical, beginning):
    own = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    for model, system, question in [
        ("anthropic", "You are short.", "x"),
        ("plain", beginning, "x"),
        ("anthropic", beginning, own),
    ]:
        for _ in range(2):
            response, _ = ask(economical, model, system, question)
            fidelity = response.headers.get("x-pointsman-fidelity", "")
            assert "cache_control" not in fidelity


def test_openai_gets_one_key_for_each_beginning(economical, standins, beginning):
    standin = standins["openai"]
    standin.reset()
    for question in ("one?", "two?"):
        ask(economical, "openai", beginning, question)
    ask(economical, "openai", "other " + beginning, "one?")
    ask(economical, "openai", beginning, "one?", prompt_cache_key="mine")
    keys = [record.body.get("prompt_cache_key") for record in standin.records()]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith("pointsman-") and keys[3] == "mine"
