"""What answers cost: told to clients and to the access log, exact when the provider has counted,
estimated and marked as such when a stream has no end."""

import json

import pytest
from conftest import MODELS
from gateway import VENDORS, run
from replies import read_stream

#: USD for a million tokens, in nano-USD for one.
PRICES = {"input": 3, "output": 15}
TIERS = {"price_percent": {"flex": 50, "priority": 200}}


@pytest.fixture(scope="module")
def priced(binaries, shared_standins, tmp_path_factory):
    from gateway import Gateway, provider

    prices = {**PRICES, "cached_input": 3}
    document = {
        "providers": {v: provider(shared_standins[v]) for v in VENDORS},
        "models": {
            v: {"candidates": [{"provider": v, "model": MODELS[v], "prices": prices} | TIERS]}
            for v in VENDORS
        },
    }
    for standin in shared_standins:
        standin.reset()
    gateway = Gateway(binaries, tmp_path_factory.mktemp("priced"), document, shared_standins)
    yield gateway
    gateway.close()


def nano_usd(usage):
    return (usage["prompt_tokens"] * 3 + usage["completion_tokens"] * 15) * 1000


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_reply_says_what_it_cost(priced, vendor):
    response = priced.chat(vendor)
    usage = response.json()["usage"]
    cost = nano_usd(usage)
    assert response.headers["x-pointsman-cost"] == f"{cost / 1e9:.9f}"
    assert int(priced.envoy.logged(response)["pointsman.cost_nano_usd"]) == cost


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_stream_costs_what_its_last_chunk_says_and_hides_it_from_others(priced, vendor):
    told = priced.chat(vendor, stream=True, stream_options={"include_usage": True})
    untold = priced.chat(vendor, stream=True)
    (usage,) = read_stream(told.text).usage
    assert not read_stream(untold.text).usage
    for response in (told, untold):
        line = priced.envoy.logged(response)
        assert int(line["pointsman.cost_nano_usd"]) == nano_usd(usage)
        assert line["pointsman.usage_estimated"] in (None, "-", "false")


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_a_stream_that_breaks_is_settled_by_what_was_seen(priced, shared_standins, vendor):
    shared_standins[vendor].fail({"kind": "error_event_after", "events": 4}, times=1)
    response = priced.chat(vendor, stream=True)
    line = priced.envoy.logged(response)
    assert line["pointsman.usage_estimated"] == "true"
    assert int(line["gen_ai.usage.input_tokens"]) > 0
    assert int(line["gen_ai.usage.output_tokens"]) > 0
    assert int(line["pointsman.cost_nano_usd"]) > 0


#: Replies that say how they were served: in the body, or in a header.
TIERED = {
    "openai": (
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "service_tier": "flex",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hi"},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        },
        {},
        "flex",
        225_000,
    ),
    "gemini": (
        {
            "candidates": [
                {
                    "index": 0,
                    "finishReason": "STOP",
                    "content": {"role": "model", "parts": [{"text": "Hi"}]},
                }
            ],
            "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10},
        },
        {"x-gemini-service-tier": "priority"},
        "priority",
        900_000,
    ),
}


@pytest.mark.parametrize("vendor", TIERED)
def test_the_tier_that_a_provider_reports_sets_the_price(priced, shared_standins, vendor):
    body, headers, tier, cost = TIERED[vendor]
    reply = {"kind": "status", "status": 200, "body": body, "headers": headers}
    shared_standins[vendor].fail(reply, times=1)
    response = priced.chat(vendor, service_tier="auto")
    assert response.headers["x-pointsman-cost"] == f"{cost / 1e9:.9f}", response.text
    line = priced.envoy.logged(response)
    assert line["pointsman.service_tier"] == tier
    assert int(line["pointsman.cost_nano_usd"]) == cost


def test_the_log_is_simulated_to_the_same_cost(priced, tmp_path):
    lines = [line for line in priced.envoy.access_log() if line["pointsman.cost_nano_usd"]]
    assert len(lines) > 5
    log = tmp_path / "access.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = priced.folder / "pointsman.yaml"
    command = [priced.binaries.pointsman, "simulate", "--config", config, log, "--format", "json"]
    (told,) = json.loads(run(command))["configurations"]
    assert told["requests"] == len(lines)
    assert told["cost_nano_usd"] == sum(int(line["pointsman.cost_nano_usd"]) for line in lines)
