"""A corpus of requests, translated by the command line, is what the vendors' own SDKs could have sent."""

import functools
import importlib
import json
import os
import pathlib
import re
import subprocess

import pytest
from check_openai_chat import validate as openai_violations
from corpus import requests

ROOT = pathlib.Path(__file__).parents[2]
POINTSMAN = os.environ.get("POINTSMAN_BIN", str(ROOT / "target" / "debug" / "pointsman"))

#: Several models each: what they can do decides what they are sent.
MODELS = {
    "anthropic": ["claude-opus-4-5", "claude-opus-4-8", "claude-fable-5"],
    "gemini": ["gemini-3.1-pro-preview", "gemini-2.5-flash"],
    "vertex_gemini": ["gemini-3.5-flash"],
    "bedrock": [
        "anthropic.claude-opus-4-5-20251101-v1:0",
        "amazon.nova-2-lite-v1:0",
        "meta.llama4-maverick-17b-instruct-v1:0",
        "mistral.mistral-large-3-675b-instruct",
    ],
    "cohere": ["command-a-03-2025", "command-a-reasoning-08-2025"],
    "mistral": ["mistral-large-latest", "magistral-medium-latest"],
    "openai": ["gpt-5.4", "gpt-4o"],
    "deepseek": ["deepseek-v4-pro"],
    "groq": ["openai/gpt-oss-120b"],
    "cerebras": ["gpt-oss-120b"],
    "together": ["a-model"],
    "fireworks": ["a-model"],
    "moonshot": ["kimi-k2.5"],
    "qwen": ["qwen3-max"],
    "openrouter": ["a-model"],
}

CHECKS = {
    "anthropic": "check_anthropic",
    "gemini": "check_gemini",
    "vertex_gemini": "check_gemini",
    "bedrock": "check_bedrock",
    "cohere": "check_cohere",
    "mistral": "check_mistral",
}

#: What speakers of OpenAI's schema take besides.
REASONING = {"reasoning_content", "reasoning", "reasoning_details"}
BESIDES = {
    "openai": set(),
    "deepseek": {"reasoning_content", "thinking"},
    "groq": {"reasoning"},
    "cerebras": {"reasoning"},
    "together": {"reasoning", "top_k"},
    "fireworks": {"reasoning_content", "thinking", "top_k"},
    "moonshot": {"reasoning_content", "thinking"},
    "qwen": {"reasoning_content", "top_k", "enable_thinking", "thinking_budget", "cache_control"},
    # It ignores what it does not know.
    "openrouter": {*REASONING, "thinking", "top_k", "cache_control", "extra_content", "is_error"},
}

DOCUMENT = {
    "version": 1,
    "providers": {
        **{name: {"key": {"env": "KEY"}} for name in MODELS},
        "bedrock": {"aws": {"region": "us-east-1"}},
        "vertex_gemini": {
            "key": {"env": "KEY"},
            "endpoint": "http://127.0.0.1:1/v1/projects/p/locations/global/publishers/google",
        },
    },
    "models": {
        f"{provider}/{model}": {"candidates": [{"provider": provider, "model": model}]}
        for provider, models in MODELS.items()
        for model in models
    },
}


@functools.cache
def translated() -> list[tuple[str, dict, dict]]:
    """Of every model: its name, each request, and what came of it. One process does it all."""
    asked = [(model, request) for model in DOCUMENT["models"] for request in requests()]
    lines = "".join(json.dumps({"model": model} | request) + "\n" for model, request in asked)
    document = ROOT / "target" / "corpus.json"
    document.parent.mkdir(exist_ok=True)
    document.write_text(json.dumps(DOCUMENT))
    command = [POINTSMAN, "translate", str(document), "--lines"]
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    outcomes = [json.loads(line) for line in ran.stdout.split("\n") if line]
    assert len(outcomes) == len(asked)
    return [(*one, outcome) for one, outcome in zip(asked, outcomes)]


def violations_of(provider: str, body: dict) -> list[str]:
    if provider in CHECKS:
        return importlib.import_module(CHECKS[provider]).validate(body)
    allowed = "|".join(sorted(BESIDES[provider])) or "nothing"
    known = re.compile(rf"(.*\.)?({allowed}): not a key of .*")
    found = [v for v in openai_violations(body) if not known.fullmatch(v)]
    return found + (deepseek(body) if provider == "deepseek" else [])


def deepseek(body: dict) -> list[str]:
    """What its reference says in words."""
    found = []
    for i, message in enumerate(body["messages"]):
        where = f"messages[{i}]"
        found += [f"{where}: no content"] * ("content" not in message)
        found += [f"{where}: {message['role']}"] * (message["role"] in ("developer", "function"))
        lacks_reasoning = message.get("tool_calls") and message.get("reasoning_content") is None
        found += [f"{where}: calls without reasoning_content"] * bool(lacks_reasoning)
    if body.get("response_format", {}).get("type") == "json_schema":
        found.append("response_format: json_schema")
    return found


@pytest.mark.parametrize("name", DOCUMENT["models"])
def test_the_vendor_accepts_every_body(name):
    provider = name.split("/")[0]
    mine = [(i, o) for i, (model, _, o) in enumerate(translated()) if model == name]
    assert len(mine) >= 300
    found = []
    for i, outcome in mine:
        if "error" in outcome:
            found.append(f"{i % len(mine)}: refused: {outcome['error']}")
        else:
            found += [f"{i % len(mine)}: {v}" for v in violations_of(provider, outcome["body"])]
    assert not found, "\n".join(found[:20]) + f"\n{len(found)} violations"


@pytest.mark.parametrize("name", DOCUMENT["models"])
def test_what_was_said_arrives(name):
    """The words of the user reach every provider, whatever else is translated."""
    for model, request, outcome in translated():
        if model != name or "error" in outcome:
            continue
        sent = json.dumps(outcome["body"], ensure_ascii=False)
        for message in request["messages"]:
            content = message.get("content")
            if message["role"] == "user" and isinstance(content, str) and content.strip():
                assert json.dumps(content, ensure_ascii=False)[1:-1] in sent


def test_the_corpus_is_diverse_and_the_same_in_every_run():
    everything = requests()
    assert everything == requests()
    fields = {name for request in everything for name in request}
    roles = {m["role"] for request in everything for m in request["messages"]}
    assert {"tools", "response_format", "reasoning_effort", "thinking", "stop", "n"} <= fields
    assert roles == {"system", "developer", "user", "assistant", "tool", "function"}
